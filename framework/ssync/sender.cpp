#include "framework/ssync/sender.h"

#include "framework/ssync/answers.h"
#include "framework/ssync/line_reader.h"
#include "framework/ssync/speech.h"

namespace apus::ssync {
namespace {

constexpr std::size_t kMaxRefusal = 1024;

// The request's body: the transport owns it, the exchange owns what it says.
class Voice final : public Source {
 public:
  explicit Voice(Speech& speech) : speech_(speech) {}
  std::size_t read(std::span<char> out) override { return speech_.read(out); }

 private:
  Speech& speech_;
};

Request request_of(const Peer& peer, const Job& job, Speech& speech) {
  Request out("SSYNC", "/" + peer.device + "/" + job.place.partition);
  out.internal.set("X-Backend-Storage-Policy-Index", std::to_string(job.policy));
  if (peer.fragment) {
    out.internal.set("X-Backend-Ssync-Frag-Index", std::to_string(*peer.fragment));
    out.internal.set("X-Backend-Ssync-Node-Index", std::to_string(*peer.fragment));
  }
  out.chunked = true;
  out.body = std::make_unique<Voice>(speech);
  return out;
}

std::string text_of(Response& response) {
  std::string out(kMaxRefusal, '\0');
  std::size_t have = 0;
  try {
    while (response.body && have < out.size()) {
      const std::size_t count = response.body->read(std::span(out).subspan(have));
      if (count == 0) break;
      have += count;
    }
  } catch (const BodyError&) {
    // What came of it is still worth telling.
  }
  out.resize(have);
  return out;
}

void exchange(Response& response, const Job& job, Speech& speech, Report& report) {
  LineReader lines(response.body.get());
  read_wants_start(lines);
  std::vector<Want> wants = read_wants(lines, report.offered.size());
  for (const Want& want : wants) report.wanted.insert(want.hash);
  if (job.only_check != nullptr) return;
  speech.start_updates(std::move(wants));
  read_updates_end(lines);
}

}  // namespace

std::set<std::string> Report::in_sync(bool only_checked) const {
  std::set<std::string> out;
  for (const auto& [hash, offer] : offered) {
    if (!unsent.contains(hash) && !(only_checked && wanted.contains(hash))) out.insert(hash);
  }
  return out;
}

Report send(const ObjectStore& store, Host& host, Logger& log, const Peer& peer, const Job& job,
            const DuplexDeadlines& deadlines, const std::stop_token& stop) {
  Report report;
  report.good = job.suffixes.empty();
  if (report.good) return report;
  Speech speech(store, log, job, report, stop);
  try {
    Outcome outcome =
        converse(host.transport(), Call{peer.endpoint, request_of(peer, job, speech)}, deadlines);
    if (!outcome.response) throw ExchangeError(outcome.error->what());
    Response& response = *outcome.response;
    if (response.status != 200) {
      throw ExchangeError("Expected status 200; got " + std::to_string(response.status) + " (" +
                          text_of(response) + ")");
    }
    exchange(response, job, speech, report);
    report.good = true;
  } catch (const std::exception& error) {
    report.problem = error.what();
  }
  return report;
}

}  // namespace apus::ssync
