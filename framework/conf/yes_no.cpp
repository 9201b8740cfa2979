#include "framework/conf/yes_no.h"

#include <apus/text.h>

#include <algorithm>
#include <array>

namespace apus {

std::string yes_no_fault(std::string_view text) {
  static constexpr std::array<std::string_view, 9> kNo = {"false", "0",    "no",   "off", "f",
                                                          "n",     "none", "null", ""};
  const std::string word = lower(trim(text));
  if (is_true(word) || std::find(kNo.begin(), kNo.end(), word) != kNo.end()) return "";
  return "'" + std::string(text) +
         "' is taken for no; expected one of true, 1, yes, on, t, y, or false, 0, no, off, f, n";
}

}  // namespace apus
