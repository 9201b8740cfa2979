// An account with a container, behind one of the quota filters.
#pragma once

#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>

#include <memory>
#include <string>

namespace apus::testing {

// An account with one container, and an app that asks the authorize hook.
struct Quotas {
  explicit Quotas(const std::string& name) {
    host.conf.policies.push_back({1, "gold", {}, false, false, "replication"});
    app.on("HEAD", "/v1/a", [this](Request&) { return account.make(); });
    app.on("HEAD", "/v1/a/c", [this](Request&) { return container.make(); });
    app.otherwise([this](Request& request) -> Response {
      seen = request.headers;
      seen_internal = request.internal;
      if (request.context.authorize) {
        if (auto refusal = request.context.authorize(request)) return std::move(*refusal);
      }
      if (request.path == "/v1/a") return account.make();
      return Response(201);
    });
    filter = load_filter(name, {}, host, app);
  }

  struct Known {
    Headers headers;
    Headers internal;
    Response make() const {
      Response out(204);
      out.headers = headers;
      out.internal = internal;
      return out;
    }
  };

  Response ask(std::string method, const std::string& target, Headers headers = {},
               std::string body = "") {
    Request request = make_request(std::move(method), target, std::move(headers), std::move(body));
    request.context.reseller_request = reseller;
    if (refuses)
      request.context.authorize = [](Request& r) {
        return std::optional(unauthorized_response(r));
      };
    return (*filter)(request);
  }
  int status(std::string method, const std::string& target, Headers headers = {},
             std::string body = "") {
    return ask(std::move(method), target, std::move(headers), std::move(body)).status;
  }

  TestHost host;
  FakeApp app;
  Known account;
  Known container;
  Headers seen;
  Headers seen_internal;
  bool reseller = false;
  bool refuses = false;
  std::unique_ptr<const App> filter;
};

}  // namespace apus::testing
