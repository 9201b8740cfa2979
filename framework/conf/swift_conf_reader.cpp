#include "framework/conf/swift_conf_reader.h"

#include <apus/text.h>

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>

#include "framework/conf/interpolation.h"
#include "framework/conf/nearest_name.h"
#include "framework/conf/yes_no.h"

namespace apus {
namespace {

constexpr std::array kPolicyOptions = {"name",
                                       "aliases",
                                       "default",
                                       "deprecated",
                                       "policy_type",
                                       "diskfile_module",
                                       "ec_type",
                                       "ec_num_data_fragments",
                                       "ec_num_parity_fragments",
                                       "ec_object_segment_size",
                                       "ec_duplication_factor"};

struct Limit {
  const char* name;
  std::int64_t Constraints::*member;
};
constexpr std::array kLimits = {
    Limit{"max_file_size", &Constraints::max_file_size},
    Limit{"max_meta_name_length", &Constraints::max_meta_name_length},
    Limit{"max_meta_value_length", &Constraints::max_meta_value_length},
    Limit{"max_meta_count", &Constraints::max_meta_count},
    Limit{"max_meta_overall_size", &Constraints::max_meta_overall_size},
    Limit{"max_header_size", &Constraints::max_header_size},
    Limit{"max_object_name_length", &Constraints::max_object_name_length},
    Limit{"container_listing_limit", &Constraints::container_listing_limit},
    Limit{"account_listing_limit", &Constraints::account_listing_limit},
    Limit{"max_account_name_length", &Constraints::max_account_name_length},
    Limit{"max_container_name_length", &Constraints::max_container_name_length},
    Limit{"extra_header_count", &Constraints::extra_header_count},
};

class Reader {
 public:
  Reader(const ConfFile& file, std::vector<ConfProblem>& problems)
      : file_(file), problems_(problems), values_(file, problems) {}

  SwiftConf run() {
    hash();
    policies();
    constraints();
    return out_;
  }

 private:
  void problem(const Origin& origin, const std::string& key, const std::string& message) {
    problems_.push_back({true, origin, key, message});
  }

  void warn_unknown(const ConfOption& option, const std::vector<std::string>& known) {
    const std::string near = nearest_name(option.name, known);
    problems_.push_back(
        {false, option.origin, option.name,
         "is not known here" + (near.empty() ? "" : "; did you mean " + near + "?")});
  }

  // A section's options over those of [DEFAULT], expanded.
  std::vector<ConfOption> options_of(const ConfSection& section) {
    ConfSection merged;
    for (const ConfSection* part : {file_.find("DEFAULT"), &section}) {
      if (part == nullptr) continue;
      for (const ConfOption& option : part->options) {
        merged.put({option.name, values_.expand(&section, option), option.origin});
      }
    }
    return merged.options;
  }

  bool yes(const ConfOption& option) {
    const std::string fault = yes_no_fault(option.value);
    if (!fault.empty()) problems_.push_back({false, option.origin, option.name, fault});
    return is_true(option.value);
  }

  void hash() {
    if (const ConfSection* section = file_.find("swift-hash")) {
      for (const ConfOption& option : options_of(*section)) {
        if (option.name == "swift_hash_path_prefix") {
          out_.hash_prefix = option.value;
        } else if (option.name == "swift_hash_path_suffix") {
          out_.hash_suffix = option.value;
        } else {
          warn_unknown(option, {"swift_hash_path_prefix", "swift_hash_path_suffix"});
        }
      }
    }
    if (out_.hash_prefix.empty() && out_.hash_suffix.empty()) {
      problem(
          {file_.path.string(), 0, "swift-hash"}, "swift_hash_path_suffix",
          "is empty, and so is swift_hash_path_prefix; one of them must hold the cluster's secret");
    }
  }

  void policies() {
    std::vector<StoragePolicy> found;
    for (const ConfSection& section : file_.sections) {
      if (section.name.starts_with("storage-policy:")) found.push_back(policy(section));
    }
    if (found.empty()) return;
    std::sort(found.begin(), found.end(),
              [](const auto& a, const auto& b) { return a.index < b.index; });
    check(found);
    out_.policies = std::move(found);
  }

  StoragePolicy policy(const ConfSection& section) {
    StoragePolicy out;
    const auto index = parse_digits(section.name.substr(section.name.find(':') + 1));
    if (!index || *index > 100000) {
      problem(section.origin, "", "expected [storage-policy:N] with a number from 0");
    }
    out.index = static_cast<int>(index.value_or(0));
    out.name = out.index == 0 ? "Policy-0" : "";
    out.is_default = false;
    for (const ConfOption& option : options_of(section)) policy_option(out, option);
    if (out.name.empty()) problem(section.origin, "name", "is required");
    if (out.is_default && out.deprecated)
      problem(section.origin, "default", "a deprecated policy cannot be the default");
    return out;
  }

