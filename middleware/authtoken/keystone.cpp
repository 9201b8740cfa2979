#include "middleware/authtoken/keystone.h"

#include <apus/json.h>
#include <apus/text.h>

#include <chrono>
#include <stdexcept>

namespace apus::authtoken {
namespace {

std::string text_in(const Json* object, std::string_view name) {
  return object != nullptr ? object->text_at(name) : std::string();
}

const Json* member(const Json* object, std::string_view name) {
  return object != nullptr ? object->find(name) : nullptr;
}

std::vector<std::string> role_names(const Json* roles) {
  std::vector<std::string> out;
  if (roles == nullptr || roles->array() == nullptr) return out;
  for (const Json& role : *roles->array()) {
    std::string name = role.text() != nullptr ? *role.text() : text_in(&role, "name");
    if (!name.empty()) out.push_back(std::move(name));
  }
  return out;
}

// "2015-08-27T09:49:58.000000Z"
std::optional<double> parse_moment(std::string_view text) {
  using namespace std::chrono;
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':' || !text.ends_with('Z'))
    return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t size) {
    return static_cast<int>(parse_digits(text.substr(at, size)).value_or(-1));
  };
  const year_month_day date{year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                            day(static_cast<unsigned>(number(8, 2)))};
  const int hour = number(11, 2);
  const int minute = number(14, 2);
  const int second = number(17, 2);
  if (!date.ok() || hour < 0 || minute < 0 || second < 0) return std::nullopt;
  const std::int64_t days = sys_days(date).time_since_epoch().count();
  return static_cast<double>(((days * 24 + hour) * 60 + minute) * 60 + second);
}

// "id" or "name" of a domain, whichever is set.
Json domain_of(const Options& options, const std::string& whose) {
  Json out{Json::Object{}};
  const std::string id = options.text(whose + "_domain_id");
  const std::string name = options.text(whose + "_domain_name");
  if (name.empty()) {
    out.set("id", id.empty() ? std::string("default") : id);
  } else {
    out.set("name", name);
  }
  return out;
}

std::string login_body(const Options& options) {
  Json user;
  user.set("name", options.text("username"));
  user.set("domain", domain_of(options, "user"));
  user.set("password", options.text("password"));
  Json password;
  password.set("user", std::move(user));
  Json identity;
  identity.set("methods", Json::Array{Json("password")});
  identity.set("password", std::move(password));
  Json project;
  project.set("name", options.text("project_name"));
  project.set("domain", domain_of(options, "project"));
  Json scope;
  scope.set("project", std::move(project));
  Json auth;
  auth.set("identity", std::move(identity));
  auth.set("scope", std::move(scope));
  Json body;
  body.set("auth", std::move(auth));
  return body.dump();
}

std::string base_url(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  if (url.ends_with("/v2.0")) url.resize(url.size() - 5);
  return url.ends_with("/v3") ? url : url + "/v3";
}

}  // namespace

std::optional<Verdict> parse_token(std::string_view json) {
  const auto parsed = Json::parse(json);
  const Json* token = parsed ? parsed->find("token") : nullptr;
  const Json* user = member(token, "user");
  const auto expires = parse_moment(text_in(token, "expires_at"));
  if (user == nullptr || text_in(user, "id").empty() || !expires) return std::nullopt;
  Verdict out;
  out.kind = Verdict::Kind::kValid;
  out.expires = *expires;
  Identity& who = out.identity;
  who.user_id = text_in(user, "id");
  who.user_name = text_in(user, "name");
  who.user_domain_id = text_in(member(user, "domain"), "id");
  who.user_domain_name = text_in(member(user, "domain"), "name");
  const Json* project = member(token, "project");
  who.project_id = text_in(project, "id");
  who.project_name = text_in(project, "name");
  who.project_domain_id = text_in(member(project, "domain"), "id");
  who.project_domain_name = text_in(member(project, "domain"), "name");
  who.roles = role_names(member(token, "roles"));
  return out;
}

