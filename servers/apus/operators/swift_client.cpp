#include "servers/apus/operators/swift_client.h"

#include <apus/json.h>
#include <apus/message.h>
#include <apus/text.h>

#include <thread>

#include "servers/apus/operators/json_text.h"

namespace apus {
namespace {

constexpr std::chrono::seconds kTimeout{60};
constexpr std::size_t kLargest = 64U << 20U;

WebOptions web_options(bool insecure) {
  WebOptions out;
  out.timeout = kTimeout;
  out.max_body = kLargest;
  out.verify = !insecure;
  return out;
}

std::string text_of(const ConfMap& conf, std::string_view name, std::string_view otherwise = "") {
  const auto at = conf.find(name);
  return at == conf.end() ? std::string(otherwise) : at->second;
}

std::string required(const ConfMap& conf, std::string_view name) {
  std::string out = text_of(conf, name);
  if (out.empty()) throw std::runtime_error("[dispersion] " + std::string(name) + " is missing");
  return out;
}

WebAnswer succeed(const WebRequest& request, bool insecure) {
  WebAnswer answer = fetch(request, web_options(insecure));
  if (answer.status / 100 == 2) return answer;
  throw std::runtime_error(request.method + " " + request.url + ": " +
                           std::to_string(answer.status) + " " +
                           std::string(reason_phrase(answer.status)));
}

Login log_in_v1(const ConfMap& conf, bool insecure) {
  WebRequest request;
  request.url = required(conf, "auth_url");
  request.headers.set("X-Auth-User", required(conf, "auth_user"));
  request.headers.set("X-Auth-Key", required(conf, "auth_key"));
  const WebAnswer answer = succeed(request, insecure);
  Login out{std::string(answer.headers.get("X-Storage-Url")),
            std::string(answer.headers.get("X-Auth-Token"))};
  if (out.url.empty()) throw std::runtime_error(request.url + ": no X-Storage-Url in the answer");
  return out;
}

Json::Object domain(const ConfMap& conf, std::string_view name) {
  const std::string named = text_of(conf, name);
  return named.empty() ? Json::Object{{"id", "default"}} : Json::Object{{"name", named}};
}

std::string keystone_question(const ConfMap& conf) {
  std::string user = required(conf, "auth_user");
  std::string project = text_of(conf, "project_name");
  const std::size_t colon = user.find(':');
  if (project.empty() && colon != std::string::npos) {
    project = user.substr(0, colon);
    user.erase(0, colon + 1);
  }
  const Json::Object who = {{"name", user},
                            {"domain", domain(conf, "user_domain_name")},
                            {"password", required(conf, "auth_key")}};
  const Json::Object identity = {{"methods", Json::Array{"password"}},
                                 {"password", Json::Object{{"user", who}}}};
  const Json::Object scope = {
      {"project",
       Json::Object{{"name", project}, {"domain", domain(conf, "project_domain_name")}}}};
  return Json(Json::Object{{"auth", Json::Object{{"identity", identity}, {"scope", scope}}}})
      .dump();
}

Login log_in_v3(const ConfMap& conf, bool insecure) {
  WebRequest request;
  request.method = "POST";
  request.url = required(conf, "auth_url");
  while (request.url.ends_with('/')) request.url.pop_back();
  request.url += "/auth/tokens";
  request.headers.set("Content-Type", "application/json");
  request.body = keystone_question(conf);
  const WebAnswer answer = succeed(request, insecure);
  std::string interface = text_of(conf, "endpoint_type", "publicURL");
  if (interface.ends_with("URL")) interface.resize(interface.size() - 3);
  return {endpoint_of(answer.body, interface, text_of(conf, "region_name")),
          std::string(answer.headers.get("X-Subject-Token"))};
}

const Json::Array& items(const Json* value) {
  static const Json::Array kNone;
  return value == nullptr || value->array() == nullptr ? kNone : *value->array();
}

}  // namespace

std::string endpoint_of(std::string_view answer, const std::string& interface,
                        const std::string& region) {
  const Json whole = Json::parse(answer).value_or(Json());
  const Json* token = whole.find("token");
  for (const Json& service : items(token == nullptr ? nullptr : token->find("catalog"))) {
    if (json_text(service, "type") != "object-store") continue;
    for (const Json& endpoint : items(service.find("endpoints"))) {
      std::string url = json_text(endpoint, "url");
      const bool here = region.empty() || json_text(endpoint, "region") == region ||
                        json_text(endpoint, "region_id") == region;
      if (json_text(endpoint, "interface") == interface && here && !url.empty()) return url;
    }
  }
  throw std::runtime_error("Keystone's catalog has no " + interface + " endpoint of object-store" +
                           (region.empty() ? "" : " in " + region));
}

Login log_in(const ConfMap& conf, bool insecure) {
  const std::string version = text_of(conf, "auth_version", "1.0");
  if (version == "1" || version == "1.0" || version == "v1.0") return log_in_v1(conf, insecure);
  if (version == "3" || version == "3.0" || version == "v3") return log_in_v3(conf, insecure);
  throw std::runtime_error("auth_version = " + version + ": expected 1.0 or 3.0");
}

WebAnswer SwiftClient::request(WebRequest request, int& attempts) const {
  if (!login_.token.empty()) request.headers.set("X-Auth-Token", login_.token);
  std::chrono::seconds pause = attempts_.first_pause;
  attempts = 0;
  while (true) {
    const bool last = ++attempts > attempts_.retries;
    try {
      WebAnswer answer = fetch(request, web_options(insecure_));
      if (answer.status / 100 == 2) return answer;
      if (answer.status / 100 == 4 || last)
        throw ClientError(answer.status, request.method + " " + request.url + ": " +
                                             std::to_string(answer.status) + " " +
                                             std::string(reason_phrase(answer.status)));
    } catch (const TransportError&) {
      if (last) throw;
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, attempts_.longest_pause);
  }
}

int SwiftClient::put(const std::string& container, const std::string& object, Headers headers,
                     const std::string& body) const {
  WebRequest request{"PUT", login_.url + "/" + quote(container), std::move(headers), body};
  if (!object.empty()) request.url += "/" + quote(object);
  request.headers.set("Content-Length", std::to_string(body.size()));
  int attempts = 0;
  this->request(std::move(request), attempts);
  return attempts;
}

std::vector<std::string> SwiftClient::names(const std::string& container,
                                            const std::string& prefix) const {
  std::vector<std::string> out;
  while (true) {
    std::string url = login_.url + (container.empty() ? "" : "/" + quote(container));
    url += "?format=json&prefix=" + quote_plus(prefix);
    if (!out.empty()) url += "&marker=" + quote_plus(out.back());
    int attempts = 0;
    const WebAnswer answer = request({"GET", url, {}, ""}, attempts);
    const auto listing = Json::parse(answer.body.empty() ? "[]" : answer.body);
    if (!listing || listing->array() == nullptr)
      throw std::runtime_error("GET " + url + ": the answer is no listing");
    if (listing->array()->empty()) return out;
    for (const Json& entry : *listing->array()) {
      const std::string name = json_text(entry, "name");
      if (name.empty() || (!out.empty() && name <= out.back()))
        throw std::runtime_error("GET " + url + ": the answer is out of order");
      out.push_back(name);
    }
  }
}

std::string backend_url(const RingDevice& device, std::uint32_t partition,
                        const std::string& path) {
  const std::string ip =
      device.ip.find(':') == std::string::npos ? device.ip : "[" + device.ip + "]";
  return "http://" + ip + ":" + std::to_string(device.port) + "/" + quote(device.device) + "/" +
         std::to_string(partition) + quote(path);
}

}  // namespace apus
