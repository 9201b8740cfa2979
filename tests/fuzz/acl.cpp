// ACLs of containers and accounts, and signatures: a clean ACL is clean, and means the same.
#include <apus/acl.h>
#include <apus/signed_url.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace apus;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const bool write : {false, true}) {
    std::string why;
    const auto clean = clean_acl(bytes, write, why);
    if (!clean) {
      if (why.empty()) std::abort();
      continue;
    }
    if (clean_acl(*clean, write, why) != clean) std::abort();
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
