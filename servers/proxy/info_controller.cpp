#include "servers/proxy/info_controller.h"

#include <apus/digest.h>
#include <apus/json.h>

namespace apus {
namespace {

// The release of Swift whose answers these are.
constexpr std::string_view kVersion = "2.30.1";

Json policies_of(const SwiftConf& conf) {
  Json::Array out;
  for (const StoragePolicy& policy : conf.policies) {
    if (policy.deprecated) continue;
    Json entry;
    entry.set("name", policy.name);
    std::string aliases = policy.name;
    for (const std::string& alias : policy.aliases) aliases += ", " + alias;
    entry.set("aliases", aliases);
    if (policy.is_default) entry.set("default", true);
    out.push_back(std::move(entry));
  }
  return out;
}

}  // namespace

void register_info(const Services& services) {
  const SwiftConf& conf = services.host.swift_conf();
  const Constraints& limits = conf.constraints;
  Json section;
  section.set("version", std::string(kVersion));
  section.set("strict_cors_mode", services.conf.strict_cors);
  section.set("policies", policies_of(conf));
  section.set("allow_account_management", services.conf.allow_account_management);
  section.set("account_autocreate", services.conf.account_autocreate);
  section.set("max_file_size", limits.max_file_size);
  section.set("max_meta_name_length", limits.max_meta_name_length);
  section.set("max_meta_value_length", limits.max_meta_value_length);
  section.set("max_meta_count", limits.max_meta_count);
  section.set("max_meta_overall_size", limits.max_meta_overall_size);
  section.set("max_header_size", limits.max_header_size);
  section.set("max_object_name_length", limits.max_object_name_length);
  section.set("container_listing_limit", limits.container_listing_limit);
  section.set("account_listing_limit", limits.account_listing_limit);
  section.set("max_account_name_length", limits.max_account_name_length);
  section.set("max_container_name_length", limits.max_container_name_length);
  section.set("extra_header_count", limits.extra_header_count);
  section.set("auto_create_account_prefix", limits.auto_create_account_prefix);
  Json::Array versions(limits.valid_api_versions.begin(), limits.valid_api_versions.end());
  section.set("valid_api_versions", Json(std::move(versions)));
  services.host.info().set("swift", section.dump());
}

int InfoController::check(std::string_view signature, std::string_view expires) const {
  const std::string& key = x_.services.conf.admin_key;
  if (key.empty()) return 403;
  const auto end = parse_int(expires);
  if (!end || static_cast<double>(*end) < x_.services.host.clock().now()) return 401;
  bool valid = false;
  for (const char* method : {"GET", "HEAD"}) {
    // A signature for GET is good for HEAD, but not the other way round.
    if (!x_.is_head() && std::string_view(method) == "HEAD") continue;
    const std::string text = std::string(method) + "\n" + std::to_string(*end) + "\n/info";
    valid |= constant_time_equal(to_hex(hmac(DigestKind::kSha1, key, text)), signature);
  }
  return valid ? 0 : 401;
}

Response InfoController::handle() const {
  if (x_.request.method == "OPTIONS") {
    Response out(200);
    out.headers.set("Content-Type", "text/html; charset=UTF-8");
    out.headers.set("Allow", std::string(allowed()));
    return out;
  }
  const ProxyConf& conf = x_.services.conf;
  if (!conf.expose_info) return error_response(403, x_.is_head());
  const std::string_view signature = x_.request.query.get("swiftinfo_sig");
  const std::string_view expires = x_.request.query.get("swiftinfo_expires");
  const bool admin = !signature.empty() || !expires.empty();
  if (admin) {
    if (const int status = check(signature, expires)) return error_response(status, x_.is_head());
  }
  Response out(200, x_.services.host.info().document(admin, conf.disallowed_sections),
               "application/json; charset=UTF-8");
  if (x_.is_head()) out.body.reset();
  if (const std::string* origin = x_.request.headers.find("Origin")) {
    out.headers.set("Access-Control-Allow-Origin", *origin);
    out.headers.set("Access-Control-Expose-Headers", "x-trans-id");
  }
  return out;
}

}  // namespace apus
