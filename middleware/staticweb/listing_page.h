// The HTML of staticweb's listings.
#pragma once

#include <apus/json.h>

#include <string>
#include <string_view>

namespace apus::staticweb {

/// What a container's metadata says of its pages. Texts are trimmed; empty = not set.
struct Settings {
  std::string index;
  std::string error;
  std::string listings;
  std::string listings_css;
  std::string listings_label;
  std::string directory_type;
};

/// Text inside HTML: & < > " ' replaced.
std::string escape(std::string_view text);

/// The title of a listing of `path` ("/v1/a/c/prefix/").
std::string label_of(const Settings& settings, std::string_view path);

/// "1536" or "2Ki": the bytes, rounded at every step as Swift does.
std::string human_readable(std::int64_t bytes);

/// Instead of a listing, where the owner wants none.
std::string disabled_page(const Settings& settings, std::string_view label,
                          std::string_view prefix);

/// `rows` is the container's JSON listing below `prefix`. `link` ("?temp_url_...", escaped) goes
/// behind every target; `parent` offers the way up.
std::string listing_page(const Settings& settings, std::string_view label, std::string_view prefix,
                         const Json::Array& rows, const std::string& link, bool parent);

}  // namespace apus::staticweb
