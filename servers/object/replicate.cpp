// REPLICATE: what another device's replicator compares its suffixes with.
#include "framework/pickle/pickle.h"
#include "framework/store/object/partition.h"
#include "servers/object/object_app.h"

namespace apus {
namespace {

Response pickled(std::string bytes) {
  return Response(200, std::move(bytes), "text/html; charset=UTF-8");
}

}  // namespace

Response ObjectApp::replicate(Request& request) const {
  const SwiftConf& conf = host_.swift_conf();
  Response refusal;
  const auto policy = request_policy(request, conf, refusal);
  if (!policy) return refusal;
  const auto path = split_backend_path(request.path, 2, 3);
  if (!path) return bad_request(request, "Invalid path: " + quote(request.path));
  PartitionPlace place{devices_.folder(path->device), conf.policy(*policy)->directory("objects"),
                       std::string(path->partition)};
  if (place.device.empty()) return insufficient_storage(request, path->device);
  if (path->account.empty())
    return pickled(encode_suffixes(store_.suffix_hashes(place, {}, false).suffixes));
  // With suffixes named it only marks them: their sender has just changed them.
  for (const std::string& suffix : split_list(path->account, '-')) {
    if (is_suffix(suffix)) store_.invalidate(place, suffix);
  }
  pickle::Writer none;
  none.none();
  return pickled(none.finish());
}

}  // namespace apus
