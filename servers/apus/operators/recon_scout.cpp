#include "servers/apus/operators/recon_scout.h"

#include <apus/crew.h>
#include <apus/message.h>
#include <apus/text.h>
#include <apus/web_client.h>

#include <iostream>

#include "framework/host/real_time.h"

namespace apus {
namespace {

constexpr std::size_t kAtOnce = 30;
constexpr std::size_t kLargestAnswer = 64U << 20U;

struct Heard {
  ReconAnswer answer;
  std::string failure;  ///< empty when there is an answer to read
};

Heard ask(const ReconOptions& options, const std::string& method, const std::string& url) {
  const RealClock clock;
  Heard out;
  out.answer.url = url;
  out.answer.begun = clock.now();
  try {
    WebOptions web;
    web.timeout = options.timeout;
    web.max_body = kLargestAnswer;
    const WebAnswer got = fetch({method, url, {}, ""}, web);
    out.answer.status = got.status;
    out.answer.server = got.headers.get("Server");
    if (got.status != 200) {
      out.failure = "HTTP Error " + std::to_string(got.status) + ": " +
                    std::string(reason_phrase(got.status));
    } else if (method == "GET") {
      auto content = Json::parse(got.body);
      if (content) {
        out.answer.content = std::move(*content);
      } else {
        out.answer.status = -1;
        out.failure = "the answer is no JSON";
      }
    }
  } catch (const TransportError& error) {
    out.failure = std::string("<urlopen error ") + error.what() + ">";
  }
  out.answer.ended = clock.now();
  return out;
}

std::vector<ReconAnswer> ask_all(const ReconOptions& options, const std::string& method,
                                 const std::string& path) {
  std::vector<Heard> heard(options.hosts.size());
  Crew(kAtOnce).each(heard.size(), kAtOnce, [&](std::size_t i) {
    const ReconHost& host = options.hosts[i];
    const std::string ip = host.ip.find(':') == std::string::npos ? host.ip : "[" + host.ip + "]";
    heard[i] = ask(options, method, "http://" + ip + ":" + std::to_string(host.port) + path);
  });
  std::vector<ReconAnswer> out;
  for (Heard& one : heard) {
    if (!one.failure.empty()) {
      if (!options.suppress || options.verbose)
        std::cout << "-> " << one.answer.url << ": " << one.failure << "\n";
    } else if (options.verbose && method == "GET") {
      std::cout << "-> " << one.answer.url << ": " << json_repr(one.answer.content) << "\n";
    }
    out.push_back(std::move(one.answer));
  }
  return out;
}

}  // namespace

std::string ReconAnswer::netloc() const {
  const std::size_t start = url.find("//") + 2;
  return url.substr(start, url.find('/', start) - start);
}

std::vector<ReconAnswer> ask_recon(const ReconOptions& options, const std::string& check) {
  return ask_all(options, "GET", "/recon/" + check);
}

std::vector<ReconAnswer> ask_server_type(const ReconOptions& options) {
  return ask_all(options, "OPTIONS", "/");
}

std::string json_repr(const Json& value) {
  if (value.is_null()) return "None";
  if (const bool* truth = value.boolean()) return *truth ? "True" : "False";
  if (const std::string* text = value.text()) return python_repr(std::string_view(*text));
  std::string out;
  if (const Json::Array* items = value.array()) {
    for (const Json& item : *items) out += (out.empty() ? "" : ", ") + json_repr(item);
    return "[" + out + "]";
  }
  if (const Json::Object* members = value.object()) {
    for (const auto& [name, member] : *members) {
      out += out.empty() ? "" : ", ";
      out += python_repr(std::string_view(name)) + ": " + json_repr(member);
    }
    return "{" + out + "}";
  }
  return value.dump();
}

}  // namespace apus
