// name_check: refuses names with characters, lengths or pieces that the deployer does not want.
#include <apus/json.h>
#include <apus/pattern.h>
#include <apus/plugin.h>

#include <array>

namespace apus {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"forbidden_chars", OptionType::kText, "'\"`<>", "none of these in a path"},
    OptionSpec{"maximum_length", OptionType::kInt, "255", "bytes of a path", 0},
    OptionSpec{"forbidden_regexp", OptionType::kText, R"(/\./|/\.\./|/\.$|/\.\.$)",
               "no piece of a path that fits this; empty = no such check"},
};

std::optional<Pattern> pattern(const Options& options) {
  const std::string text = options.text("forbidden_regexp");
  return text.empty() ? std::nullopt : std::optional<Pattern>(text);
}

class NameCheckFilter final : public Filter {
 public:
  NameCheckFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        characters_(args.options.text("forbidden_chars")),
        longest_(args.options.integer("maximum_length")),
        expression_(args.options.text("forbidden_regexp")),
        pattern_(pattern(args.options)) {
    Json info;
    info.set("forbidden_chars", characters_);
    info.set("maximum_length", longest_);
    info.set("forbidden_regexp", expression_);
    args.host.info().set("name_check", info.dump());
  }

  Response operator()(Request& request) const override {
    const std::string& path = request.path;
    if (path.find_first_of(characters_) != std::string::npos)
      return refuse("contains forbidden chars from " + characters_);
    if (static_cast<std::int64_t>(path.size()) > longest_)
      return refuse("longer than the allowed maximum " + std::to_string(longest_));
    if (pattern_ && pattern_->found_in(path))
      return refuse("contains a forbidden substring from regular expression " + expression_);
    return next()(request);
  }

 private:
  static Response refuse(const std::string& why) {
    return Response(400, "Object/Container/Account name " + why, "text/html; charset=UTF-8");
  }

  std::string characters_;
  std::int64_t longest_;
  std::string expression_;
  std::optional<Pattern> pattern_;
};

}  // namespace

APUS_EXPORT_FILTER("name_check", "1.0", NameCheckFilter, kOptions)

}  // namespace apus
