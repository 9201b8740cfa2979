#include "servers/proxy/resuming_body.h"

#include <apus/conditional.h>

#include <algorithm>
#include <cstring>
#include <deque>

#include "servers/proxy/multipart_parts.h"

namespace apus {
namespace {

// The bytes of one entity that a client waits for, whatever nodes they come from.
class Parts {
 public:
  Parts(Reader reader, const RingNode& node) : reader_(std::move(reader)), node_(node) {}

  void take(Response answer) {
    parts_.reset();
    plain_.reset();
    pending_.reset();
    all_ = answer.status == 200;
    const std::string type(answer.headers.get("Content-Type"));
    if (const auto boundary = multipart_boundary(type); boundary && answer.status == 206) {
      parts_.emplace(std::move(answer.body), *boundary);
      return;
    }
    plain_ = std::move(answer.body);
    const auto range = parse_content_range(answer.headers.get("Content-Range"));
    if (answer.status == 206 && range) {
      pending_ = MultipartParts::Part{*range, type};
    } else if (answer.status == 200 && answer.content_length.value_or(0) > 0) {
      const std::uint64_t length = *answer.content_length;
      pending_ = MultipartParts::Part{{{0, length - 1}, length}, type};
    }
  }

  // The next part; nothing after the last.
  std::optional<MultipartParts::Part> next() {
    if (planned_ && wanted_.empty()) return std::nullopt;  // a last boundary tells nothing new
    auto out = guarded([&] { return expected_here(); });
    if (!out) return out;
    if (first_) learn(*out);
    first_ = false;
    left_ = out->at.range;
    whole_ = false;
    return out;
  }

  // Bytes of the part; 0 when it was read whole.
  std::size_t read(std::span<char> out) {
    if (whole_) return 0;
    const std::size_t count = guarded([&] { return read_here(out); });
    if (count == left_.length()) {
      whole_ = true;
      if (planned_) wanted_.pop_front();
    } else {
      left_.first += count;
    }
    return count;
  }

 private:
  std::optional<MultipartParts::Part> next_here() {
    if (parts_) return parts_->next();
    auto out = std::move(pending_);
    pending_.reset();
    return out;
  }

  std::optional<MultipartParts::Part> expected_here() {
    auto out = next_here();
    if (out && planned_ && out->at.range != wanted_.front())
      throw BodyError(BodyError::Kind::kIo, "a part that was not asked for");
    return out;
  }

  std::size_t read_here(std::span<char> out) {
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left_.length())));
    const std::size_t count = parts_ ? parts_->read(out) : plain_->read(out);
    if (count == 0) throw BodyError(BodyError::Kind::kIo, "the body ends too early");
    return count;
  }

  // All ranges the client is to get, once the entity's length is known.
  void learn(const MultipartParts::Part& first) {
    length_ = first.at.length;
    wanted_.assign(1, first.at.range);
    planned_ = !parts_;
    if (planned_) return;
    const auto asked = parse_range(reader_.request().headers.get("Range"), length_);
    planned_ = asked && asked->size() > 1 && asked->front() == first.at.range;
    if (planned_) wanted_.assign(asked->begin(), asked->end());
  }

  // Does it, with node after node.
  template <typename Step>
  auto guarded(Step step) -> decltype(step()) {
    while (true) {
      try {
        return step();
      } catch (const BodyError& error) {
        if (!(first_ ? start_again() : go_on())) {
          reader_.services().limiter().exception(*node_.device, reader_.type(),
                                                 "Trying to read during GET", error.what(),
                                                 reader_.request().context.trans_id);
          throw;
        }
      }
    }
  }

  [[nodiscard]] std::string missing() const {
    std::string out;
    bool rest = !whole_;  // the first of them is under way
    for (const ByteRange& range : wanted_) {
      const std::uint64_t from = rest ? left_.first : range.first;
      rest = false;
      out +=
          (out.empty() ? "bytes=" : ",") + std::to_string(from) + "-" + std::to_string(range.last);
    }
    return out;
  }

  // Before the first part's head nothing of the entity is out: any other node's answer will do.
  bool start_again() {
    if (!parts_) return false;
    auto found = reader_.find();
    if (!found || found->response.body == nullptr) return false;
    tell_of_retry();
    node_ = found->node;
    take(std::move(found->response));
    return parts_.has_value();
  }

  void tell_of_retry() {
    reader_.services().limiter().error(*node_.device, "Trying to read object during GET (retrying)",
                                       reader_.request().context.trans_id);
  }

  // Another node with the same entity, standing where this one broke off.
  bool go_on() {
    while (planned_ && !wanted_.empty()) {
      auto found = reader_.find_rest(missing());
      if (!found) return false;
      tell_of_retry();
      node_ = found->node;
      try {
        take(std::move(found->response));
        if (whole_ || stands_right()) return true;
      } catch (const BodyError&) {
        continue;
      }
    }
    return false;
  }

  // The new answer's first part is the rest of the one under way.
  bool stands_right() {
    const auto part = next_here();
    if (!part || part->at.length != length_) return false;
    if (part->at.range == left_) return true;
    // All of it where a range was asked for: what is known of it is skipped.
    return all_ && wanted_.size() == 1 && left_.last + 1 == length_ && skip(left_.first);
  }

  bool skip(std::uint64_t count) {
    std::string dropped(65536, '\0');
    while (count > 0) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(dropped.size(), count));
      const std::size_t got = plain_->read(std::span(dropped).first(wanted));
      if (got == 0) return false;
      count -= got;
    }
    return true;
  }

  Reader reader_;
  RingNode node_;
  std::unique_ptr<Source> plain_;
  std::optional<MultipartParts> parts_;
  std::optional<MultipartParts::Part> pending_;  // of a plain body, not handed out yet
  std::deque<ByteRange> wanted_;                 // the one under way and those behind it
  ByteRange left_;                               // of the one under way
  std::uint64_t length_ = 0;                     // of the entity
  bool all_ = false;                             // the answer is a 200
  bool first_ = true;
  bool planned_ = false;  // `wanted_` is known
  bool whole_ = true;
};

