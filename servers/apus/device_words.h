// Devices as an operator writes them: r1z2-10.0.0.1:6200R10.1.0.1:6200/sdb_meta.
#pragma once

#include <apus/ring.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace apus {

/// An argument that does not fit: what() names it and says what would.
class RingArgumentError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// What devices are looked for by, or what is changed of them: what is set.
struct DeviceFields {
  std::optional<int> id;
  std::optional<int> region;
  std::optional<int> zone;
  std::optional<std::string> ip;
  std::optional<int> port;
  std::optional<std::string> replication_ip;
  std::optional<int> replication_port;
  std::optional<std::string> device;
  std::optional<double> weight;
  std::optional<std::string> meta;  ///< a part of the device's meta

  [[nodiscard]] bool fit(const RingDevice& device) const;
  /// Takes over ip to meta, but for what is a search's alone (id, region, zone, weight).
  void change(RingDevice& device) const;
};

/// `[r<region>]z<zone>-<ip>:<port>[R<ip>:<port>]/<device>[_<meta>]`. Without region it is 1, and
/// `region_given` false. All these throw RingArgumentError.
RingDevice parse_added_device(std::string_view text, bool& region_given);
/// `d<id>r<region>z<zone>-<ip>:<port>R<ip>:<port>/<device>_<meta>`, any part.
DeviceFields parse_search(std::string_view text);
/// `<ip>:<port>R<ip>:<port>/<device>_<meta>`, any part.
DeviceFields parse_change(std::string_view text);

/// In lower case; IPv6 in its shortest form, without brackets. `what` names the argument.
std::string normal_ip(std::string_view text, const std::string& what);
/// The same, or a host's name.
std::string normal_address(std::string_view text, const std::string& what);
/// `text` (of argument `what`) as a number in that range.
int whole_number(std::string_view text, const std::string& what, int low, int high);
double real_number(std::string_view text, const std::string& what, double low, double high);
/// Throws unless it can be a device's folder.
void check_device_name(std::string_view name, const std::string& what);

/// d0r1z2-10.0.0.1:6200R10.0.0.1:6200/sdb_"meta"
std::string device_label(const RingDevice& device);
/// With brackets around IPv6.
std::string shown_ip(const std::string& ip);
/// As Python shows a float: 100.0
std::string shown_number(double value);

}  // namespace apus
