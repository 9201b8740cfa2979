#include <apus/options.h>
#include <apus/text.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "framework/conf/nearest_name.h"
#include "framework/conf/yes_no.h"

namespace apus {
namespace {

bool matches(const OptionSpec& spec, std::string_view option) {
  const std::string_view name(spec.name);
  if (name.size() > 1 && name.starts_with('*')) return option.ends_with(name.substr(1));
  if (name.ends_with('*')) return option.starts_with(name.substr(0, name.size() - 1));
  return name == option;
}

std::optional<double> parse_number(std::string_view text) {
  text = trim(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string shown(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

// What is wrong with a value of that type, or nothing.
std::string fault(const OptionSpec& spec, const std::string& text) {
  std::optional<double> value;
  std::string wanted;
  if (spec.type == OptionType::kInt) {
    const auto whole = parse_int(text);
    if (whole) value = static_cast<double>(*whole);
    wanted = "a whole number";
  } else if (spec.type == OptionType::kNumber) {
    value = parse_number(text);
    wanted = "a number";
  } else {
    return "";
  }
  if (value && *value >= spec.min && *value <= spec.max) return "";
  if (spec.min > -9e18) wanted += ", at least " + shown(spec.min);
  if (spec.max < 9e18) wanted += ", at most " + shown(spec.max);
  return "'" + text + "' does not fit; expected " + wanted;
}

}  // namespace

Options::Options() = default;
Options::Options(std::string name, const OptionSpec* specs, std::size_t spec_count, Map values)
    : name_(std::move(name)), specs_(specs), spec_count_(spec_count), values_(std::move(values)) {}
Options::Options(const Options&) = default;
Options::Options(Options&&) noexcept = default;
Options& Options::operator=(const Options&) = default;
Options& Options::operator=(Options&&) noexcept = default;
Options::~Options() = default;

const OptionSpec* Options::spec(std::string_view option) const {
  const auto* end = specs_ + spec_count_;
  const auto* at =
      std::find_if(specs_, end, [&](const OptionSpec& s) { return matches(s, option); });
  return at == end ? nullptr : at;
}

std::optional<std::string> Options::find(std::string_view option) const {
  const auto at = values_.find(option);
  if (at != values_.end()) return at->second.text;
  const OptionSpec* known = spec(option);
  if (known != nullptr && known->fallback != nullptr) return known->fallback;
  return std::nullopt;
}

std::string Options::text(std::string_view option) const { return find(option).value_or(""); }
bool Options::flag(std::string_view option) const { return is_true(text(option)); }

std::int64_t Options::integer(std::string_view option) const {
  if (const auto value = parse_int(text(option))) return *value;
  const OptionSpec* known = spec(option);
  return known != nullptr && known->fallback != nullptr ? parse_int(known->fallback).value_or(0)
                                                        : 0;
}

double Options::number(std::string_view option) const {
  if (const auto value = parse_number(text(option))) return *value;
  const OptionSpec* known = spec(option);
  return known != nullptr && known->fallback != nullptr ? parse_number(known->fallback).value_or(0)
                                                        : 0;
}

std::chrono::milliseconds Options::seconds(std::string_view option) const {
  return std::chrono::milliseconds(static_cast<std::int64_t>(number(option) * 1000));
}

std::vector<std::string> Options::list(std::string_view option) const {
  std::string all = text(option);
  std::replace_if(
      all.begin(), all.end(), [](char c) { return c == ' ' || c == '\t' || c == '\n'; }, ',');
  return split_list(all);
}

Options::Map Options::family(std::string_view prefix) const {
  Map out;
  for (auto at = values_.lower_bound(prefix); at != values_.end() && at->first.starts_with(prefix);
       ++at) {
    out.insert(*at);
  }
  return out;
}

std::vector<Options::Problem> Options::check(const std::vector<std::string>& ambient) const {
  std::vector<Problem> out;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < spec_count_; ++i) {
    names.emplace_back(specs_[i].name);
    if (specs_[i].required && !values_.contains(std::string_view(specs_[i].name))) {
      out.push_back({true, {}, specs_[i].name, std::string("is required: ") + specs_[i].help});
    }
  }
  for (const auto& [name, value] : values_) {
    if (const OptionSpec* known = spec(name)) {
      const std::string wrong = fault(*known, value.text);
      if (!wrong.empty()) out.push_back({true, value.origin, name, wrong});
      if (known->type == OptionType::kBool && !yes_no_fault(value.text).empty())
        out.push_back({false, value.origin, name, yes_no_fault(value.text)});
      continue;
    }
    const bool shared = value.origin.section == "DEFAULT" ||
                        std::find(ambient.begin(), ambient.end(), name) != ambient.end();
    if (shared) continue;
    const std::string near = nearest_name(name, names);
    out.push_back({false, value.origin, name,
                   "is not known here" + (near.empty() ? "" : "; did you mean " + near + "?")});
  }
  return out;
}

}  // namespace apus
