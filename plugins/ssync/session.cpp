#include "plugins/ssync/session.h"

#include <algorithm>
#include <cstring>

namespace apus {
namespace {

// The bytes of one PUT within the exchange.
class UpdateBody final : public Source {
 public:
  UpdateBody(ssync::LineReader& lines, std::uint64_t length) : lines_(lines), left_(length) {}
  std::size_t read(std::span<char> out) override {
    if (left_ == 0) return 0;
    const std::size_t count = lines_.read(
        out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left_))));
    if (count == 0)
      throw BodyError(BodyError::Kind::kDisconnect, "the exchange ends within an object");
    left_ -= count;
    return count;
  }

 private:
  ssync::LineReader& lines_;
  std::uint64_t left_;
};

std::string in_quotes(std::string_view text) {
  return "'" + std::string(text.substr(0, 1024)) + "'";
}

}  // namespace

SsyncSession::SsyncSession(const ObjectStore& store, const App& server, Logger& log,
                           SsyncTarget target, SsyncLimits limits, SsyncTurn turn,
                           std::unique_ptr<Source> request)
    : store_(store),
      server_(server),
      log_(log),
      target_(std::move(target)),
      limits_(limits),
      turn_(std::move(turn)),
      request_(std::move(request)),
      lines_(request_.get()) {}

std::size_t SsyncSession::read(std::span<char> out) {
  while (sent_ == said_.size() && stage_ != Stage::kEnded) {
    said_.clear();
    sent_ = 0;
    advance();
  }
  const std::size_t count = std::min(out.size(), said_.size() - sent_);
  std::memcpy(out.data(), said_.data() + sent_, count);
  sent_ += count;
  return count;
}

// One step of the exchange: leaves something to send, or the end.
void SsyncSession::advance() {
  try {
    switch (stage_) {
      case Stage::kGreeting:
        // Forces the head out: the sender says nothing before it has seen it.
        said_ = "\r\n";
        stage_ = Stage::kMissing;
        break;
      case Stage::kMissing:
        check_missing();
        stage_ = Stage::kUpdates;
        break;
      case Stage::kUpdates:
        take_updates();
        stage_ = Stage::kEnded;
        break;
      case Stage::kEnded:
        break;
    }
  } catch (const Failure& failure) {
    fail(failure.code, failure.text);
  } catch (const BodyError& error) {
    if (error.kind() == BodyError::Kind::kDisconnect) {
      // Nobody is left to tell.
      log_.info("SSYNC " + target_.path + ": " + error.what(), target_.trans_id);
      throw;
    }
    fail(error.kind() == BodyError::Kind::kTimeout ? 408 : 0, in_quotes(error.what()));
  }
}

void SsyncSession::fail(int code, const std::string& text) {
  said_ = ":ERROR: " + std::to_string(code) + " " + text + "\n";
  stage_ = Stage::kEnded;
  log_.error("SSYNC " + target_.path + " ended with " + said_.substr(8), target_.trans_id);
}

std::optional<std::string> SsyncSession::next_line(const char* context) {
  try {
    return lines_.line();
  } catch (const BodyError& error) {
    if (error.kind() != BodyError::Kind::kTimeout) throw;
    throw Failure{408, in_quotes(std::string("no byte for too long: ") + context)};
  }
}

ssync::Local SsyncSession::local(const std::string& hash) const {
  const ObjectPlace place{target_.place, hash, ""};
  const OpenObject object = store_.open(place, Timestamp(), true, Opening::kFields);
  ssync::Local out;
  if (object.state == ObjectState::kDeleted) out.data = object.timestamp;
  if (object.state == ObjectState::kFound) {
    out.data = object.data_timestamp;
    out.meta = object.timestamp;
    out.content_type = object.content_type_timestamp;
  }
  return out;
}

void SsyncSession::check_missing() {
  const auto first = next_line("missing_check start");
  if (!first) throw BodyError(BodyError::Kind::kDisconnect, "the sender says nothing");
  if (trim(*first) != ssync::kMissingStart)
    throw Failure{0, in_quotes("Looking for :MISSING_CHECK: START got " + *first)};
  std::string wants;
  // The body's end counts as the end of the list.
  for (auto line = next_line("missing_check line"); line && trim(*line) != ssync::kMissingEnd;
       line = next_line("missing_check line")) {
    const auto offer = ssync::decode_offer(*line);
    if (!offer) throw Failure{0, in_quotes("this is no offer: " + *line)};
    if (const auto want = ssync::compare(*offer, local(offer->hash)))
      wants += (wants.empty() ? "" : "\r\n") + ssync::encode_want(*want);
  }
  said_.append(ssync::kMissingStart).append("\r\n");
  said_.append(wants).append("\r\n");
  said_.append(ssync::kMissingEnd).append("\r\n");
}