std::string to_json(const Verdict& verdict) {
  Json out;
  out.set("valid", verdict.kind == Verdict::Kind::kValid);
  if (verdict.kind != Verdict::Kind::kValid) return out.dump(true);
  const Identity& who = verdict.identity;
  out.set("expires", verdict.expires);
  out.set("user", Json::Array{Json(who.user_id), Json(who.user_name), Json(who.user_domain_id),
                              Json(who.user_domain_name)});
  out.set("project", Json::Array{Json(who.project_id), Json(who.project_name),
                                 Json(who.project_domain_id), Json(who.project_domain_name)});
  out.set("roles", Json::Array(who.roles.begin(), who.roles.end()));
  return out.dump(true);
}

std::optional<Verdict> parse_verdict(std::string_view json) {
  const auto parsed = Json::parse(json);
  const Json* valid = parsed ? parsed->find("valid") : nullptr;
  if (valid == nullptr || valid->boolean() == nullptr) return std::nullopt;
  Verdict out;
  if (!*valid->boolean()) return out;
  const Json* expires = parsed->find("expires");
  const Json* user = parsed->find("user");
  const Json* project = parsed->find("project");
  const auto texts = [](const Json* list, std::initializer_list<std::string*> to) {
    if (list == nullptr || list->array() == nullptr || list->array()->size() != to.size())
      return false;
    std::size_t at = 0;
    for (std::string* text : to) {
      const std::string* value = (*list->array())[at++].text();
      if (value == nullptr) return false;
      *text = *value;
    }
    return true;
  };
  Identity& who = out.identity;
  if (expires == nullptr || !expires->number() ||
      !texts(user, {&who.user_id, &who.user_name, &who.user_domain_id, &who.user_domain_name}) ||
      !texts(project, {&who.project_id, &who.project_name, &who.project_domain_id,
                       &who.project_domain_name}))
    return std::nullopt;
  out.kind = Verdict::Kind::kValid;
  out.expires = *expires->number();
  who.roles = role_names(parsed->find("roles"));
  return out;
}

Keystone::Keystone(const Options& options)
    : url_(base_url(options.text("auth_url")) + "/auth/tokens"), login_(login_body(options)) {
  web_.timeout = options.seconds("http_connect_timeout");
  web_.ca_file = options.text("cafile");
  web_.verify = !options.flag("insecure");
}

std::string Keystone::log_in() const {
  const WebAnswer answer =
      fetch({"POST", url_, {{"Content-Type", "application/json"}}, login_}, web_);
  std::string token(answer.headers.get("X-Subject-Token"));
  if (answer.status != 201 || token.empty())
    throw std::runtime_error("the service's own user was refused with " +
                             std::to_string(answer.status));
  return token;
}

// Two threads may log in at once; both tokens are good.
std::string Keystone::own_token(const std::string& stale) const {
  {
    const std::lock_guard lock(mutex_);
    if (!own_.empty() && own_ != stale) return own_;
  }
  std::string fresh = log_in();
  const std::lock_guard lock(mutex_);
  own_ = fresh;
  return fresh;
}

WebAnswer Keystone::ask(const std::string& own, const std::string& token) const {
  return fetch({"GET",
                url_ + "?nocatalog",
                {{"X-Auth-Token", own}, {"X-Subject-Token", token}, {"Accept", "application/json"}},
                ""},
               web_);
}

Verdict Keystone::validate(const std::string& token) const {
  // What cannot stand in a header is no token.
  for (const char c : token) {
    if (c <= ' ' || c > '~') return {};
  }
  std::string own = own_token("");
  WebAnswer answer = ask(own, token);
  if (answer.status == 401) {
    own = own_token(own);
    answer = ask(own, token);
  }
  if (answer.status == 404) return {};
  auto verdict = answer.status == 200 ? parse_token(answer.body) : std::nullopt;
  if (!verdict)
    throw std::runtime_error("a token's check was answered with " + std::to_string(answer.status));
  return std::move(*verdict);
}

}  // namespace apus::authtoken
