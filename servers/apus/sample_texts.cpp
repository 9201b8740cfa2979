#include "servers/apus/sample_texts.h"

namespace apus {
namespace {

constexpr std::string_view kSwift = R"(
[swift-hash]
# Part of every account's, container's and object's place on disk. The same on every server of the
# cluster, secret, and never changed once data is written. One of them must not be empty; a '%' is
# written '%%'. `openssl rand -hex 32` makes a good one.
swift_hash_path_suffix =
swift_hash_path_prefix =

# Where objects lie and how often. A number is for ever: it is in the names of rings and folders.
[storage-policy:0]
name = Policy-0
default = yes
# Further names, separated by commas.
# aliases =
# No new containers.
# deprecated = no
# policy_type = replication

# [storage-policy:1]
# name = silver

[swift-constraints]
# Bytes of an object.
# max_file_size = 5368709122
# Bytes of a metadata name and of its value, how many there may be, and bytes of all together.
# max_meta_name_length = 128
# max_meta_value_length = 256
# max_meta_count = 90
# max_meta_overall_size = 4096
# Bytes of a header line, and header lines beyond those that metadata may need.
# max_header_size = 8192
# extra_header_count = 0
# Bytes of names.
# max_object_name_length = 1024
# max_container_name_length = 256
# max_account_name_length = 256
# Most entries of one listing.
# container_listing_limit = 10000
# account_listing_limit = 10000
# First pieces of a path.
# valid_api_versions = v1,v1.0
# Accounts that the cluster keeps for itself.
# auto_create_account_prefix = .
)";

constexpr std::string_view kMemcache = R"(
[memcache]
# HOST:PORT, separated by commas; the same in the same order on every proxy.
# memcache_servers = 127.0.0.1:11211
# Connections to each server.
# memcache_max_connections = 32
# Seconds to connect, to wait for a connection of the pool, and for an answer.
# connect_timeout = 0.3
# pool_timeout = 1.0
# io_timeout = 2.0
# Servers to try for one request.
# tries = 3
# A server with more errors than the limit within the interval rests until it is over.
# error_suppression_interval = 60
# error_suppression_limit = 10
)";

constexpr std::string_view kRsyncd = R"(
uid = swift
gid = swift
log file = /var/log/rsyncd.log
pid file = /var/run/rsyncd.pid
address = 127.0.0.1

[account]
max connections = 2
path = /srv/node
read only = false
lock file = /var/lock/account.lock

[container]
max connections = 4
path = /srv/node
read only = false
lock file = /var/lock/container.lock

[object]
max connections = 8
path = /srv/node
read only = false
lock file = /var/lock/object.lock
)";

constexpr SampleText kTexts[] = {
    {"swift.conf", "What every server of a cluster agrees on.", kSwift},
    {"memcache.conf", "Where the cache filter of a proxy finds memcached; beside swift.conf.",
     kMemcache},
    {"rsyncd.conf", "rsync's daemon on a storage node: replicas of databases and objects.",
     kRsyncd},
};

}  // namespace

std::span<const SampleText> sample_texts() { return kTexts; }

std::string sample_head(std::string_view about, std::string_view name) {
  return "# " + std::string(about) + "\n# Made by `apus check --sample " + std::string(name) +
         "`: what is commented out shows the default.\n";
}

std::string sample_text(const SampleText& text) {
  return sample_head(text.about, text.name) + std::string(text.body);
}

}  // namespace apus
