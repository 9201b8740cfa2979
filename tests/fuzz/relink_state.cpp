// relink.objects.json of any bytes: what is taken from it is what is written again, and what is not
// leaves every partition to be done.
#include "servers/apus/operators/relink_state.h"

#include <apus/testing/host.h>
#include <apus/testing/temp_tree.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

using namespace apus;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static testing::TestHost host;
  static testing::TempTree tree;
  const std::string device = tree.path().string();
  const std::vector<std::string> names = {"0", "1", "5", "9"};
  for (const PartPowers powers : {PartPowers{3, 4}, PartPowers{4, 4}}) {
    tree.write("relink.objects.json", {reinterpret_cast<const char*>(data), size});
    RelinkState state(host.disk(), device, "objects", powers);
    const std::vector<std::string> left = state.begin(names);
    if (state.parts_done() + static_cast<std::int64_t>(left.size()) != state.parts()) std::abort();
    for (const std::string& partition : left) state.done(partition);
    if (state.parts_done() != state.parts() || state.write() != 0) std::abort();
    RelinkState again(host.disk(), device, "objects", powers);
    if (!again.begin(names).empty() || again.parts() != state.parts()) std::abort();
  }
  return 0;
}
