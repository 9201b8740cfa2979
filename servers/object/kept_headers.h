// Which fields of a request are stored with an object, and which of an object are shown.
#pragma once

#include <apus/message.h>

#include <string>
#include <string_view>
#include <vector>

#include "framework/store/object/metadata.h"

namespace apus {

class KeptHeaders {
 public:
  /// `allowed`: names that the conf lets clients store besides X-Object-Meta-*.
  explicit KeptHeaders(const std::vector<std::string>& allowed);

  /// Copies what a PUT stores: user and system metadata, allowed fields, and those that
  /// X-Backend-Replication-Headers names.
  void copy_for_put(const Request& request, ObjectMetadata& to) const;
  /// Copies what a POST stores: as a PUT, but no X-Object-Sysmeta-*.
  void copy_for_post(const Request& request, ObjectMetadata& to) const;
  /// Copies an upload's footers: user and system metadata alone.
  static void copy_footers(const Headers& footers, ObjectMetadata& to);
  /// Fills an answer with an object's metadata, as far as it is told.
  void show(const ObjectMetadata& metadata, Response& to) const;

 private:
  void copy(const Request& request, ObjectMetadata& to, bool with_sysmeta) const;
  [[nodiscard]] bool is_allowed(std::string_view name) const;

  std::vector<std::string> allowed_;
};

bool is_user_metadata(std::string_view name);
bool is_system_metadata(std::string_view name);     ///< X-Object-Sysmeta-*
bool is_transient_metadata(std::string_view name);  ///< X-Object-Transient-Sysmeta-*

}  // namespace apus
