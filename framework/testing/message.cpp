#include <apus/testing/message.h>

#include <algorithm>
#include <cstring>

namespace apus::testing {

Request make_request(std::string method, std::string_view target, Headers headers,
                     std::optional<std::string> body) {
  const std::size_t mark = std::min(target.find('?'), target.size());
  Request out(std::move(method), unquote(target.substr(0, mark)));
  out.raw_path = target.substr(0, mark);
  if (mark < target.size()) out.raw_query = target.substr(mark + 1);
  out.query = Query(out.raw_query);
  out.headers = std::move(headers);
  if (body) {
    out.content_length = body->size();
    out.body = std::make_unique<StringSource>(std::move(*body));
  }
  return out;
}

std::string body_of(Response& response) { return read_all(response.body.get(), 1U << 30U); }

PieceSource::PieceSource(std::string bytes, std::size_t piece,
                         std::optional<BodyError::Kind> failure)
    : bytes_(std::move(bytes)), piece_(piece), failure_(failure) {}
PieceSource::~PieceSource() = default;

std::size_t PieceSource::read(std::span<char> out) {
  std::size_t count = std::min(out.size(), bytes_.size() - at_);
  if (piece_ > 0) count = std::min(count, piece_);
  if (count == 0 && failure_) throw BodyError(*failure_, "the body fails here");
  std::memcpy(out.data(), bytes_.data() + at_, count);
  at_ += count;
  return count;
}

}  // namespace apus::testing
