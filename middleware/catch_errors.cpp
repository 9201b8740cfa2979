// catch_errors: names the transaction, and turns what nobody caught into a 500. That a body is as
// long as it was announced, the host sees to.
#include <apus/plugin.h>

#include <array>
#include <charconv>

namespace apus {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"trans_id_suffix", OptionType::kText, "", "goes at the end of transaction ids"},
};
constexpr std::size_t kLongestExtra = 32;

class CatchErrorsFilter final : public Filter {
 public:
  CatchErrorsFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        host_(args.host),
        log_(args.host.logger(args.options)),
        suffix_(quote(args.options.text("trans_id_suffix"))) {}

  Response operator()(Request& request) const override {
    const std::string id = new_id(request);
    request.context.trans_id = id;
    Response out;
    try {
      out = next()(request);
    } catch (const BodyError&) {
      throw;  // the client's own doing: the host has the status for it
    } catch (const std::exception& error) {
      log_.error("Error: " + std::string(error.what()), id);
      out = Response(500, "An error occurred");
    }
    out.headers.set("X-Trans-Id", id);
    out.headers.set("X-Openstack-Request-Id", id);
    return out;
  }

 private:
  std::string new_id(const Request& request) const {
    std::array<char, 16> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(),
                                   static_cast<std::uint64_t>(host_.clock().now()), 16)
                         .ptr;
    const auto size = static_cast<std::size_t>(end - digits.data());
    std::string out = "tx" + host_.entropy().hex(11).substr(0, 21) + "-";
    if (size < 10) out.append(10 - size, '0');
    out.append(digits.data(), size).append(suffix_);
    const std::string_view extra = request.headers.get("X-Trans-Id-Extra");
    if (!extra.empty()) out += "-" + quote(extra.substr(0, kLongestExtra));
    return out;
  }

  Host& host_;
  Logger& log_;
  std::string suffix_;
};

}  // namespace

APUS_EXPORT_FILTER("catch_errors", "1.0", CatchErrorsFilter, kOptions)

}  // namespace apus
