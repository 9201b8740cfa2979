#include "servers/apus/ring_command.h"

#include <apus/digest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <random>
#include <thread>

#include "framework/conf/nearest_name.h"
#include "framework/ring/builder_file.h"
#include "servers/apus/commands.h"
#include "servers/apus/device_words.h"
#include "servers/apus/ring_session.h"

namespace apus {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBuilder = ".builder";
constexpr std::string_view kRing = ".ring.gz";

const RingCommand* const kRooms[] = {kSettingCommands, kDeviceCommands, kBalanceCommands,
                                     kFileCommands};

std::vector<std::string> command_names() {
  std::vector<std::string> out;
  for (const RingCommand* room : kRooms) {
    for (const RingCommand* command = room; command->name != nullptr; ++command)
      out.emplace_back(command->name);
  }
  return out;
}

const RingCommand& find_command(const std::string& name) {
  for (const RingCommand* room : kRooms) {
    for (const RingCommand* command = room; command->name != nullptr; ++command) {
      if (name == command->name) return *command;
    }
  }
  const std::string near = nearest_name(name, command_names());
  std::string all;
  for (const std::string& known : command_names()) all += (all.empty() ? "" : ", ") + known;
  throw RingArgumentError("'" + name + "' is no command" +
                          (near.empty() ? "" : "; did you mean " + near + "?") + "; expected " +
                          all);
}

void print_help(const std::string& program) {
  std::cout << "Usage: " << program << " FILE.builder [COMMAND ...]\n"
            << "       " << program << " FILE.builder COMMAND --help\n\n"
            << "Without a command: what is in the builder. FILE.ring.gz stands for its builder.\n\n"
            << "DEVICE is [r<region>]z<zone>-<ip>:<port>[R<ip>:<port>]/<device>[_<meta>].\n"
            << "SEARCH is d<id>r<region>z<zone>-<ip>:<port>R<ip>:<port>/<device>_<meta>, or any "
               "part of it:\nd74, z1-10.0.0.1, /sdb1, _text.\n\n";
  for (const RingCommand* room : kRooms) {
    for (const RingCommand* command = room; command->name != nullptr; ++command) {
      std::cout << "  " << command->name << " " << command->arguments << "\n      " << command->help
                << "\n";
    }
  }
  if (program.find("swift-") == std::string::npos) {
    std::cout << "\nAlso: " << program << " analyzer SCENARIO [--check], " << program
              << " composer FILE show|compose\n";
  }
  std::cout << "\nStatus: 0 done, 1 done with a warning or nothing to do, 2 error.\n";
}

RingSession open_session(const std::string& program, const std::vector<std::string>& words) {
  RingSession out;
  out.program = program;
  const std::string& file = words.front();
  std::string stem = file;
  for (const std::string_view suffix : {kRing, kBuilder}) {
    if (stem.ends_with(suffix)) {
      stem.resize(stem.size() - suffix.size());
      break;
    }
  }
  const bool bare = stem == file;
  // Swift takes a name without suffix for the builder's own.
  out.builder_file = bare ? file : stem + std::string(kBuilder);
  out.ring_file = stem + std::string(kRing);
  if (out.builder_file != file) {
    std::cout << "Note: using " << out.builder_file << " instead of " << file
              << " as builder file\n";
  }
  if (words.size() > 2) out.words.assign(words.begin() + 2, words.end());
  return out;
}

void load(RingSession& session, const std::string& command) {
  std::error_code error;
  if (!fs::exists(session.builder_file, error)) {
    // `version` looks at the ring alone.
    if (command == "create" || command == "write_builder" || command == "version") return;
    throw RingArgumentError("Ring Builder file does not exist: " + session.builder_file);
  }
  if (command != "write_builder") session.builder = RingBuilder(read_builder(session.builder_file));
}

// Held until the process ends.
void lock_folder(const std::string& builder_file) {
  const fs::path lock = fs::absolute(builder_file).parent_path() / ".lock";
  const int fd = ::open(lock.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), lock.string());
  for (int tries = 0; ::flock(fd, LOCK_EX | LOCK_NB) != 0; ++tries) {
    if (tries == 150) throw RingArgumentError("Ring/builder dir currently locked.");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

int run_builder(const std::string& program, const std::vector<std::string>& words, bool locked) {
  RingSession session = open_session(program, words);
  const std::string name = words.size() > 1 ? words[1] : "";
  const RingCommand* command = name.empty() ? nullptr : &find_command(name);
  if (locked) lock_folder(session.builder_file);
  load(session, name);
  return command == nullptr ? show_ring(session) : command->run(session);
}

int guarded(const std::string& program, const std::vector<std::string>& words,
            const std::function<int()>& run) {
  try {
    return run();
  } catch (const std::exception& error) {
    std::cout << std::flush;
    const std::string command = words.size() > 1 ? " " + words[1] : "";
    std::cerr << program << command << ": " << error.what() << "\n";
    return kRingError;
  }
}

int run(const std::string& program, const std::vector<std::string>& words, bool locked) {
  if (words.empty() || words.front() == "-h" || words.front() == "--help") {
    print_help(program);
    return kRingDone;
  }
  return guarded(program, words, [&] { return run_builder(program, words, locked); });
}

std::string random_id() {
  std::random_device chance;
  std::string raw;
  while (raw.size() < 16) raw += static_cast<char>(chance());
  // The marks of a random UUID.
  raw[6] = static_cast<char>((raw[6] & 0x0f) | 0x40);
  raw[8] = static_cast<char>((raw[8] & 0x3f) | 0x80);
  return to_hex(raw);
}

}  // namespace

void RingSession::save() {
  if (builder.state().id.empty()) builder.set_id(random_id());
  write_builder(builder.state(), builder_file);
}

void RingSession::save_with_backups(bool with_ring, bool with_builder, RingFormat format) {
  if (with_builder && builder.state().id.empty()) builder.set_id(random_id());
  const fs::path backups = fs::path(builder_file).parent_path() / "backups";
  fs::create_directories(backups);
  const auto backup = [&](const std::string& file) {
    return (backups /
            (std::to_string(std::time(nullptr)) + "." + fs::path(file).filename().string()))
        .string();
  };
  // A backup is the same file, byte by byte.
  if (with_ring) write_ring(builder.ring(), {backup(ring_file), ring_file}, format);
  if (with_builder) write_builder(builder.state(), {backup(builder_file), builder_file});
}

int run_ring(const std::string& program, const std::vector<std::string>& words) {
  if (!words.empty() && (words.front() == "analyzer" || words.front() == "composer")) {
    const std::vector<std::string> rest(words.begin() + 1, words.end());
    const std::string name = program + " " + words.front();
    return guarded(name, {}, [&] {
      return words.front() == "analyzer" ? analyze_ring(name, rest) : compose_ring(name, rest);
    });
  }
  return run(program, words, false);
}

std::optional<int> run_as_ring_tool(const std::vector<std::string>& command_line) {
  if (command_line.empty()) return std::nullopt;
  const std::string name = fs::path(command_line.front()).filename().string();
  const std::vector<std::string> words(command_line.begin() + 1, command_line.end());
  if (name == "swift-ring-builder") return run(name, words, false);
  if (name == "swift-ring-builder-safe") return run(name, words, true);
  if (name == "swift-ring-builder-analyzer")
    return guarded(name, {}, [&] { return analyze_ring(name, words); });
  if (name == "swift-ring-composer")
    return guarded(name, {}, [&] { return compose_ring(name, words); });
  return std::nullopt;
}

Command add_ring(CLI::App& apus) {
  CLI::App* parser = apus.add_subcommand("ring", "make rings: Swift's swift-ring-builder");
  parser->prefix_command();
  parser->set_help_flag();
  parser->allow_extras();
  return {parser, [parser] { return run_ring("apus ring", parser->remaining()); }};
}

}  // namespace apus
