// Databases with some bytes changed or cut: every call answers or throws what the servers take for
// a damaged database.
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "tests/unit/db/store.h"

using namespace apus;
using namespace apus::test;

namespace {

std::string good_file() {
  Store store;
  ContainerBroker broker = store.container();
  broker.create(at(1), 0);
  for (int i = 0; i < 20; ++i) broker.merge_objects({object("o" + std::to_string(i), 5)});
  broker.forget_files();
  std::ifstream in(broker.place().file(), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void use(ContainerBroker broker) {
  try {
    (void)broker.info();
    (void)broker.rows_since(-1, 1000);
    (void)names(broker, {});
    broker.merge_objects({object("new", 6)});
    (void)broker.info();
  } catch (const std::runtime_error& error) {
    if (std::string(error.what()).empty()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string kGood = good_file();
  std::string file = kGood;
  // Three bytes a change: place (two) and value; then the file is cut where the rest says.
  for (; size >= 3; data += 3, size -= 3)
    file[(data[0] * 256U + data[1]) % file.size()] = static_cast<char>(data[2]);
  if (size > 0) file.resize(file.size() * data[0] / 255);
  Store store;
  ContainerBroker broker = store.container();
  const std::string path = broker.place().file();
  store.tree.write(std::filesystem::relative(path, store.tree.path()), file);
  use(std::move(broker));
  return 0;
}
