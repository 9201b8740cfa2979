#include "framework/ssync/speech.h"

#include <algorithm>
#include <cstring>

#include "framework/ssync/updates.h"

namespace apus::ssync {
namespace {

// Bytes to say at once: the other side works on them while the next are made.
constexpr std::size_t kEnough = 4096;
constexpr std::size_t kSmallBody = 16384;

std::string line_of(std::string_view text) { return std::string(text) + "\r\n"; }

}  // namespace

Speech::Speech(const ObjectStore& store, Logger& log, const Job& job, Report& report,
               const std::stop_token& stop)
    : store_(store),
      log_(log),
      job_(job),
      report_(report),
      stop_(stop),
      offers_(store, job.place, job.suffixes) {}

void Speech::start_updates(std::vector<Want> wants) {
  wants_ = std::move(wants);
  stage_ = Stage::kAnnouncing;
}

std::size_t Speech::read(std::span<char> out) {
  if (stop_.stop_requested()) throw BodyError(BodyError::Kind::kIo, "a stop was requested");
  if (at_ == said_.size() && !body_) compose();
  if (at_ < said_.size()) {
    const std::size_t count = std::min(out.size(), said_.size() - at_);
    std::memcpy(out.data(), said_.data() + at_, count);
    at_ += count;
    if (at_ == said_.size()) {
      said_.clear();
      at_ = 0;
    }
    return count;
  }
  return body_ ? read_body(out) : 0;
}

void Speech::compose() {
  while (said_.size() < kEnough && !body_ && advance()) {
  }
}

// False when there is nothing to say now.
bool Speech::advance() {
  switch (stage_) {
    case Stage::kGreeting:
      said_ += line_of(kMissingStart);
      stage_ = Stage::kOffers;
      return true;
    case Stage::kOffers:
      if (offer()) return true;
      said_ += line_of(kMissingEnd);
      stage_ = Stage::kListening;
      return true;
    case Stage::kAnnouncing:
      said_ += line_of(kUpdatesStart);
      stage_ = Stage::kUpdates;
      return true;
    case Stage::kUpdates:
      if (want_ < wants_.size()) {
        update(wants_[want_++]);
        return true;
      }
      said_ += line_of(kUpdatesEnd);
      stage_ = Stage::kDone;
      return true;
    case Stage::kListening:
    case Stage::kDone:
      break;
  }
  return false;
}

bool Speech::offer() {
  while (auto found = offers_.next()) {
    if (job_.only_check != nullptr && !job_.only_check->contains(found->hash)) continue;
    if (job_.most > 0 && report_.offered.size() >= job_.most) {
      report_.truncated = true;
      return false;
    }
    said_ += line_of(encode_offer(*found));
    const std::string hash = found->hash;
    report_.offered.insert_or_assign(hash, std::move(*found));
    return true;
  }
  return false;
}

void Speech::leave_out(const std::string& hash, const std::string& why) {
  report_.unsent.insert(hash);
  log_.warning("ssync leaves out " + job_.place.partition_folder() + "/" + hash.substr(29) + "/" +
               hash + ": " + why);
}

void Speech::update(const Want& want) {
  const auto offered = report_.offered.find(want.hash);
  if (offered == report_.offered.end()) return;
  const ObjectPlace place{job_.place, want.hash, ""};
  OpenObject object = store_.open(place, Timestamp(), true);
  switch (object.state) {
    case ObjectState::kFound:
      return update_found(want, offered->second.durable, place, object);
    case ObjectState::kDeleted:
      break;
    case ObjectState::kMissing:
      if (object.quarantined) leave_out(want.hash, "it was damaged");
      return;
    default:
      return leave_out(want.hash, object.error != 0 ? std::strerror(object.error) : "unreadable");
  }
  if (!want.data) return;
  const std::string name(object.metadata().get("name"));
  if (name.empty()) return leave_out(want.hash, "its tombstone has no name");
  const Headers fields{{"X-Timestamp", object.timestamp.internal()}};
  said_ += encode_update("DELETE", name, fields).value_or("");
  ++report_.deletes;
}

void Speech::update_found(const Want& want, bool durable, const ObjectPlace& place,
                          OpenObject& object) {
  const std::string name(object.data_metadata().get("name"));
  std::optional<std::string> put;
  std::optional<std::string> post;
  if (want.data) {
    put = encode_update("PUT", name, put_fields(object, durable));
    if (!put) return leave_out(want.hash, "a field of it cannot be sent");
  }
  if (want.meta && object.timestamp != object.data_timestamp) {
    post = encode_update("POST", name, post_fields(object));
    if (!post) return leave_out(want.hash, "a field of its .meta cannot be sent");
  }
  if (put) {
    said_ += *put;
    ++report_.puts;
    start_body(place, object);
  }
  if (!post) return;
  ++report_.posts;
  (body_ ? body_->trailer : said_) += *post;
}

void Speech::start_body(const ObjectPlace& place, OpenObject& object) {
  Body body;
  body.place = place;
  body.file = std::move(object.data);
  body.size = object.size;
  body.etag = object.data_metadata().get("ETag");
  report_.bytes += body.size;
  body_ = std::move(body);
  if (object.size > kSmallBody) return;
  const std::size_t start = said_.size();
  said_.resize(start + object.size);
  for (std::size_t done = 0; done < object.size;)
    done += read_body(std::span(said_).subspan(start + done));
  if (object.size == 0) body_.reset();
}

std::size_t Speech::read_body(std::span<char> out) {
  Body& body = *body_;
  const auto wanted =
      static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), body.size - body.at));
  const ssize_t count = store_.disk().pread(body.file.get(), out.first(wanted), body.at);
  if (count <= 0) {
    throw BodyError(BodyError::Kind::kIo,
                    "Sent data length does not match content-length: " + body.place.folder());
  }
  const auto read = static_cast<std::size_t>(count);
  body.digest.update(std::string_view(out.data(), read));
  body.at += read;
  if (body.at < body.size) return read;
  if (!body.etag.empty() && body.digest.finish_hex() != body.etag) {
    store_.quarantine(body.place, "its bytes do not match its ETag");
    report_.unsent.insert(body.place.hash);
  }
  said_ += body.trailer;
  body_.reset();
  return read;
}

}  // namespace apus::ssync
