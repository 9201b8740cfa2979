#include "framework/backend/misplaced_queue.h"

#include <apus/text.h>

#include <ctime>

namespace apus {
namespace {

constexpr std::int64_t kQueueSpan = 3600;  // seconds that one container of the queue holds
constexpr const char* kPut = "application/x-put";
constexpr const char* kDelete = "application/x-delete";

// "POLICY:/account/container/object".
bool read_name(const std::string& name, MisplacedObject& out) {
  const std::size_t start = name.find(":/");
  if (start == std::string::npos) return false;
  const auto policy = parse_int(name.substr(0, start));
  const std::string path = name.substr(start + 2);
  const std::size_t first = path.find('/');
  if (!policy || first == std::string::npos || first == 0) return false;
  const std::size_t second = path.find('/', first + 1);
  if (second == std::string::npos || second == first + 1 || second + 1 == path.size()) return false;
  out.policy = *policy;
  out.account = path.substr(0, first);
  out.container = path.substr(first + 1, second - first - 1);
  out.object = path.substr(second + 1);
  return true;
}

// What Timestamp::isoformat writes.
std::optional<Timestamp> read_isoformat(const std::string& text) {
  std::tm parts{};
  const char* end = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (end == nullptr) return std::nullopt;
  std::int64_t micros = 0;
  if (*end == '.') {
    const auto fraction = parse_digits(end + 1);
    if (!fraction || std::string_view(end + 1).size() != 6) return std::nullopt;
    micros = *fraction;
  } else if (*end != '\0') {
    return std::nullopt;
  }
  const std::int64_t second = timegm(&parts);
  if (second < 0) return std::nullopt;
  return Timestamp::from_raw(second * 100000 + (micros + 5) / 10);
}

}  // namespace

std::string misplaced_container(const Timestamp& when) {
  return std::to_string(static_cast<std::int64_t>(when.seconds()) / kQueueSpan * kQueueSpan);
}

std::string misplaced_container_of(const ObjectRow& row) {
  const auto times = decode_timestamps(row.created_at);
  return misplaced_container(times ? times->meta : Timestamp());
}

ObjectRow misplaced_entry(const ObjectRow& row, const std::string& path) {
  ObjectRow out;
  out.name = std::to_string(row.policy) + ":/" + path + "/" + row.name;
  out.created_at = row.created_at;
  out.etag = row.created_at;
  out.content_type = row.deleted ? kDelete : kPut;
  return out;
}

std::optional<MisplacedObject> parse_misplaced(const Json& listed, std::string& why) {
  MisplacedObject out;
  if (!read_name(listed.text_at("name"), out)) {
    why = "its name is not POLICY:/ACCOUNT/CONTAINER/OBJECT";
    return std::nullopt;
  }
  const std::string operation = listed.text_at("content_type");
  if (operation != kPut && operation != kDelete) {
    why = "invalid operation type " + python_repr(operation);
    return std::nullopt;
  }
  const auto times = decode_timestamps(listed.text_at("hash"));
  const auto recorded = read_isoformat(listed.text_at("last_modified"));
  if (!times || !recorded) {
    why = "its times cannot be read";
    return std::nullopt;
  }
  out.deleted = operation == kDelete;
  out.timestamp = times->data;
  out.recorded = *recorded;
  return out;
}

}  // namespace apus
