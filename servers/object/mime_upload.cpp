#include "servers/object/mime_upload.h"

#include <apus/digest.h>
#include <apus/json.h>

#include "framework/backend/backend.h"

namespace apus {
namespace {

constexpr std::size_t kMaxFooter = 1U << 20U;

class Part final : public Source {
 public:
  explicit Part(MimeReader& reader) : reader_(reader) {}
  std::size_t read(std::span<char> out) override { return reader_.read(out); }

 private:
  MimeReader& reader_;
};

Headers parse_footer(const Headers& head, const std::string& text) {
  const std::string_view digest = head.get("Content-MD5");
  if (digest.empty()) throw MimeUpload::Refused{400, "no Content-MD5 in footer"};
  if (digest != md5_hex(text)) throw MimeUpload::Refused{422, "footer MD5 mismatch"};
  const auto json = Json::parse(text);
  if (!json || json->object() == nullptr)
    throw MimeUpload::Refused{400, "invalid JSON for footer doc"};
  Headers out;
  for (const auto& [name, value] : *json->object()) {
    if (const auto text_value = value.text()) out.set(name, std::string(*text_value));
  }
  return out;
}

}  // namespace

MimeUpload::MimeUpload(Source& body, const std::string& boundary, bool footer, bool two_phases)
    : body_(&body),
      reader_(std::make_unique<MimeReader>(body, boundary)),
      object_(std::make_unique<Part>(*reader_)),
      footer_(footer),
      two_phases_(two_phases) {}

MimeUpload::MimeUpload(MimeUpload&&) noexcept = default;
MimeUpload::~MimeUpload() = default;

std::optional<MimeUpload> MimeUpload::of(Request& request) {
  const bool two_phases = is_true(fact(request, "X-Backend-Obj-Multiphase-Commit"));
  const bool footer = is_true(fact(request, "X-Backend-Obj-Metadata-Footer"));
  if (!two_phases && !footer) return std::nullopt;
  Headers understood;
  if (two_phases) understood.set("X-Obj-Multiphase-Commit", "yes");
  if (footer) understood.set("X-Obj-Metadata-Footer", "yes");
  request.body->continue_with(understood);
  const std::string boundary(fact(request, "X-Backend-Obj-Multipart-Mime-Boundary"));
  if (boundary.empty()) throw Refused{400, "no MIME boundary"};
  MimeUpload out(*request.body, boundary, footer, two_phases);
  if (!out.reader_->next()) throw Refused{400, "invalid starting boundary"};
  return out;
}

Headers MimeUpload::footers() {
  if (!footer_) return {};
  const auto head = reader_->next();
  if (!head) throw Refused{400, "couldn't find footer MIME doc"};
  Part part(*reader_);
  return parse_footer(*head, read_all(&part, kMaxFooter));
}

void MimeUpload::finish() {
  if (two_phases_) {
    // The parts go on in a second body of the same request.
    drain(body_, 1);
    body_->next_body();
    const auto head = reader_->next();
    if (!head) throw Refused{400, "couldn't find PUT commit MIME doc"};
    if (head->get("X-Document") != "put commit") throw Refused{500, "no PUT commit"};
  }
  while (reader_->next()) {
  }
  drain(body_, UINT64_MAX);
}

}  // namespace apus
