#include "servers/proxy/best_response.h"

#include <algorithm>

namespace apus {
namespace {

constexpr std::size_t kMaxBody = 65536;
constexpr std::string_view kPage = "text/html; charset=UTF-8";

// The index of the chosen answer.
std::optional<std::size_t> choose(std::span<const int> statuses, std::span<const bool> avoided) {
  const std::size_t quorum = quorum_size(statuses.size());
  if (statuses.empty()) return std::nullopt;
  for (const int hundred : {2, 3, 4}) {
    std::size_t count = 0;
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < statuses.size(); ++i) {
      if (statuses[i] / 100 != hundred) continue;
      ++count;
      if (!avoided[i] && (!best || statuses[i] > statuses[*best])) best = i;
    }
    if (count >= quorum && best) return best;
  }
  return std::nullopt;
}

std::optional<std::size_t> choose_overridden(std::vector<int> statuses, StatusOverride override) {
  const std::unique_ptr<bool[]> avoided(new bool[statuses.size()]());
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    if (statuses[i] != override.from) continue;
    avoided[i] = true;
    statuses[i] = override.to;
  }
  return choose(statuses, {avoided.get(), statuses.size()});
}

std::string joined(const std::vector<int>& statuses) {
  std::string out;
  for (const int status : statuses) out += (out.empty() ? "" : ", ") + std::to_string(status);
  return "[" + out + "]";
}

// An answer whose body is empty stays so. That ranges are understood is said of entities alone.
Response passed_on(const Request& client, Response answer) {
  clean_headers(answer);
  answer.headers.erase("Accept-Ranges");
  if (client.method == "HEAD") answer.body.reset();
  if (answer.body == nullptr) answer.content_length = 0;
  answer.headers.set("Content-Type", std::string(kPage));
  return answer;
}

}  // namespace

bool have_quorum(std::span<const int> statuses, std::size_t nodes) {
  const std::size_t quorum = quorum_size(nodes);
  for (const int hundred : {1, 2, 3, 4}) {
    const auto count = std::count_if(statuses.begin(), statuses.end(),
                                     [&](int status) { return status / 100 == hundred; });
    if (static_cast<std::size_t>(count) >= quorum) return true;
  }
  return false;
}

void clean_headers(Response& response) {
  response.headers.erase("X-Put-Timestamp");
  response.headers.erase("X-Delete-After");
  const std::string* etag = response.headers.find("Etag");
  if (etag != nullptr && etag->find('"') != std::string::npos) {
    std::string plain = *etag;
    std::erase(plain, '"');
    response.headers.set("Etag", std::move(plain));
  }
}

bool settle_body(Response& answer) {
  if (answer.body == nullptr) return true;
  try {
    std::string text = read_all(answer.body.get(), kMaxBody);
    answer.content_length = text.size();
    answer.body = text.empty() ? nullptr : std::make_unique<StringSource>(std::move(text));
  } catch (const BodyError&) {
    return false;
  }
  return true;
}

void settle(Outcome& outcome) {
  if (!outcome.response || settle_body(*outcome.response)) return;
  outcome.response.reset();
  outcome.error.emplace(TransportError::Kind::kReset, "the answer's body broke");
}

Response best_response(const Services& services, const Request& client, Answers answers,
                       std::string_view what, std::optional<StatusOverride> override) {
  std::vector<int> statuses;
  for (const Response& answer : answers) statuses.push_back(answer.status);
  const std::unique_ptr<bool[]> none(new bool[statuses.size()]());
  auto chosen = choose(statuses, {none.get(), statuses.size()});
  if (!chosen && override) chosen = choose_overridden(statuses, *override);
  if (chosen) return passed_on(client, std::move(answers[*chosen]));
  services.log.error(std::string(what) + " returning 503 for " + joined(statuses),
                     client.context.trans_id);
  return error_response(503, client.method == "HEAD");
}

}  // namespace apus
