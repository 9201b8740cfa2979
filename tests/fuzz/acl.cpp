// ACLs of containers and accounts, and signatures. A clean ACL has no empty part and no space
// around one; cleaned again it may be another, in Swift too, since one leading "*" of a host is
// dropped each time.
#include <apus/acl.h>
#include <apus/signed_url.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace apus;

namespace {

bool is_tidy(std::string_view acl) {
  if (acl.empty()) return true;
  for (std::size_t end = 0; end != std::string_view::npos; acl.remove_prefix(end + 1)) {
    end = acl.find(',');
    const std::string_view part = acl.substr(0, end);
    if (part.empty() || part.front() == ' ' || part.back() == ' ') return false;
    if (end == std::string_view::npos) break;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const bool write : {false, true}) {
    std::string why;
    const auto clean = clean_acl(bytes, write, why);
    if (!clean) {
      if (why.empty()) std::abort();
      continue;
    }
    if (!is_tidy(*clean)) std::abort();
  }
  const Acl acl = parse_acl(bytes);
  referrer_allowed(bytes.substr(0, size / 2), acl.referrers);
  if (account_acl_fault(bytes).empty() && !bytes.empty()) {
    if (!format_account_acl(bytes).empty() && !account_acl_fault(format_account_acl(bytes)).empty())
      std::abort();
  }
  parse_account_acl(bytes);
  if (const auto signature = parse_signature(bytes)) {
    if (signature->hex.size() % 2 != 0) std::abort();
  }
  return 0;
}
