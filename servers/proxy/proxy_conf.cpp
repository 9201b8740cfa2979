#include "servers/proxy/proxy_conf.h"

#include <apus/text.h>

#include <functional>
#include <stdexcept>

namespace apus {
namespace {

using Get = std::function<std::string(const char* option)>;

[[noreturn]] void refuse(const std::string& option, const std::string& value,
                         const std::string& wanted, const std::string& label) {
  throw std::runtime_error("Invalid " + option + " value: '" + value + "'; expected " + wanted +
                           " for " + label);
}

std::optional<NodeCount> parse_node_count(std::string_view text) {
  const std::string small = lower(text);
  const std::vector<std::string> words = split_list(small, ' ');
  if (words.empty()) return std::nullopt;
  const auto number = parse_int(words[0]);
  if (!number) return std::nullopt;
  if (words.size() == 1) return NodeCount{*number, false};
  if (words.size() == 3 && words[1] == "*" && words[2] == "replicas")
    return NodeCount{*number, true};
  return std::nullopt;
}

NodeCount node_count(const Get& get, const char* option, const std::string& label) {
  const std::string text = get(option);
  const auto out = parse_node_count(text);
  if (!out) refuse(option, text, "N or N * replicas", label);
  return *out;
}

Affinity affinity(const Get& get, const char* option, bool with_priority,
                  const std::string& label) {
  const std::string text = get(option);
  const auto out = parse_affinity(text, with_priority);
  if (!out) refuse(option, text, with_priority ? "r1=100, r2z1=200, ..." : "r1, r2z1, ...", label);
  return *out;
}

Sorting sorting(const Get& get, const std::string& label) {
  const std::string text = lower(trim(get("sorting_method")));
  if (text == "shuffle") return Sorting::kShuffle;
  if (text == "timing") return Sorting::kTiming;
  if (text == "affinity") return Sorting::kAffinity;
  refuse("sorting_method", text, "shuffle, timing or affinity", label);
}

std::chrono::milliseconds seconds(const std::string& text, const char* option,
                                  const std::string& label) {
  std::size_t used = 0;
  double value = -1;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  if (used == 0 || used != text.size() || value < 0 || value > 86400)
    refuse(option, text, "a number of seconds", label);
  return std::chrono::milliseconds(static_cast<std::int64_t>(value * 1000));
}

PolicyConf policy_conf(const Get& get, const std::string& label) {
  PolicyConf out;
  out.sorting = sorting(get, label);
  out.read_affinity = affinity(get, "read_affinity", true, label);
  out.write_affinity = affinity(get, "write_affinity", false, label);
  out.write_affinity_node_count = node_count(get, "write_affinity_node_count", label);
  if (const std::string text = get("write_affinity_handoff_delete_count"); lower(text) != "auto") {
    out.write_affinity_handoff_delete_count = parse_int(text);
    if (!out.write_affinity_handoff_delete_count)
      refuse("write_affinity_handoff_delete_count", text, "N or auto", label);
  }
  const std::string suppressed = get("rebalance_missing_suppression_count");
  const auto count = parse_int(suppressed);
  if (!count) refuse("rebalance_missing_suppression_count", suppressed, "a whole number", label);
  out.rebalance_missing_suppression_count = *count;
  out.concurrent_gets = is_true(get("concurrent_gets"));
  std::string wait = get("concurrency_timeout");
  if (wait.empty()) wait = get("conn_timeout");
  out.concurrency_timeout = seconds(wait, "concurrency_timeout", label);
  return out;
}

void warn_of_affinity(const PolicyConf& conf, const std::string& label, Logger& log) {
  if (conf.read_affinity.empty() || conf.sorting == Sorting::kAffinity) return;
  const char* method = conf.sorting == Sorting::kTiming ? "timing" : "shuffle";
  log.warning(std::string("sorting_method is set to '") + method + "', not 'affinity'; " + label +
              " read_affinity setting will have no effect.");
}

// Options of "policy:N:NAME", over the app's own.
void read_policies(const Options& options, const SwiftConf& cluster, Logger& log, ProxyConf& out) {
  const auto base = [&](const char* name) { return options.text(name); };
  out.defaults = policy_conf(base, "(default)");
  warn_of_affinity(out.defaults, "(default)", log);
  for (const auto& [key, value] : options.family("policy:")) {
    const std::string text = key.substr(7, key.find(':', 7) - 7);
    const auto index = parse_int(text);
    if (!index)
      throw std::runtime_error("Override config must refer to policy index: '" + text + "'");
    const int number = static_cast<int>(*index);
    if (out.policies.contains(number)) continue;
    const StoragePolicy* policy = cluster.policy(number);
    if (policy == nullptr)
      throw std::runtime_error("No policy found for override config, index: " + text);
    const std::string label = "policy " + std::to_string(number) + " (" + policy->name + ")";
    const std::string prefix = "policy:" + text + ":";
    out.policies[number] = policy_conf(
        [&](const char* name) { return options.find(prefix + name).value_or(options.text(name)); },
        label);
    warn_of_affinity(out.policies[number], label, log);
  }
}

void read_times(const Options& options, ProxyConf& out) {
  out.deadlines = {options.seconds("conn_timeout"), options.seconds("node_timeout")};
  out.recoverable_deadlines = out.deadlines;
  if (options.find("recoverable_node_timeout"))
    out.recoverable_deadlines.response = options.seconds("recoverable_node_timeout");
  out.post_quorum_timeout = options.seconds("post_quorum_timeout");
  out.error_suppression_interval = options.number("error_suppression_interval");
  out.error_suppression_limit = options.integer("error_suppression_limit");
  out.timing_expiry = options.number("timing_expiry");
  out.recheck_account = std::chrono::seconds(options.integer("recheck_account_existence"));
  out.recheck_container = std::chrono::seconds(options.integer("recheck_container_existence"));
  out.recheck_updating_shards =
      std::chrono::seconds(options.integer("recheck_updating_shard_ranges"));
  out.recheck_listing_shards =
      std::chrono::seconds(options.integer("recheck_listing_shard_ranges"));
  out.updating_shards_skip_cache =
      options.number("container_updating_shard_ranges_skip_cache_pct") / 100;
  out.listing_shards_skip_cache =
      options.number("container_listing_shard_ranges_skip_cache_pct") / 100;
}

void read_rules(const Options& options, const SwiftConf& cluster, ProxyConf& out) {
  out.account_autocreate = options.flag("account_autocreate");
  out.allow_account_management = options.flag("allow_account_management");
  out.max_containers = options.integer("max_containers_per_account");
  out.max_containers_whitelist = split_list(options.text("max_containers_whitelist"));
  out.deny_host_headers = split_list(options.text("deny_host_headers"));
  out.owner_headers = split_list(options.text("swift_owner_headers"));
  out.expirer_divisor = options.integer("expiring_objects_container_divisor");
  out.expirer_account = cluster.constraints.auto_create_account_prefix +
                        options.text("expiring_objects_account_name");
  out.cors_allow_origin = split_list(options.text("cors_allow_origin"));
  out.cors_expose_headers = split_list(options.text("cors_expose_headers"));
  out.strict_cors = options.flag("strict_cors_mode");
  out.expose_info = options.flag("expose_info");
  out.admin_key = options.text("admin_key");
  out.disallowed_sections = split_list(options.text("disallowed_sections"));
}

}  // namespace

ProxyConf read_proxy_conf(const Options& options, const SwiftConf& cluster, Logger& log) {
  ProxyConf out;
  read_times(options, out);
  read_rules(options, cluster, out);
  out.client_chunk_size = static_cast<std::size_t>(options.integer("client_chunk_size"));
  out.trans_id_suffix = options.text("trans_id_suffix");
  out.log_handoffs = options.flag("log_handoffs");
  out.request_node_count = node_count([&](const char* name) { return options.text(name); },
                                      "request_node_count", "(default)");
  read_policies(options, cluster, log, out);
  return out;
}

}  // namespace apus
