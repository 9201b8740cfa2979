// Bytes that nobody shall find in memory once they are done with.
#pragma once

#include <apus/abi.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace apus {

/// Overwrites the bytes, in a way that no compiler leaves out, and empties the string.
APUS_API void wipe(std::string& bytes);

/// A key or another secret, in memory of its own that is overwritten before it is given back. It
/// has no way into a stream or a log but through `bytes`. Not synchronised.
class APUS_API Secret {
 public:
  Secret();
  /// Takes the bytes; those of the caller's string are overwritten.
  explicit Secret(std::string&& bytes);
  Secret(const Secret&);
  Secret(Secret&&) noexcept;
  Secret& operator=(const Secret&);
  Secret& operator=(Secret&&) noexcept;
  ~Secret();

  [[nodiscard]] std::string_view bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

 private:
  std::string bytes_;
};

}  // namespace apus