void SsyncSession::take_updates() {
  const auto first = next_line("updates start");
  if (!first) {
    throw BodyError(BodyError::Kind::kDisconnect, "the sender only wanted to know what is missing");
  }
  if (trim(*first) != ssync::kUpdatesStart)
    throw Failure{0, in_quotes("Looking for :UPDATES: START got " + *first)};
  for (auto line = next_line("updates line"); line && trim(*line) != ssync::kUpdatesEnd;
       line = next_line("updates line")) {
    take_update(*line);
  }
  if (failures_ > 0) {
    throw Failure{500, in_quotes("ERROR: With :UPDATES: " + std::to_string(failures_) +
                                 " failures to " + std::to_string(successes_) + " successes")};
  }
  said_.append(ssync::kUpdatesStart).append("\r\n");
  said_.append(ssync::kUpdatesEnd).append("\r\n");
}

// "METHOD PATH", fields, an empty line, and for a PUT its bytes.
void SsyncSession::take_update(const std::string& line) {
  const std::string_view words = trim(line);
  const std::size_t blank = words.find(' ');
  if (blank == std::string_view::npos)
    throw Failure{0, in_quotes("this is no request: " + std::string(words))};
  const std::string method(words.substr(0, blank));
  const std::string path(trim(words.substr(blank + 1)));
  Request update(method, target_.path + unquote(path));
  std::optional<std::int64_t> length;
  std::string kept;
  for (auto field = next_line("updates line");; field = next_line("updates line")) {
    if (!field) throw Failure{0, in_quotes("Got no headers for " + method + " " + path)};
    const std::string_view text = trim(*field);
    if (text.empty()) break;
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos)
      throw Failure{0, in_quotes("this is no header: " + std::string(text))};
    const std::string name = lower(trim(text.substr(0, colon)));
    const std::string value(trim(text.substr(colon + 1)));
    const bool inside = is_internal_name(name) || name == "x-timestamp";
    (inside ? update.internal : update.headers).set(name, value);
    // These two say something about the transfer, not about the object.
    if (name != "etag" && name != "x-backend-no-commit") kept += (kept.empty() ? "" : " ") + name;
    if (name != "content-length") continue;
    length = parse_digits(value);
    if (!length) throw Failure{0, in_quotes("this is no length: " + value)};
  }
  if (method == "PUT") {
    if (!length) throw Failure{0, in_quotes("No content-length sent for PUT " + path)};
    update.content_length = static_cast<std::uint64_t>(*length);
    update.body = std::make_unique<UpdateBody>(lines_, *update.content_length);
  } else if (method != "DELETE" && method != "POST") {
    throw Failure{0, in_quotes("Invalid subrequest method " + method)};
  } else if (length.value_or(0) != 0) {
    throw Failure{0, in_quotes(method + " subrequest with content-length " + path)};
  }
  update.internal.set("X-Backend-Storage-Policy-Index", target_.policy);
  update.internal.set("X-Backend-Replication", "True");
  if (!kept.empty()) update.internal.set("X-Backend-Replication-Headers", kept);
  update.context.trans_id = target_.trans_id;
  // The object server may take the body; what it leaves of it has to be read past.
  run(update);
}

void SsyncSession::run(Request& update) {
  const Response answer = server_(update);
  const bool good = answer.is_success() || answer.status == 404;
  (good ? successes_ : failures_) += 1;
  if (!good) {
    log_.warning("ssync subrequest failed with " + std::to_string(answer.status) + ": " +
                     update.method + " " + quote(update.path),
                 target_.trans_id);
  }
  const bool hopeless =
      successes_ == 0 ||
      static_cast<double>(failures_) / static_cast<double>(successes_) > limits_.ratio;
  if (!good && failures_ >= limits_.threshold && hopeless) {
    throw Failure{0, in_quotes("Too many " + std::to_string(failures_) + " failures to " +
                               std::to_string(successes_) + " successes")};
  }
  drain(update.body.get(), UINT64_MAX);
}

}  // namespace apus
