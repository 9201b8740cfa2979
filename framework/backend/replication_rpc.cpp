#include "framework/backend/replication_rpc.h"

#include <apus/text.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "framework/json/json_items.h"
#include "framework/store/db/container_broker.h"
#include "framework/store/object/partition.h"

namespace apus {
namespace {

constexpr std::size_t kMaxBody = 64U << 20U;
constexpr std::size_t kMaxItems = 32;  // no call has half as many
constexpr std::int64_t kMergeBatch = 1000;

bool is_hash(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// A plain file name: ids of databases and names of their files.
bool is_file_name(std::string_view text) {
  return !text.empty() && text.size() < 256 && text[0] != '.' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '-' || c == '_' || c == '.';
         });
}

std::string text_at(const Json::Array& items, std::size_t index) {
  if (index >= items.size() || items[index].text() == nullptr)
    throw BadRow("argument " + std::to_string(index + 1) + " must be a text");
  return *items[index].text();
}
std::int64_t number_at(const Json::Array& items, std::size_t index) {
  if (index >= items.size() || items[index].integer() == nullptr)
    throw BadRow("argument " + std::to_string(index + 1) + " must be an integer");
  return *items[index].integer();
}
const Json::Array& list_at(const Json::Array& items, std::size_t index) {
  if (index >= items.size() || items[index].array() == nullptr)
    throw BadRow("argument " + std::to_string(index + 1) + " must be a list");
  return *items[index].array();
}

Json::Array read_arguments(std::span<const std::string_view> texts) {
  Json::Array out;
  for (const std::string_view text : texts) {
    auto value = Json::parse(text);
    if (!value) throw BadRow("an argument is not JSON");
    out.push_back(std::move(*value));
  }
  return out;
}

std::int64_t count_of(const Json& dict) {
  for (const char* name : {"count", "object_count"}) {
    const Json* value = dict.find(name);
    if (value != nullptr && value->integer() != nullptr) return *value->integer();
  }
  return 0;
}

// When a container was put and deleted, as far as policies care.
struct Life {
  std::string put, gone, changed;
  bool deleted = false;
  bool recreated = false;

  explicit Life(const Json& info)
      : put(info.text_at("put_timestamp")),
        gone(info.text_at("delete_timestamp")),
        changed(info.text_at("status_changed_at")),
        deleted(gone > put && count_of(info) == 0) {
    const auto deletion = Timestamp::parse(gone).value_or(Timestamp());
    recreated = put > gone && !deletion.is_zero();
  }
};

// The policy of a container that both have and that differs.
void fix_policy(ContainerBroker& broker, Json& info, const Json::Array& arguments,
                const Timestamp& now) {
  if (arguments.size() < 10) return;
  Json remote;
  remote.set("put_timestamp", arguments[4]);
  remote.set("delete_timestamp", arguments[5]);
  remote.set("status_changed_at", arguments[7]);
  remote.set("count", arguments[8]);
  const std::int64_t policy = number_at(arguments, 9);
  const Json* ours = info.find("storage_policy_index");
  if (ours == nullptr || ours->integer() == nullptr || *ours->integer() == policy ||
      !peer_has_better_policy(info, remote))
    return;
  broker.set_policy(policy, now);
  info = broker.replication_info();
}

}  // namespace

bool peer_has_better_policy(const Json& ours_info, const Json& theirs_info) {
  const Life ours(ours_info);
  const Life theirs(theirs_info);
  if (ours.deleted || theirs.deleted) {
    if (!ours.deleted) return false;
    if (!theirs.deleted) return true;
    return theirs.changed > ours.changed;
  }
  if (ours.recreated || theirs.recreated) {
    if (!ours.recreated) return true;
    if (!theirs.recreated) return false;
    const std::string& last_deletion = std::max(ours.gone, theirs.gone);
    if (ours.put < last_deletion) return true;
    if (theirs.put < last_deletion) return false;
  }
  return theirs.changed < ours.changed;
}

ReplicationRpc::ReplicationRpc(const DatabaseServer& server, MakeBroker make_broker)
    : server_(server), make_broker_(std::move(make_broker)) {}

