#include "framework/transport/footer_envelope.h"

#include <apus/digest.h>
#include <apus/json.h>

namespace apus::http {
namespace {

// Header values are bytes; in the document each byte is the character of its number.
std::string as_characters(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0U | (byte >> 6U));
      out += static_cast<char>(0x80U | (byte & 0x3FU));
    }
  }
  return out;
}

}  // namespace

void FooterEnvelope::dress(Request& request) const {
  if (request.content_length) {
    request.internal.set("X-Backend-Obj-Content-Length", std::to_string(*request.content_length));
    request.content_length.reset();
  }
  request.chunked = true;
  request.internal.set("X-Backend-Obj-Multipart-Mime-Boundary", boundary_);
  request.internal.set("X-Backend-Obj-Metadata-Footer", "yes");
}

std::string FooterEnvelope::opening() const {
  return "--" + boundary_ + "\r\nX-Document: object body\r\n\r\n";
}

std::string FooterEnvelope::closing(const Headers& footers) const {
  Json::Object fields;
  for (const auto& [name, value] : footers) fields.emplace_back(name, as_characters(value));
  const std::string text = Json(std::move(fields)).dump();
  return "\r\n--" + boundary_ + "\r\nX-Document: object metadata\r\nContent-MD5: " + md5_hex(text) +
         "\r\n\r\n" + text + "\r\n--" + boundary_ + "--\r\n";
}

}  // namespace apus::http
