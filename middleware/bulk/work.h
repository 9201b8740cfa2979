// A body that is made while it is read: long work that tells from time to time
// that it goes on.
#pragma once

#include <apus/host.h>
#include <apus/listing.h>
#include <apus/source.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "middleware/bulk/report.h"

namespace apus::bulk {

/// Works step by step; every `pause` it gives a blank (XML: the declaration
/// first) so that nobody between here and the client loses patience. The report
/// comes last.
class WorkSource : public Source {
 public:
  WorkSource(Clock& clock, std::chrono::seconds pause, std::optional<ListingFormat> format,
             std::string_view root);
  ~WorkSource() override;
  std::size_t read(std::span<char> out) override;

 protected:
  /// One piece of the work; false when it is done. What it throws ends the
  /// body.
  virtual bool step() = 0;

  Report report;

 private:
  Clock& clock_;
  std::chrono::seconds pause_;
  std::optional<ListingFormat> format_;
  std::string root_;
  Clock::Steady last_;
  std::string ready_;
  bool told_ = false;  // something went out before the report
  bool done_ = false;
};

}  // namespace apus::bulk
