#include "servers/proxy/client_body.h"

namespace apus {
namespace {

class Lent final : public Source {
 public:
  explicit Lent(ClientBody& owner) : owner_(owner) {}
  std::size_t read(std::span<char> out) override { return owner_.read(out); }

 private:
  ClientBody& owner_;
};

}  // namespace

std::size_t ClientBody::read(std::span<char> out) {
  touched_ = true;
  try {
    const std::size_t count = request_.body != nullptr ? request_.body->read(out) : 0;
    count_ += count;
    if (count_ > max_size_)
      throw BodyError(BodyError::Kind::kTooLarge, "the body is larger than objects may be");
    if (count == 0 && request_.content_length && count_ < *request_.content_length)
      throw BodyError(BodyError::Kind::kDisconnect, "the body is shorter than announced");
    return count;
  } catch (const BodyError& error) {
    failure_ = error.kind() == BodyError::Kind::kIo ? 499 : error.status();
    throw;
  }
}

std::unique_ptr<Source> ClientBody::lend() { return std::make_unique<Lent>(*this); }

}  // namespace apus