  void policy_option(StoragePolicy& out, const ConfOption& option) {
    if (option.name == "name") {
      out.name = option.value;
      check_name(option, option.value);
    } else if (option.name == "aliases") {
      out.aliases = split_list(option.value);
      for (const std::string& alias : out.aliases) check_name(option, alias);
    } else if (option.name == "default") {
      out.is_default = yes(option);
    } else if (option.name == "deprecated") {
      out.deprecated = yes(option);
    } else if (option.name == "policy_type") {
      out.type = option.value;
      if (out.type != "replication" && out.type != "erasure_coding") {
        problem(option.origin, option.name,
                "'" + option.value + "' is not a type; replication or erasure_coding");
      } else if (out.type == "erasure_coding") {
        problems_.push_back({false, option.origin, option.name,
                             "erasure_coding is not served: requests for objects of this policy "
                             "are refused, other policies are served"});
      }
    } else if (std::find(kPolicyOptions.begin(), kPolicyOptions.end(), option.name) ==
               kPolicyOptions.end()) {
      const std::string near =
          nearest_name(option.name, {kPolicyOptions.begin(), kPolicyOptions.end()});
      problem(
          option.origin, option.name,
          "is not an option of a policy" + (near.empty() ? "" : "; did you mean " + near + "?"));
    }
  }

  void check_name(const ConfOption& option, const std::string& name) {
    const bool good = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    });
    if (!good) problem(option.origin, option.name, "'" + name + "': letters, digits and '-' only");
  }

  void check(std::vector<StoragePolicy>& found) {
    const Origin whole{file_.path.string(), 0, ""};
    std::set<std::string> names;
    std::set<int> indexes;
    int defaults = 0;
    int usable = 0;
    for (const StoragePolicy& policy : found) {
      std::vector<std::string> all = policy.aliases;
      all.push_back(policy.name);
      std::set<std::string> own;
      for (const std::string& name : all) own.insert(lower(name));
      for (const std::string& name : own) {
        if (!names.insert(name).second)
          problem(whole, "name", "'" + name + "' belongs to two policies");
      }
      if (!indexes.insert(policy.index).second)
        problem(whole, "", "two policies have index " + std::to_string(policy.index));
      if (policy.index != 0 && lower(policy.name) == "policy-0")
        problem(whole, "name", "Policy-0 is the name of index 0");
      defaults += policy.is_default ? 1 : 0;
      usable += policy.deprecated ? 0 : 1;
    }
    if (!indexes.contains(0))
      problem(whole, "", "a policy with index 0 is required when there are policies");
    if (usable == 0) problem(whole, "", "at least one policy must not be deprecated");
    if (defaults == 0 && found.size() == 1) {
      found.front().is_default = true;
    } else if (defaults != 1) {
      problem(whole, "default",
              "exactly one policy is the default; there are " + std::to_string(defaults));
    }
  }

  void constraints() {
    const ConfSection* section = file_.find("swift-constraints");
    if (section == nullptr) return;
    for (const ConfOption& option : options_of(*section)) {
      const auto limit = std::find_if(kLimits.begin(), kLimits.end(),
                                      [&](const Limit& l) { return option.name == l.name; });
      if (limit != kLimits.end()) {
        const auto value = parse_int(option.value);
        if (!value)
          problem(option.origin, option.name, "'" + option.value + "' is not a whole number");
        out_.constraints.*(limit->member) = value.value_or(out_.constraints.*(limit->member));
      } else if (option.name == "valid_api_versions") {
        out_.constraints.valid_api_versions = split_list(option.value);
      } else if (option.name == "auto_create_account_prefix") {
        out_.constraints.auto_create_account_prefix = option.value;
      } else {
        std::vector<std::string> known = {"valid_api_versions", "auto_create_account_prefix"};
        for (const Limit& other : kLimits) known.emplace_back(other.name);
        warn_unknown(option, known);
      }
    }
  }

  const ConfFile& file_;
  std::vector<ConfProblem>& problems_;
  Interpolation values_;
  SwiftConf out_;
};

}  // namespace

SwiftConf swift_conf_from(const ConfFile& file, std::vector<ConfProblem>& problems) {
  return Reader(file, problems).run();
}

SwiftConf read_swift_conf(const std::filesystem::path& folder, std::vector<ConfProblem>& problems) {
  const ConfFile file = read_conf(folder / "swift.conf", problems, ConfDialect::kSwiftConf);
  SwiftConf out = any_fatal(problems) ? SwiftConf() : swift_conf_from(file, problems);
  out.directory = folder.string();
  return out;
}

SwiftConf load_swift_conf(const std::filesystem::path& folder) {
  std::vector<ConfProblem> problems;
  SwiftConf out = read_swift_conf(folder, problems);
  std::string text;
  for (const ConfProblem& problem : problems) {
    if (problem.fatal) text += (text.empty() ? "" : "\n") + problem.text();
  }
  if (!text.empty()) throw std::runtime_error(text);
  return out;
}

}  // namespace apus
