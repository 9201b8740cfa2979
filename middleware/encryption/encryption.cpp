// encryption: objects, their ETags and their metadata lie on the disks encrypted, and in listings;
// clients and all filters in front see them as they were. The keys are a keymaster's.
#include <apus/plugin.h>
#include <apus/text.h>

#include <array>

#include "middleware/encryption/decrypter.h"
#include "middleware/encryption/encrypter.h"

namespace apus {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"disable_encryption", OptionType::kBool, "false",
               "store what comes as it comes; what is encrypted already can still be read"},
};

class EncryptionFilter final : public Filter {
 public:
  EncryptionFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        rules_{args.host, args.host.logger(args.options)},
        disabled_(args.options.flag("disable_encryption")) {
    Json section;
    section.set("enabled", !disabled_);
    args.host.info().set("encryption", section.dump(), true);
  }

  Response operator()(Request& request) const override {
    const auto path = split_api_path(request.path, 3);
    if (!path) return next()(request);
    try {
      return path->object.empty() ? container(request) : object(request);
    } catch (const encryption::Refused& refused) {
      return refused.answer(request);
    }
  }

 private:
  Response container(Request& request) const {
    Response out = next()(request);
    if (request.method != "GET") return out;
    return encryption::decrypt_listing(request, std::move(out), rules_);
  }

  Response object(Request& request) const {
    const bool as_it_is = request.context.crypto_override;
    if (request.method == "GET" || request.method == "HEAD") {
      Response out = as_it_is ? next()(request) : read(request);
      return encryption::decrypt_object(request, std::move(out), rules_);
    }
    if (disabled_ || as_it_is) return next()(request);
    if (request.method == "PUT") return encryption::put_encrypted(request, next(), rules_);
    if (request.method == "POST") return encryption::post_encrypted(request, next(), rules_);
    return next()(request);
  }

  Response read(Request& request) const {
    const encryption::MaskedConditions masked(request, rules_);
    return next()(request);
  }

  encryption::Rules rules_;
  bool disabled_;
};

}  // namespace

APUS_EXPORT_FILTER("encryption", "1.0", EncryptionFilter, kOptions)

}  // namespace apus
