#include "servers/apus/sample_order.h"

namespace apus {
namespace {

constexpr SamplePlace kProxy[] = {
    {"catch_errors", "catch_errors", true, "first: whatever fails behind it is answered and named"},
    {"gatekeeper", "gatekeeper", true, "before all that could use an internal header of a client"},
    {"healthcheck", "healthcheck", true, "answers load balancers early, without log lines"},
    {"proxy-logging", "proxy_logging", true, "the client's side: what was asked and answered"},
    {"metrics", "metrics", false, "right behind healthcheck, to answer without log lines"},
    {"xprofile", "xprofile", false, "behind healthcheck, before all whose time it shows"},
    {"cache", "memcache", true, "before all that looks something up in it"},
    {"etag-quoter", "etag_quoter", false, "behind cache: it asks for containers and accounts"},
    {"list-endpoints", "list_endpoints", false, "behind cache"},
    {"listing_formats", "listing_formats", true, "all behind it see listings as JSON"},
    {"cname_lookup", "cname_lookup", false, "behind listing_formats, before domain_remap"},
    {"domain_remap", "domain_remap", false, "before all that reads paths"},
    {"crossdomain", "crossdomain", false, "before auth: its file is for everybody"},
    {"name_check", "name_check", false, "before auth: bad names are not worth a token"},
    {"read_only", "read_only", false, "before auth and bulk: nothing writes behind it"},
    {"container_sync", "container_sync", true, "before auth: it lets in the peers it knows"},
    {"bulk", "bulk", true, "before ratelimit and auth: each of its requests passes them"},
    {"tempurl", "tempurl", true, "before auth: its signature is the permission"},
    {"formpost", "formpost", false, "behind tempurl, before auth: its signature is the permission"},
    {"ratelimit", "ratelimit", true, "behind cache, before what costs more than counting"},
    {"s3api", "s3api", false, "before auth: it turns S3's signatures into what auth reads"},
    {"s3token", "s3token", false, "right behind s3api, before authtoken"},
    {"authtoken", "authtoken", false, "instead of tempauth, with keystoneauth behind it"},
    {"keystoneauth", "keystoneauth", false, "right behind authtoken"},
    {"tempauth", "tempauth", true, "before all that may only be done by somebody"},
    {"staticweb", "staticweb", false, "right behind auth"},
    {"copy", "copy", true, "behind auth, before what watches writes: a copy is a read and a write"},
    {"container-quotas", "container_quotas", true, "behind copy, before what makes large objects"},
    {"account-quotas", "account_quotas", true, "behind auth: reseller admins set quotas"},
    {"slo", "slo", true, "behind copy and quotas: it writes manifests"},
    {"dlo", "dlo", true, "behind slo"},
    {"versioned_writes", "versioned_writes", true, "behind slo and dlo: manifests are kept whole"},
    {"symlink", "symlink", true, "behind versioned_writes: old versions may be links"},
    {"keymaster", "keymaster", false, "right before encryption"},
    {"kms_keymaster", "kms_keymaster", false, "instead of keymaster"},
    {"kmip_keymaster", "kmip_keymaster", false, "instead of keymaster"},
    {"encryption", "encryption", false, "last but for proxy-logging: all else sees plain bytes"},
    {"proxy-logging", "proxy_logging", true, "the server's side: requests that filters made"},
};

constexpr SamplePlace kStorage[] = {
    {"healthcheck", "healthcheck", true, "answers load balancers early"},
    {"recon", "recon", true, "answers swift-recon"},
    {"backend_ratelimit", "backend_ratelimit", true,
     "right before the app: counts what reaches it"},
    {"metrics", "metrics", false, "right behind healthcheck, to answer without log lines"},
    {"xprofile", "xprofile", false, "behind healthcheck, before all whose time it shows"},
    {"ssync", "ssync", false, "in front of the object server alone, where it is put by itself"},
};

}  // namespace

std::span<const SamplePlace> proxy_places() { return kProxy; }
std::span<const SamplePlace> storage_places() { return kStorage; }

}  // namespace apus