// One range: its bytes.
class PlainBody final : public Source {
 public:
  explicit PlainBody(Parts parts) : parts_(std::move(parts)) {}
  std::size_t read(std::span<char> out) override {
    if (!begun_ && !parts_.next()) return 0;
    begun_ = true;
    return parts_.read(out);
  }

 private:
  Parts parts_;
  bool begun_ = false;
};

// Several: each behind its head, as the first node framed them.
class MultipartBody final : public Source {
 public:
  /// `length` is what was announced, when it was.
  MultipartBody(Parts parts, std::string boundary, std::optional<std::uint64_t> length)
      : parts_(std::move(parts)), boundary_(std::move(boundary)), length_(length) {}

  std::size_t read(std::span<char> out) override {
    const std::size_t count = read_any(out);
    sent_ += count;
    if (length_ && (sent_ > *length_ || (count == 0 && sent_ < *length_)))
      throw BodyError(BodyError::Kind::kIo, "parts do not add up to the announced length");
    return count;
  }

 private:
  std::size_t read_any(std::span<char> out) {
    while (true) {
      if (at_ < framing_.size()) {
        const std::size_t count = std::min(out.size(), framing_.size() - at_);
        std::memcpy(out.data(), framing_.data() + at_, count);
        at_ += count;
        return count;
      }
      if (ended_) return 0;
      if (const std::size_t count = begun_ ? parts_.read(out) : 0) return count;
      frame_next();
    }
  }

  void frame_next() {
    const auto part = parts_.next();
    framing_ = begun_ ? "\r\n--" : "--";
    framing_ += boundary_;
    at_ = 0;
    begun_ = true;
    if (!part) {
      framing_ += "--";
      ended_ = true;
      return;
    }
    framing_.append("\r\nContent-Type: ").append(part->content_type);
    framing_.append("\r\nContent-Range: bytes ").append(std::to_string(part->at.range.first));
    framing_.append("-").append(std::to_string(part->at.range.last)).append("/");
    framing_.append(std::to_string(part->at.length)).append("\r\n\r\n");
  }

  Parts parts_;
  std::string boundary_;
  std::optional<std::uint64_t> length_;
  std::uint64_t sent_ = 0;
  std::string framing_;
  std::size_t at_ = 0;
  bool begun_ = false;
  bool ended_ = false;
};

}  // namespace

Response resuming(Reader reader, Response answer, const RingNode& node) {
  const auto boundary = multipart_boundary(answer.headers.get("Content-Type"));
  const bool multipart = boundary && answer.status == 206;
  const bool ranged = parse_content_range(answer.headers.get("Content-Range")).has_value();
  // Without a length nobody can tell where another node would go on.
  if (!multipart && !ranged && (answer.status == 206 || !answer.content_length)) return answer;
  Response out;
  out.status = answer.status;
  out.headers = answer.headers;
  out.internal = answer.internal;
  out.content_length = answer.content_length;
  Parts parts(std::move(reader), node);
  parts.take(std::move(answer));
  if (multipart) {
    out.body = std::make_unique<MultipartBody>(std::move(parts), *boundary, out.content_length);
  } else {
    out.body = std::make_unique<PlainBody>(std::move(parts));
  }
  return out;
}

}  // namespace apus
