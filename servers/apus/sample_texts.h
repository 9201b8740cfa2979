// Samples of the files that are no server's conf.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace apus {

struct SampleText {
  std::string_view name;   ///< "swift.conf"
  std::string_view about;  ///< first comment line
  std::string_view body;
};

std::span<const SampleText> sample_texts();
/// The first comment lines of every sample.
std::string sample_head(std::string_view about, std::string_view name);
std::string sample_text(const SampleText& text);

}  // namespace apus
