// The end of a simulation: faults are over, daemons work, and what is left is judged.
#include <apus/digest.h>
#include <apus/json.h>

#include <algorithm>
#include <map>

#include "tests/cluster/sim/world.h"

namespace apus::sim {
namespace {

// New suffixes are found when a partition's folders are listed, in one of ten passes at the latest.
constexpr int kMostRounds = 12;

// Of an object's files those that count: a crash may bring an outdated one back, which goes when
// its suffix is hashed again, and a .meta beside a tombstone belongs to nothing. `files` are sorted
// paths "SUFFIX/HASH/MOMENT.KIND".
std::vector<std::string> that_count(const std::vector<std::string>& files) {
  std::map<std::string, std::string> newest;  // by folder: its last .data or .ts
  const auto folder_of = [](const std::string& file) { return file.substr(0, file.rfind('/')); };
  for (const std::string& file : files)
    if (!file.ends_with(".meta")) newest[folder_of(file)] = file;
  std::vector<std::string> out;
  std::copy_if(files.begin(), files.end(), std::back_inserter(out), [&](const std::string& file) {
    const std::string& last = newest[folder_of(file)];
    return file == last || (file > last && last.ends_with(".data"));
  });
  return out;
}

}  // namespace

// Why more passes are needed; empty = nothing is under way any more.
std::string World::unrest() const {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!nodes_[i]->files("async_pending").empty())
      return "node " + std::to_string(i) + " still has updates for containers";
  }
  std::map<std::string, std::vector<std::vector<std::string>>> parts;
  std::string all;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    std::map<std::string, std::vector<std::string>> own;
    for (const std::string& file : nodes_[i]->files("objects")) {
      const std::size_t slash = file.find('/');
      if (!file.ends_with(".data") && !file.ends_with(".meta") && !file.ends_with(".ts")) continue;
      own[file.substr(0, slash)].push_back(file.substr(slash + 1));
    }
    for (auto& [part, files] : own) {
      if (!rings_.objects().is_primary(static_cast<std::uint32_t>(std::stoul(part)), i))
        return "node " + std::to_string(i) + " still has partition " + part + " of others";
      all += "\n    node " + std::to_string(i) + " partition " + part + ":";
      std::vector<std::string> counting = that_count(files);
      for (const std::string& file : counting) all += " " + file.substr(4);
      parts[part].push_back(std::move(counting));
    }
  }
  for (const auto& [part, copies] : parts) {
    if (copies.size() != SimRing::kReplicas ||
        std::adjacent_find(copies.begin(), copies.end(), std::not_equal_to<>()) != copies.end())
      return "the copies of partition " + part + " differ:" + all;
  }
  return "";
}

std::string World::settle() {
  if (!found_.empty()) return found_;
  network_->heal();
  for (const auto& node : nodes_) {
    if (node->is_up()) node->power_off_after(UINT64_MAX);
    if (!node->is_up()) node->boot(chance_, keep_hashes_);
  }
  std::string why;
  for (rounds_ = 1; rounds_ <= kMostRounds; ++rounds_) {
    advance(120);
    for (const char* daemon : {"object-replicator", "object-updater", "container-replicator"})
      for (const auto& node : nodes_) node->pass(daemon);
    why = unrest();
    if (!why.empty()) continue;
    why = judge_objects();
    for (const char* container : {"c0", "c1"})
      if (why.empty()) why = judge_listing(container);
    if (why.empty()) return "";
  }
  return "after " + std::to_string(kMostRounds) + " passes: " + why;
}

std::string World::judge_objects() {
  for (const auto& [name, history] : model_) {
    const Answer answer = ask(0, "GET", name);
    if (answer.status != 200 && answer.status != 404)
      return "GET " + name + " is answered with " + std::to_string(answer.status);
    ObjectHistory::State state;
    state.there = answer.status == 200;
    if (state.there) {
      state.body = answer.body;
      state.colour = answer.headers.get("X-Object-Meta-Colour");
    }
    const std::string objection = history.objection(state);
    if (!objection.empty()) return name + ": " + objection;
  }
  return "";
}

std::string World::judge_listing(const std::string& container) {
  std::map<std::string, std::string> wanted;
  for (const auto& [name, history] : model_) {
    if (!name.starts_with(container + "/") || !history.is_certain()) continue;
    const Answer answer = ask(0, "GET", name);
    if (answer.status == 200) wanted[name.substr(container.size() + 1)] = md5_hex(answer.body);
  }
  // Three times: the proxy asks the copies in no fixed order.
  for (int i = 0; i < 3; ++i) {
    const Answer answer = ask(0, "GET", container + "?format=json");
    if (answer.status / 100 != 2) return "no listing of " + container;
    std::map<std::string, std::string> found;
    if (answer.status == 200) {
      const auto listing = Json::parse(answer.body);
      if (!listing || listing->array() == nullptr) return "a listing that is no JSON";
      for (const Json& row : *listing->array()) {
        const std::string& name = *row.find("name")->text();
        const auto history = model_.find(container + "/" + name);
        if (history == model_.end()) return "the listing of " + container + " has " + name;
        if (history->second.is_certain()) found[name] = *row.find("hash")->text();
      }
    }
    if (found != wanted) {
      std::string out = "the listing of " + container + " is not what is there: ";
      for (const auto& [name, etag] : found) out += name + " " + etag + ", ";
      out += "but ";
      for (const auto& [name, etag] : wanted) out += name + " " + etag + ", ";
      return out;
    }
  }
  return "";
}

}  // namespace apus::sim
