// The list of a bulk delete: the same names whatever way the bytes come, and not more than allowed.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

// The filter is a shared object of its own; its reader is compiled in here.
#include "middleware/bulk/deletion.cpp"
#include "middleware/bulk/report.cpp"
#include "middleware/bulk/work.cpp"
#include "tests/fuzz/pieces.h"

using namespace apus;
using namespace apus::bulk;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  DeleteLimits limits;
  limits.max_deletes = 20;
  limits.max_path = 40;
  std::vector<std::string> first;
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, size + 1}) {
    Request request("POST", "/v1/a");
    request.body = std::make_unique<fuzz::Pieces>(bytes, piece);
    Report report;
    const auto names = read_names(request, limits, report);
    if (names.size() > 20) std::abort();
    if (!report.status.empty() && !names.empty()) std::abort();
    for (const auto format : {ListingFormat::kJson, ListingFormat::kXml}) {
      report.errors.emplace_back(quote(bytes), "404 Not Found");
      if (report.text(format, "delete").empty()) std::abort();
    }
    if (piece == 1) first = names;
    if (report.status.empty() && !first.empty() && names != first) std::abort();
  }
  return 0;
}
