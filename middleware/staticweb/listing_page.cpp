#include "middleware/staticweb/listing_page.h"

#include <apus/text.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace apus::staticweb {
namespace {

constexpr std::string_view kDocument =
    "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\" "
    "\"http://www.w3.org/TR/html4/loose.dtd\">\n<html>\n";

std::string css_path(const Settings& settings, std::string_view prefix) {
  const std::string& css = settings.listings_css;
  if (css.starts_with('/') || css.starts_with("http://") || css.starts_with("https://"))
    return quote(css, ":/");
  std::string out;
  for (auto up = std::count(prefix.begin(), prefix.end(), '/'); up > 0; --up) out += "../";
  return out + quote(css);
}

// A stylesheet's link, or `own`.
std::string style(const Settings& settings, std::string_view prefix, std::string_view own) {
  if (!settings.listings_css.empty())
    return "  <link rel=\"stylesheet\" type=\"text/css\" href=\"" + css_path(settings, prefix) +
           "\" />\n";
  return std::string(
             "  <style type=\"text/css\">\n"
             "   h1 {font-size: 1em; font-weight: bold;}\n")
      .append(own)
      .append("  </style>\n");
}

std::string row_of(const std::string& kind, const std::string& target, const std::string& shown,
                   const std::string& size, const std::string& date) {
  return "   <tr class=\"item " + kind + "\">\n    <td class=\"colname\"><a href=\"" + target +
         "\">" + shown + "</a></td>\n    <td class=\"colsize\">" + size +
         "</td>\n    <td class=\"coldate\">" + date + "</td>\n   </tr>\n";
}

// "type-text type-html" of "text/html".
std::string classes(std::string_view type) {
  std::string out;
  while (true) {
    const std::size_t slash = type.find('/');
    out.append(out.empty() ? "" : " ").append("type-").append(escape(lower(type.substr(0, slash))));
    if (slash == std::string_view::npos) return out;
    type.remove_prefix(slash + 1);
  }
}

std::string object_row(const Json& row, std::size_t skip, const std::string& link) {
  const std::string name = row.text_at("name").substr(skip);
  std::string date = escape(row.text_at("last_modified"));
  date = date.substr(0, date.find('.'));
  std::replace(date.begin(), date.end(), 'T', ' ');
  return row_of(classes(row.text_at("content_type")), quote(name) + link, escape(name),
                human_readable(row.integer_at("bytes")), date);
}

// Whether the row's name goes on behind the prefix, as a listing's must.
bool is_below(const std::string& name, std::string_view prefix) { return name.starts_with(prefix); }

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#x27;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string label_of(const Settings& settings, std::string_view path) {
  if (settings.listings_label.empty()) return std::string(path);
  const auto whole = split_api_path(path, 3);
  return settings.listings_label + "/" + std::string(whole ? whole->object : std::string_view());
}

std::string human_readable(std::int64_t bytes) {
  static constexpr std::string_view kUnits = "KMGTPEZY";
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit < kUnits.size(); ++unit) value = std::nearbyint(value / 1024);
  const std::string number = std::to_string(static_cast<std::int64_t>(value));
  return unit == 0 ? number : number + kUnits[unit - 1] + "i";
}

std::string disabled_page(const Settings& settings, std::string_view label,
                          std::string_view prefix) {
  std::string page(kDocument);
  page += "<head>\n<title>Listing of " + escape(label) + "</title>\n" +
          style(settings, prefix, "   p {font-size: 2}\n") +
          "</head>\n<body>  <h1>Web Listing Disabled</h1>   <p>The owner of this web site has "
          "disabled web listing.   <p>If you are the owner of this web site, you can enable   web "
          "listing by setting X-Container-Meta-Web-Listings.</p>";
  if (!settings.index.empty())
    page +=
        "<h1>Index File Not Found</h1> <p>The owner of this web site has set  "
        "<b>X-Container-Meta-Web-Index: " +
        escape(settings.index) + "</b>.  However, this file is not found.</p>";
  return page + " </body>\n</html>\n";
}

std::string listing_page(const Settings& settings, std::string_view label, std::string_view prefix,
                         const Json::Array& rows, const std::string& link, bool parent) {
  const std::string title = escape(label);
  std::string page(kDocument);
  page += " <head>\n  <title>Listing of " + title + "</title>\n" +
          style(settings, prefix,
                "   th {text-align: left; padding: 0px 1em 0px 1em;}\n"
                "   td {padding: 0px 1em 0px 1em;}\n"
                "   a {text-decoration: none;}\n") +
          " </head>\n <body>\n  <h1 id=\"title\">Listing of " + title +
          "</h1>\n  <table id=\"listing\">\n   <tr id=\"heading\">\n"
          "    <th class=\"colname\">Name</th>\n    <th class=\"colsize\">Size</th>\n"
          "    <th class=\"coldate\">Date</th>\n   </tr>\n";
  if (parent)
    page += "   <tr id=\"parent\" class=\"item\">\n    <td class=\"colname\"><a href=\"../" + link +
            "\">../</a></td>\n    <td class=\"colsize\">&nbsp;</td>\n"
            "    <td class=\"coldate\">&nbsp;</td>\n   </tr>\n";
  for (const Json& row : rows) {
    const std::string name = row.text_at("subdir");
    if (name.empty() || !is_below(name, prefix)) continue;
    const std::string below = name.substr(prefix.size());
    page += row_of("subdir", quote(below) + link, escape(below), "&nbsp;", "&nbsp;");
  }
  for (const Json& row : rows) {
    const std::string name = row.text_at("name");
    if (!name.empty() && is_below(name, prefix)) page += object_row(row, prefix.size(), link);
  }
  return page + "  </table>\n </body>\n</html>\n";
}

}  // namespace apus::staticweb
