// `apus form-signature`: a signed HTML form for the filter formpost.
#include <apus/digest.h>
#include <apus/text.h>

#include <iostream>

#include "framework/host/real_time.h"
#include "servers/apus/operators/operators.h"

namespace apus {
namespace {

struct Form {
  std::string path;
  std::string redirect;
  std::int64_t max_file_size = 0;
  std::int64_t max_file_count = 0;
  std::int64_t expires = 0;
  std::string signature;
};

// /v1/account/container[/prefix]
bool names_container(const std::string& path) {
  const auto pieces = split_api_path(path, 3);
  return pieces && pieces->version == "v1";
}

Form sign(const std::vector<std::string>& words) {
  Form out{words[0], words[1], parse_int(words[2]).value_or(-1), parse_int(words[3]).value_or(0),
           0,        ""};
  if (out.max_file_size < 0)
    throw std::runtime_error("MAX_FILE_SIZE " + words[2] + ": a number from 0 is wanted");
  if (out.max_file_count < 1)
    throw std::runtime_error("MAX_FILE_COUNT " + words[3] + ": a number from 1 is wanted");
  const auto seconds = parse_int(words[4]);
  const auto now = static_cast<std::int64_t>(RealClock().now());
  constexpr std::int64_t kFar = 1'000'000'000'000;
  if (!seconds || *seconds < -now || *seconds > kFar || now + *seconds < 1)
    throw std::runtime_error("SECONDS " + words[4] + ": a number of seconds from now is wanted");
  out.expires = now + *seconds;
  if (!names_container(out.path))
    throw std::runtime_error("PATH " + out.path +
                             ": /v1/account/container or more is wanted, as "
                             "/v1/account/container/object_prefix");
  const std::string text = out.path + "\n" + out.redirect + "\n" +
                           std::to_string(out.max_file_size) + "\n" +
                           std::to_string(out.max_file_count) + "\n" + std::to_string(out.expires);
  out.signature = to_hex(hmac(DigestKind::kSha1, words[5], text));
  return out;
}

void print_hidden(const char* name, const std::string& value) {
  std::cout << "  <input type=\"hidden\" name=\"" << name << "\" value=\"" << value << "\" />\n";
}

int print_form(const Form& form) {
  std::cout << "  Expires: " << form.expires << "\nSignature: " << form.signature
            << "\n\nSample form:\n\n"
               "NOTE: the <form> tag's \"action\" attribute does not contain the Swift cluster's "
               "hostname.\nYou should manually add it before using the form.\n\n"
               "<form action=\""
            << form.path << "\" method=\"POST\" enctype=\"multipart/form-data\">\n";
  if (!form.redirect.empty()) print_hidden("redirect", form.redirect);
  print_hidden("max_file_size", std::to_string(form.max_file_size));
  print_hidden("max_file_count", std::to_string(form.max_file_count));
  print_hidden("expires", std::to_string(form.expires));
  print_hidden("signature", form.signature);
  std::cout << "  <!-- This signature allows for at most " << form.max_file_count
            << " files, -->\n  <!-- but it may also have any smaller number. -->\n"
               "  <!-- Remove file inputs as needed. -->\n";
  for (std::int64_t i = 0; i < form.max_file_count; ++i)
    std::cout << "  <input type=\"file\" name=\"file" << i << "\" />\n  <br />\n";
  std::cout << "  <input type=\"submit\" />\n</form>\n";
  return 0;
}

}  // namespace

Command add_form_signature(CLI::App& apus) {
  CLI::App* parser = apus.add_subcommand(
      "form-signature", "a signed HTML form by which a browser may upload into a container");
  // A number with a sign is no option here.
  parser->prefix_command();
  parser->footer(
      "Arguments: PATH REDIRECT MAX_FILE_SIZE MAX_FILE_COUNT SECONDS KEY\n"
      "PATH is /v1/account/container[/object_prefix], REDIRECT where the browser goes afterwards\n"
      "or '', KEY the account's or the container's Temp-URL-Key.");
  return {parser, [parser] {
            const std::vector<std::string> words = parser->remaining();
            if (words.size() != 6)
              throw std::runtime_error(std::to_string(words.size()) +
                                       " arguments; expected PATH REDIRECT MAX_FILE_SIZE "
                                       "MAX_FILE_COUNT SECONDS KEY");
            return print_form(sign(words));
          }};
}

}  // namespace apus
