// Many objects and containers deleted by one request.
#pragma once

#include <apus/app.h>
#include <apus/crew.h>
#include <apus/message.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "middleware/bulk/work.h"

namespace apus::bulk {

struct DeleteLimits {
  std::int64_t max_deletes = 10000;
  std::int64_t max_failures = 1000;
  std::size_t concurrency = 2;
  std::int64_t retries = 0;  ///< of a container that is not empty yet
  std::size_t max_path = 1282;
  const Crew* crew = nullptr;  ///< whose threads delete at once; outlives the limits
};

/// The names of a request's body, one a line, decoded. On failure `report` has
/// status and text, and the list is empty.
std::vector<std::string> read_names(Request& request, const DeleteLimits& limits, Report& report);

/// Deletes objects first, then containers.
class Deletion final : public WorkSource {
 public:
  /// `request` without its body; `next` outlives the source. `refusal` is a
  /// report that was made already (with a status), or an empty one.
  Deletion(Clock& clock, std::chrono::seconds pause, std::optional<ListingFormat> format,
           Request request, std::vector<std::string> names, const DeleteLimits& limits,
           const App& next, const Report& refusal);

 private:
  struct Outcome {
    int status = 0;
    std::string reason;
  };

  bool step() override;
  Outcome remove(const std::string& name) const;
  void count(const std::string& name, const Outcome& outcome);
  bool finish();

  Clock& clock_;
  Request request_;
  std::string root_;  // "/v1/account/"
  std::vector<std::string> names_;
  DeleteLimits limits_;
  const App& next_;
  std::size_t at_ = 0;
  std::int64_t deleted_ = 0;
  std::int64_t missing_ = 0;
  bool back_end_failed_ = false;
  bool refused_ = false;
};

}  // namespace apus::bulk
