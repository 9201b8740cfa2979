#include "plugins/container-sync/remote_container.h"

#include <apus/digest.h>
#include <apus/text.h>

#include "framework/transport/web_upload.h"

namespace apus {
namespace {

// "/path" of "scheme://host/path".
std::string_view path_of(std::string_view url) {
  const std::size_t host = url.find("//");
  const std::size_t path = host == std::string_view::npos ? host : url.find('/', host + 2);
  return path == std::string_view::npos ? std::string_view() : url.substr(path);
}

}  // namespace

RemoteContainer::RemoteContainer(Host& host, SyncTarget target, std::string user_key,
                                 std::vector<std::string> proxies,
                                 std::chrono::milliseconds timeout)
    : host_(host),
      target_(std::move(target)),
      user_key_(std::move(user_key)),
      proxies_(std::move(proxies)) {
  options_.timeout = timeout;
}

WebRequest RemoteContainer::request(const char* method, const std::string& object,
                                    Headers fields) const {
  WebRequest out;
  out.method = method;
  out.url = target_.url + "/" + quote(object);
  out.headers = std::move(fields);
  if (target_.realm_key.empty()) {
    out.headers.set("X-Container-Sync-Key", user_key_);
    return out;
  }
  const std::string nonce = host_.entropy().hex(16);
  const std::string text = std::string(method) + "\n" + std::string(path_of(out.url)) + "\n" +
                           std::string(out.headers.get("X-Timestamp", "0")) + "\n" + nonce + "\n" +
                           user_key_;
  out.headers.set(
      "X-Container-Sync-Auth",
      target_.realm + " " + nonce + " " + to_hex(hmac(DigestKind::kSha1, target_.realm_key, text)));
  return out;
}

std::string RemoteContainer::proxy() const {
  return proxies_.empty() ? "" : proxies_[host_.entropy().below(proxies_.size())];
}

RemoteContainer::Known RemoteContainer::look_at(const std::string& object,
                                                const Timestamp& when) const {
  WebRequest head = request("HEAD", object, {{"X-Timestamp", when.internal()}});
  head.url += "?symlink=get";  // of a link itself, not of what it leads to
  const WebAnswer answer = fetch_through(proxy(), head, {}, options_);
  const auto told = Timestamp::parse(answer.headers.get("X-Timestamp", "0"));
  return {answer.status, told.value_or(Timestamp())};
}

int RemoteContainer::remove(const std::string& object, const Timestamp& when) const {
  return fetch_through(proxy(), request("DELETE", object, {{"X-Timestamp", when.internal()}}), {},
                       options_)
      .status;
}

int RemoteContainer::put(const std::string& object, Headers fields, Source& body,
                         std::uint64_t length) const {
  return fetch_through(proxy(), request("PUT", object, std::move(fields)), {&body, length},
                       options_)
      .status;
}

}  // namespace apus
