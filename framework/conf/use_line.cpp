#include "framework/conf/use_line.h"

#include <apus/text.h>

#include <algorithm>
#include <filesystem>

#include "framework/conf/python_text.h"

namespace apus {
namespace {

using Kind = UseTarget::Kind;

// A scheme is letters before a colon.
std::string scheme_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0) return "";
  const std::string scheme = lower(text.substr(0, colon));
  const bool letters =
      std::all_of(scheme.begin(), scheme.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  return letters ? scheme : "";
}

UseTarget refused(const std::string& text, const std::string& why) {
  return {Kind::kRefused, text, "", "'" + text + "' " + why};
}

UseTarget egg(const std::string& text, const std::string& rest) {
  const std::size_t hash = rest.find('#');
  const std::string package(strip_blanks(lower(rest.substr(0, hash)), false));
  const std::string name(hash == std::string::npos ? ""
                                                   : strip_blanks(rest.substr(hash + 1), false));
  if (package == "paste" && name == "urlmap") return {Kind::kPlugin, "urlmap", "", ""};
  if (package == "keystonemiddleware" && name == "auth_token")
    return {Kind::kPlugin, "authtoken", "", ""};
  if (package != "swift" && package != "apus")
    return refused(text, "is of a Python package; only egg:swift#NAME and egg:apus#NAME are here");
  if (name.empty() || name.find('/') != std::string::npos)
    return refused(text, "names no plugin; expected egg:" + package + "#NAME");
  return {Kind::kPlugin, name, "", ""};
}

}  // namespace

UseTarget parse_use(const std::string& text, const std::string& here) {
  const std::string scheme = scheme_of(text);
  if (scheme.empty()) return {Kind::kSection, text, "", ""};
  const std::string rest = text.substr(scheme.size() + 1);
  if (scheme == "egg") return egg(text, rest);
  if (scheme == "so") {
    if (rest.empty()) return refused(text, "names no file; expected so:PATH");
    const std::filesystem::path path(rest);
    return {Kind::kPlugin, (path.is_relative() ? here / path : path).lexically_normal().string(),
            "", ""};
  }
  if (scheme == "config") {
    const std::size_t hash = rest.find('#');
    const std::string part = hash == std::string::npos ? "main" : rest.substr(hash + 1);
    return {Kind::kFile, unquote(rest.substr(0, hash)), part, ""};
  }
  if (scheme == "call")
    return refused(text, "names Python code, which Apus does not run; use egg:, so: or config:");
  return refused(text, "has an unknown scheme; egg:, so: and config: are known");
}

std::string plugin_of_factory(const std::string& factory) {
  if (factory.starts_with("keystonemiddleware.auth_token:")) return "authtoken";
  return "";
}

}  // namespace apus
