#include "servers/proxy/mime_types.h"

#include <apus/text.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

#include "servers/proxy/builtin_mime_types.h"

namespace apus {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;
constexpr std::array<Pair, 6> kShortForms = {{{".svgz", ".svg.gz"},
                                              {".tgz", ".tar.gz"},
                                              {".taz", ".tar.gz"},
                                              {".tz", ".tar.gz"},
                                              {".tbz2", ".tar.bz2"},
                                              {".txz", ".tar.xz"}}};
constexpr std::array<std::string_view, 5> kCodings = {".gz", ".Z", ".bz2", ".xz", ".br"};
constexpr std::array<const char*, 8> kFiles = {"/etc/mime.types",
                                               "/etc/httpd/mime.types",
                                               "/etc/httpd/conf/mime.types",
                                               "/etc/apache/mime.types",
                                               "/etc/apache2/mime.types",
                                               "/usr/local/etc/httpd/conf/mime.types",
                                               "/usr/local/lib/netscape/mime.types",
                                               "/usr/local/etc/mime.types"};

// Cuts off and returns the extension with its dot; leading dots of the last piece begin none.
std::string cut_extension(std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::size_t start = slash == std::string::npos ? 0 : slash + 1;
  const std::size_t dot = path.rfind('.');
  const std::size_t named = path.find_first_not_of('.', start);
  if (dot == std::string::npos || named == std::string::npos || dot < named) return "";
  std::string out = path.substr(dot);
  path.erase(dot);
  return out;
}

}  // namespace

MimeTypes::MimeTypes(const std::filesystem::path& swift_dir) {
  for (const auto& [extension, type] : kBuiltinMimeTypes) types_[std::string(extension)] = type;
  for (const char* file : kFiles) read(file);
  read(swift_dir / "mime.types");
}

void MimeTypes::read(const std::filesystem::path& file) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    std::replace(line.begin(), line.end(), '\t', ' ');
    std::vector<std::string> words = split_list(line, ' ');
    const auto comment = std::find_if(words.begin(), words.end(),
                                      [](const auto& word) { return word.starts_with('#'); });
    words.erase(comment, words.end());
    for (std::size_t i = 1; i < words.size(); ++i) types_["." + words[i]] = words[0];
  }
}

const std::string* MimeTypes::find(const std::string& extension) const {
  auto at = types_.find(extension);
  if (at == types_.end()) at = types_.find(lower(extension));
  return at == types_.end() ? nullptr : &at->second;
}

std::string MimeTypes::guess(std::string_view path) const {
  std::string base(path);
  std::string extension = cut_extension(base);
  for (const auto& [form, full] : kShortForms) {
    if (lower(extension) != form) continue;
    base += full;
    extension = cut_extension(base);
  }
  if (std::find(kCodings.begin(), kCodings.end(), extension) != kCodings.end())
    extension = cut_extension(base);
  const std::string* type = find(extension);
  return type != nullptr ? *type : std::string();
}

}  // namespace apus
