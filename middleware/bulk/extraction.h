// The files of an archive, each put as an object while the archive streams in.
#pragma once

#include <apus/app.h>
#include <apus/archive.h>
#include <apus/message.h>
#include <apus/swift_conf.h>

#include <cstdint>
#include <set>
#include <string>

#include "middleware/bulk/work.h"

namespace apus::bulk {

struct ExtractLimits {
  std::int64_t max_containers = 10000;
  std::int64_t max_failures = 1000;
};

class Extraction final : public WorkSource {
 public:
  /// `request` with its body; `next` outlives the source. `refusal` as at
  /// Deletion.
  Extraction(Clock& clock, std::chrono::seconds pause, std::optional<ListingFormat> format,
             Request request, Compression compression, const ExtractLimits& limits,
             const Constraints& constraints, const App& next, const Report& refusal);
  ~Extraction() override;

 private:
  bool step() override;
  bool take(const ArchiveEntry& entry);
  bool put(const ArchiveEntry& entry, const std::string& path);
  int make_container(const std::string& container, std::string& reason);
  bool refuse(int status, std::string text);
  bool finish();
  void fail(const std::string& path, const std::string& status);
  Request subrequest(std::string method, std::string path) const;

  Request request_;
  std::string root_;  // "/v1/account/"
  std::string base_;  // "container/pre/fix", or empty
  ArchiveReader archive_;
  ExtractLimits limits_;
  Constraints constraints_;
  const App& next_;
  std::set<std::string> seen_;  // containers
  std::int64_t containers_made_ = 0;
  std::int64_t created_ = 0;
  bool back_end_failed_ = false;
  bool refused_ = false;
};

}  // namespace apus::bulk
