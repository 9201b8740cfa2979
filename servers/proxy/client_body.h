// The client's body on its way to back ends: counted, bounded, its failures remembered.
#pragma once

#include <apus/message.h>
#include <apus/source.h>

#include <optional>

namespace apus {

class ClientBody {
 public:
  /// `request` outlives it. Bodies past `max_size` fail with kTooLarge.
  ClientBody(Request& request, std::uint64_t max_size) : request_(request), max_size_(max_size) {}

  /// As Source::read; a body shorter than announced fails with kDisconnect.
  std::size_t read(std::span<char> out);
  /// A Source that reads from here; it may be dropped without harm.
  std::unique_ptr<Source> lend();

  [[nodiscard]] bool touched() const { return touched_; }
  /// The status that tells the client of its failure: 408, 413, 499, 400; nothing when it is well.
  [[nodiscard]] std::optional<int> failure() const { return failure_; }

 private:
  Request& request_;
  std::uint64_t max_size_;
  std::uint64_t count_ = 0;
  bool touched_ = false;
  std::optional<int> failure_;
};

}  // namespace apus
