// `apus oldies`: processes that were started long ago.
#include <unistd.h>

#include <iostream>

#include "servers/apus/operators/found_processes.h"
#include "servers/apus/operators/operators.h"

namespace apus {
namespace {

struct OldiesArguments {
  std::int64_t hours = 720;
  bool pids = false;
};

int oldies(const OldiesArguments& arguments) {
  std::vector<FoundProcess> found = find_processes(Interpreters::kOldies);
  std::erase_if(found, [&](const FoundProcess& one) {
    return one.hours < arguments.hours || one.pid == ::getpid();
  });
  if (found.empty()) return 0;
  if (!arguments.pids) {
    print_processes(found, false);
    return 0;
  }
  for (const FoundProcess& one : found) std::cout << one.pid << "\n";
  return 0;
}

}  // namespace

Command add_oldies(CLI::App& apus) {
  auto arguments = std::make_shared<OldiesArguments>();
  CLI::App* parser =
      apus.add_subcommand("oldies", "processes of Swift and Apus that were started long ago");
  parser->add_option("-a,--age", arguments->hours, "at least HOURS ago; 720 when not given");
  parser->add_flag("-p,--pids", arguments->pids, "only their pids, for xargs");
  return {parser, [arguments] { return oldies(*arguments); }};
}

}  // namespace apus
