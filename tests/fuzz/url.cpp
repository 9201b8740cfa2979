// Percent-encoding and query strings: what is taken apart can be put together again.
#include <apus/text.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace apus;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (unquote(text).size() > size || unquote_plus(text).size() > size) std::abort();
  if (unquote(quote(text)) != text || unquote_plus(quote_plus(text)) != text) std::abort();
  const Query query(text);
  if (Query(query.encode()).pairs() != query.pairs()) std::abort();
  if (const auto path = split_api_path(text); path) {
    if (path->version.find('/') != std::string_view::npos || path->version.empty()) std::abort();
  }
  for (const std::string& piece : split_list(text)) {
    if (piece != trim(piece)) std::abort();
  }
  return 0;
}