bool ReplicationRpc::exists(const std::string& path) const {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

Response ReplicationRpc::operator()(Request& request) const {
  const auto path = split_backend_path(request.path, 3, 3);
  if (!path || !is_hash(path->account)) return invalid_path(request, 3, 3);
  Response refusal;
  const auto place = server_.place_of_hash(request, *path, std::string(path->account), refusal);
  if (!place) return refusal;
  return server_.guard(request, [&] {
    const std::string body = read_all(request.body.get(), kMaxBody);
    const auto items = json_items(body, kMaxItems);
    if (!items) return bad_request(request, "the body is not a JSON list");
    const auto call = items->empty() ? std::nullopt : Json::parse(items->front());
    if (!call || call->text() == nullptr) return Response(400, "Invalid object type", kHtmlPage);
    try {
      return dispatch(*place, *call->text(), std::span(*items).subspan(1));
    } catch (const BadRow& error) {
      return bad_request(request, *call->text() + ": " + error.what());
    }
  });
}

std::unique_ptr<Broker> ReplicationRpc::broker_of(const DatabasePlace& place) const {
  make_folders(server_.host.disk(), place.device + "/tmp", false);  // where rsync may bring one
  return make_broker_(place, "");
}

Response ReplicationRpc::dispatch(const DatabasePlace& place, const std::string& call,
                                  std::span<const std::string_view> texts) const {
  if (call == "merge_items") return merge_items(place, texts);
  const Json::Array arguments = read_arguments(texts);
  if (call == "rsync_then_merge" || call == "complete_rsync") {
    const std::string id = text_at(arguments, 0);
    const std::string name = arguments.size() > 1 ? text_at(arguments, 1) : place.hash + ".db";
    if (!is_file_name(id)) throw BadRow("that is no id");
    if (!is_file_name(name) || !name.starts_with(place.hash) || !name.ends_with(".db"))
      throw BadRow("that is no database of " + place.hash);
    return call == "complete_rsync" ? complete_rsync(place, id, name) : rsync_then_merge(place, id);
  }
  const auto broker = broker_of(place);
  if (!broker->exists()) return error_response(404);
  if (call == "sync") return sync(*broker, arguments);
  if (call == "merge_syncs") return merge_syncs(*broker, arguments);
  if (call == "merge_shard_ranges") return merge_shard_ranges(*broker, arguments);
  if (call == "get_shard_ranges") return get_shard_ranges(*broker);
  throw BadRow("unknown call");
}

Response ReplicationRpc::sync(Broker& broker, const Json::Array& arguments) const {
  const std::int64_t max_row = number_at(arguments, 0);
  const std::string hash = text_at(arguments, 1);
  const std::string id = text_at(arguments, 2);
  Json info;
  try {
    info = broker.replication_info();
    if (auto* container = dynamic_cast<ContainerBroker*>(&broker))
      fix_policy(*container, info, arguments, server_.host.clock().timestamp());
  } catch (const DatabaseError& error) {
    if (std::string_view(error.what()).find("no such table") == std::string_view::npos) throw;
    broker.quarantine(error.what());
    return error_response(404);
  }
  if (info.is_null()) return error_response(404);
  broker.merge_metadata(parse_metadata_column(text_at(arguments, 6)));
  if (info.text_at("created_at") != text_at(arguments, 3) ||
      info.text_at("put_timestamp") != text_at(arguments, 4) ||
      info.text_at("delete_timestamp") != text_at(arguments, 5))
    broker.merge_timestamps(text_at(arguments, 3), text_at(arguments, 4), text_at(arguments, 5));
  std::int64_t point = broker.sync_point(id);
  if (hash == info.text_at("hash") && point < max_row) {
    broker.merge_sync_points({{id, max_row}});
    point = max_row;
  }
  info.set("point", Json(point));
  return {200, info.dump(), kHtmlPage};
}

Response ReplicationRpc::merge_items(const DatabasePlace& place,
                                     std::span<const std::string_view> texts) const {
  if (texts.empty()) throw BadRow("argument 1 must be a list");
  const auto source = texts.size() > 1 ? Json::parse(texts[1]) : std::nullopt;
  if (!source || source->text() == nullptr) throw BadRow("argument 2 must be a text");
  const auto broker = broker_of(place);
  if (!broker->exists()) return error_response(404);
  broker->merge_rows(texts[0], *source->text());
  return error_response(202);
}

Response ReplicationRpc::merge_syncs(Broker& broker, const Json::Array& arguments) const {
  std::vector<SyncPoint> points;
  for (const Json& dict : list_at(arguments, 0)) {
    const Json* point = dict.find("sync_point");
    if (point == nullptr || point->integer() == nullptr || dict.text_at("remote_id").empty())
      throw BadRow("a sync point is a remote_id and a sync_point");
    points.push_back({dict.text_at("remote_id"), *point->integer()});
  }
  broker.merge_sync_points(points);
  return error_response(202);
}

Response ReplicationRpc::merge_shard_ranges(Broker& broker, const Json::Array& arguments) const {
  auto* container = dynamic_cast<ContainerBroker*>(&broker);
  if (container == nullptr) throw BadRow("unknown call");
  std::vector<ShardRange> ranges;
  for (const Json& dict : list_at(arguments, 0)) {
    std::string why;
    auto range = ShardRange::from_json(dict, why);
    if (!range) throw BadRow(why);
    ranges.push_back(std::move(*range));
  }
  container->merge_shard_ranges(std::move(ranges));
  return error_response(202);
}

Response ReplicationRpc::get_shard_ranges(Broker& broker) const {
  auto* container = dynamic_cast<ContainerBroker*>(&broker);
  if (container == nullptr) throw BadRow("unknown call");
  ShardQuery all;
  all.include_deleted = all.include_own = true;
  Json::Array out;
  for (const ShardRange& range : container->shard_ranges(all)) out.push_back(range.to_json());
  return {200, Json(std::move(out)).dump(), "application/json"};
}

bool ReplicationRpc::move_in(const DatabasePlace& place, const std::string& from,
                             const std::string& to, bool replace) const {
  Disk& disk = server_.host.disk();
  if (const int error = make_folders(disk, place.folder(), true))
    throw std::system_error(error, std::generic_category(), place.folder());
  const Fd file(disk, disk.open(from, O_RDONLY));
  if (!file || disk.fsync(file.get()) != 0)
    throw std::system_error(errno, std::generic_category(), from);
  if (replace) {
    const Fd lock = lock_folder(disk, place.folder(), std::chrono::seconds(10));
    if (!lock) throw std::system_error(errno, std::generic_category(), place.folder() + "/.lock");
    if (!exists(to)) return false;
    if (disk.rename(from, to) != 0) throw std::system_error(errno, std::generic_category(), to);
  } else {
    if (disk.link_fd(file.get(), to) != 0) {
      if (errno == EEXIST) return false;
      throw std::system_error(errno, std::generic_category(), to);
    }
    disk.unlink(from);
  }
  if (const int error = sync_folder(disk, place.folder()))
    throw std::system_error(error, std::generic_category(), place.folder());
  return true;
}

Response ReplicationRpc::complete_rsync(const DatabasePlace& place, const std::string& id,
                                        const std::string& name) const {
  const std::string landed = place.device + "/tmp/" + id;
  const std::string target = place.folder() + "/" + name;
  if (exists(target) || !exists(landed)) return error_response(404);
  make_broker_(place, landed)->take_new_id(id);
  return error_response(move_in(place, landed, target, false) ? 204 : 404);
}

Response ReplicationRpc::rsync_then_merge(const DatabasePlace& place, const std::string& id) const {
  const std::string landed = place.device + "/tmp/" + id;
  const auto must_not = [&](Broker& existing) {
    auto* container = dynamic_cast<ContainerBroker*>(&existing);
    return !existing.exists() || !exists(landed) ||
           (container != nullptr && container->sharding_initiated());
  };
  const auto existing = make_broker_(place, "");
  if (must_not(*existing)) return error_response(404);
  const auto fresh = make_broker_(place, landed);
  std::int64_t last = -1;
  for (auto rows = existing->rows_text(last, kMergeBatch); rows.last != -1;
       rows = existing->rows_text(last, kMergeBatch)) {
    fresh->merge_rows(rows.json, "");
    last = rows.last;
  }
  fresh->merge_sync_points(existing->sync_points());
  if (auto* container = dynamic_cast<ContainerBroker*>(existing.get())) {
    ShardQuery all;
    all.include_deleted = all.include_own = true;
    dynamic_cast<ContainerBroker&>(*fresh).merge_shard_ranges(container->shard_ranges(all));
  }
  fresh->take_new_id(id);
  fresh->merge_metadata(existing->metadata());
  const std::string target = existing->file();
  if (must_not(*make_broker_(place, ""))) return error_response(404);
  return error_response(move_in(place, landed, target, true) ? 204 : 404);
}

}  // namespace apus
