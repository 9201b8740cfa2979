#include "servers/apus/device_words.h"

#include <apus/json.h>
#include <apus/text.h>
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace apus {
namespace {

constexpr const char* kAddForm = "[r<region>]z<zone>-<ip>:<port>[R<ip>:<port>]/<device>[_<meta>]";
constexpr const char* kSearchForm =
    "d<id>r<region>z<zone>-<ip>:<port>R<ip>:<port>/<device>_<meta>, or a part of it";
constexpr const char* kChangeForm = "<ip>:<port>R<ip>:<port>/<device>_<meta>, or a part of it";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<std::string> as_ip(std::string_view text) {
  const std::string name = lower(text);
  std::array<unsigned char, 16> raw;
  if (::inet_pton(AF_INET, name.c_str(), raw.data()) == 1) return name;
  if (::inet_pton(AF_INET6, name.c_str(), raw.data()) != 1) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> out;
  return ::inet_ntop(AF_INET6, raw.data(), out.data(), out.size());
}

bool is_host_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(),
                     [](char c) { return is_digit(c) || c == '-' || (c >= 'a' && c <= 'z'); });
}

bool is_host_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > 255) return false;
  while (true) {
    const std::size_t dot = name.find('.');
    if (!is_host_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

// Takes a text apart from its front.
class Scanner {
 public:
  Scanner(std::string_view text, const char* form) : whole_(text), rest_(text), form_(form) {}

  [[noreturn]] void wrong() const {
    throw RingArgumentError("'" + std::string(whole_) + "': expected " + form_);
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  int number() {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_digit);
    const std::string_view digits(rest_.begin(), end);
    rest_.remove_prefix(digits.size());
    const auto value = parse_digits(digits);
    if (!value || *value > INT32_MAX) wrong();
    return static_cast<int>(*value);
  }
  std::optional<int> number_after(char c) {
    if (!take(c)) return std::nullopt;
    return number();
  }
  // A plain IPv4 address, or anything in brackets.
  std::optional<std::string> ip() {
    std::string_view found;
    if (take('[')) {
      const std::size_t end = rest_.find(']');
      if (end == std::string_view::npos) wrong();
      found = rest_.substr(0, end);
      rest_.remove_prefix(end + 1);
    } else {
      const auto end = std::find_if_not(rest_.begin(), rest_.end(),
                                        [](char c) { return is_digit(c) || c == '.'; });
      found = std::string_view(rest_.begin(), end);
      if (found.empty()) return std::nullopt;
      rest_.remove_prefix(found.size());
    }
    auto out = as_ip(found);
    if (!out) wrong();
    return out;
  }
  // Also IPv6 without brackets: up to the last colon before what follows.
  std::pair<std::string, int> address_and_port() {
    const std::size_t end = std::min(rest_.find_first_of("R/"), rest_.size());
    std::string_view address = rest_.substr(0, end);
    const std::size_t colon = address.rfind(':');
    if (colon == std::string_view::npos) wrong();
    const auto port = parse_digits(address.substr(colon + 1));
    std::string_view ip = address.substr(0, colon);
    if (ip.starts_with('[') && ip.ends_with(']')) ip = ip.substr(1, ip.size() - 2);
    const auto normal = as_ip(ip);
    if (!normal || !port || *port > 65535) wrong();
    rest_.remove_prefix(end);
    return {*normal, static_cast<int>(*port)};
  }
  // Up to the underline before the meta.
  std::string name() {
    const std::size_t end = std::min(rest_.find('_'), rest_.size());
    std::string out(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return out;
  }
  std::string all() {
    std::string out(rest_);
    rest_ = {};
    return out;
  }
  [[nodiscard]] bool done() const { return rest_.empty(); }

 private:
  std::string_view whole_;
  std::string_view rest_;
  const char* form_;
};

void parse_place(Scanner& words, DeviceFields& out) {
  out.ip = words.ip();
  out.port = words.number_after(':');
  if (words.take('R')) {
    out.replication_ip = words.ip();
    out.replication_port = words.number_after(':');
  }
  if (words.take('/')) out.device = words.name();
  if (words.take('_')) out.meta = words.all();
  if (!words.done()) words.wrong();
}

}  // namespace

bool DeviceFields::fit(const RingDevice& d) const {
  const auto same = [](const auto& wanted, const auto& value) {
    return !wanted || *wanted == value;
  };
  const auto same_ip = [](const std::optional<std::string>& wanted, const std::string& value) {
    return !wanted || *wanted == as_ip(value).value_or(lower(value));
  };
  return same(id, d.id) && same(region, d.region) && same(zone, d.zone) && same_ip(ip, d.ip) &&
         same(port, d.port) && same_ip(replication_ip, d.replication_ip) &&
         same(replication_port, d.replication_port) && same(device, d.device) &&
         same(weight, d.weight) && (!meta || d.meta.find(*meta) != std::string::npos);
}

void DeviceFields::change(RingDevice& d) const {
  if (ip) d.ip = *ip;
  if (port) d.port = *port;
  if (replication_ip) d.replication_ip = *replication_ip;
  if (replication_port) d.replication_port = *replication_port;
  if (device) d.device = *device;
  if (meta) d.meta = *meta;
}

RingDevice parse_added_device(std::string_view text, bool& region_given) {
  Scanner words(text, kAddForm);
  RingDevice out;
  const auto region = words.number_after('r');
  region_given = region.has_value();
  out.region = region.value_or(1);
  const auto zone = words.number_after('z');
  if (!zone || !words.take('-')) words.wrong();
  out.zone = *zone;
  std::tie(out.ip, out.port) = words.address_and_port();
  out.replication_ip = out.ip;
  out.replication_port = out.port;
  if (words.take('R'))
    std::tie(out.replication_ip, out.replication_port) = words.address_and_port();
  if (!words.take('/')) words.wrong();
  out.device = words.name();
  check_device_name(out.device, "'" + std::string(text) + "'");
  if (words.take('_')) out.meta = words.all();
  return out;
}

DeviceFields parse_search(std::string_view text) {
  Scanner words(text, kSearchForm);
  DeviceFields out;
  if (text.empty()) words.wrong();
  out.id = words.number_after('d');
  out.region = words.number_after('r');
  out.zone = words.number_after('z');
  (void)words.take('-');
  parse_place(words, out);
  return out;
}

DeviceFields parse_change(std::string_view text) {
  Scanner words(text, kChangeForm);
  DeviceFields out;
  if (text.empty()) words.wrong();
  parse_place(words, out);
  if (out.device) check_device_name(*out.device, "'" + std::string(text) + "'");
  return out;
}

std::string normal_ip(std::string_view text, const std::string& what) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  const auto ip = as_ip(text);
  if (!ip) throw RingArgumentError(what + " '" + std::string(text) + "': expected an IP address");
  return *ip;
}

std::string normal_address(std::string_view text, const std::string& what) {
  if (text.starts_with('[')) return normal_ip(text, what);
  if (const auto ip = as_ip(text)) return *ip;
  std::string name = lower(text);
  if (!is_host_name(name)) {
    throw RingArgumentError(what + " '" + std::string(text) +
                            "': expected an IP address or a host name");
  }
  return name;
}

int whole_number(std::string_view text, const std::string& what, int low, int high) {
  const auto value = parse_int(text);
  if (value && *value >= low && *value <= high) return static_cast<int>(*value);
  throw RingArgumentError(what + " '" + std::string(text) + "': expected a whole number" +
                          (high == INT32_MAX
                               ? ", " + std::to_string(low) + " or more"
                               : " from " + std::to_string(low) + " to " + std::to_string(high)));
}

double real_number(std::string_view text, const std::string& what, double low, double high) {
  double value = 0;
  std::string_view digits = trim(text);
  if (digits.starts_with('+')) digits.remove_prefix(1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc() && end == digits.data() + digits.size() && std::isfinite(value) &&
      value >= low && value <= high) {
    return value;
  }
  std::string range = ", " + Json(low).dump() + " or more";
  if (high < 1e9) range = " from " + Json(low).dump() + " to " + Json(high).dump();
  throw RingArgumentError(what + " '" + std::string(text) + "': expected a number" + range);
}

void check_device_name(std::string_view name, const std::string& what) {
  if (name.empty() || name.front() == ' ' || name.back() == ' ' ||
      name.find('/') != std::string_view::npos) {
    throw RingArgumentError(what + ": expected a device name without '/' and blanks at its ends");
  }
}

std::string shown_ip(const std::string& ip) {
  return ip.find(':') == std::string::npos ? ip : "[" + ip + "]";
}

std::string shown_number(double value) { return Json(value).dump(); }

std::string device_label(const RingDevice& d) {
  return "d" + std::to_string(d.id) + "r" + std::to_string(d.region) + "z" +
         std::to_string(d.zone) + "-" + shown_ip(d.ip) + ":" + std::to_string(d.port) + "R" +
         shown_ip(d.replication_ip) + ":" + std::to_string(d.replication_port) + "/" + d.device +
         "_\"" + d.meta + "\"";
}

}  // namespace apus
