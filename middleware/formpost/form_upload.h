// A form on its way: the fields so far, what they ask for, and whether they were signed.
#pragma once

#include <apus/message.h>
#include <apus/multipart.h>
#include <apus/signed_url.h>

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace apus::formpost {

/// A form that cannot be understood: 400.
class FormInvalid : public std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// A form that is not signed, or no longer good: 401.
class FormUnauthorized : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Fields by lower-case name.
class FormFields {
 public:
  void set(std::string_view name, std::string value);
  [[nodiscard]] bool has(std::string_view name) const;
  /// Empty when absent.
  [[nodiscard]] const std::string& get(std::string_view name) const;
  /// 0 when absent or empty. Throws FormInvalid "NAME not an integer" and `hint`.
  [[nodiscard]] std::int64_t integer(std::string_view name, std::string_view hint = {}) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

/// The name of the algorithm, when one of the keys signed the fields for `path` and they are still
/// good at `now`. Throws FormInvalid and FormUnauthorized.
std::string check_form(const FormFields& fields, std::string_view path,
                       const std::vector<ScopedKey>& keys, const AllowedDigests& digests,
                       double now);

/// The present part of a form as a body: fails (kTooLarge) past `limit` bytes.
class PartSource final : public Source {
 public:
  PartSource(MultipartReader& parts, std::uint64_t limit, bool& exceeded)
      : parts_(parts), left_(limit), exceeded_(exceeded) {}
  std::size_t read(std::span<char> out) override;

 private:
  MultipartReader& parts_;
  std::uint64_t left_;
  bool& exceeded_;
};

}  // namespace apus::formpost
