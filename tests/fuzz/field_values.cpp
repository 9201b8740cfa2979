// Values of headers and names in paths: pieces come out, and what is put together reads back.
#include <apus/constraints.h>
#include <apus/text.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "framework/backend/database_server.h"
#include "framework/store/db/object_row.h"

using namespace apus;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ParameterizedValue value = parse_parameterized(text);
  for (const auto& [name, parameter] : value.parameters) {
    if (name != lower(name) || parameter.size() > size) std::abort();
  }
  if (split_type(text).type.size() > 2 * size) std::abort();
  if (const auto name = parse_object_name(text)) {
    if (name->container.empty() || name->object.empty()) std::abort();
  }
  if (const auto pieces = split_reserved_name(text)) {
    for (const std::string& piece : *pieces) {
      if (piece.find('\0') != std::string::npos) std::abort();
    }
  }
  const auto digits = parse_digits(text);
  if (digits && (*digits < 0 || parse_int(text) != digits)) std::abort();
  if (python_repr(text).size() > 4 * size + 2) std::abort();
  (void)unquote_etag(text);

  if (const auto path = split_backend_path(text, 2, 5)) {
    if (path->device.empty() || path->device.find('/') != std::string_view::npos) std::abort();
    if (path->device == ".." || path->partition == "..") std::abort();
  }
  if (const auto endpoint = parse_endpoint(text)) {
    if (endpoint->port < 0 || endpoint->port > 65535) std::abort();
  }
  (void)parse_reserve(text);
  const std::string moment = internal_time(std::string(text));
  if (internal_time(moment) != moment) std::abort();
  (void)normal_time(moment);
  return 0;
}
