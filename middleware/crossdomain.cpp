// crossdomain: GET /crossdomain.xml tells old browser plugins which sites may come here.
#include <apus/plugin.h>

#include <array>

namespace apus {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"cross_domain_policy", OptionType::kText,
               "<allow-access-from domain=\"*\" secure=\"false\" />",
               "what stands inside <cross-domain-policy>"},
};

class CrossdomainFilter final : public Filter {
 public:
  CrossdomainFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        page_(
            "<?xml version=\"1.0\"?>\n"
            "<!DOCTYPE cross-domain-policy SYSTEM "
            "\"http://www.adobe.com/xml/dtds/cross-domain-policy.dtd\" >\n"
            "<cross-domain-policy>\n" +
            args.options.text("cross_domain_policy") + "\n</cross-domain-policy>") {
    args.host.info().set("crossdomain", "{}");
  }

  Response operator()(Request& request) const override {
    if (request.path != "/crossdomain.xml" || request.method != "GET") return next()(request);
    return Response(200, page_, "application/xml");
  }

 private:
  std::string page_;
};

}  // namespace

APUS_EXPORT_FILTER("crossdomain", "1.0", CrossdomainFilter, kOptions)

}  // namespace apus
