#include "tests/cluster/sim/model.h"

#include <algorithm>

namespace apus::sim {

using Kind = ObjectHistory::Change::Kind;

std::string ObjectHistory::newest_acknowledged() const {
  std::string out;
  for (const Change& change : changes_) {
    if (change.acknowledged && change.kind != Kind::kPost) out = std::max(out, change.moment);
  }
  return out;
}

bool ObjectHistory::is_certain() const {
  const std::string newest = newest_acknowledged();
  return std::none_of(changes_.begin(), changes_.end(), [&](const Change& change) {
    return change.kind != Kind::kPost && change.moment > newest;
  });
}

bool ObjectHistory::was_written(const std::string& body) const {
  return std::any_of(changes_.begin(), changes_.end(), [&](const Change& change) {
    return change.kind == Kind::kPut && change.body == body;
  });
}

bool ObjectHistory::colour_fits(const Change& put, const std::string& colour) const {
  std::string acknowledged;
  for (const Change& change : changes_) {
    if (change.kind == Kind::kPost && change.acknowledged && change.moment > put.moment)
      acknowledged = std::max(acknowledged, change.moment);
  }
  if (acknowledged.empty() && colour == put.colour) return true;
  return std::any_of(changes_.begin(), changes_.end(), [&](const Change& change) {
    return change.kind == Kind::kPost && change.colour == colour && change.moment > put.moment &&
           change.moment >= acknowledged;
  });
}

std::string ObjectHistory::objection(const State& state) const {
  const std::string newest = newest_acknowledged();
  bool deleted_fits = newest.empty();
  bool body_known = false;
  for (const Change& change : changes_) {
    if (change.moment < newest) continue;
    if (change.kind == Kind::kDelete) deleted_fits = true;
    if (change.kind != Kind::kPut || change.body != state.body) continue;
    body_known = true;
    if (state.there && colour_fits(change, state.colour)) return "";
  }
  if (!state.there) return deleted_fits ? "" : "an acknowledged write is lost";
  if (body_known) return "its metadata '" + state.colour + "' is not the newest";
  return was_written(state.body) ? "an older write came back" : "nobody wrote these bytes";
}

}  // namespace apus::sim
