#include "servers/apus/ring_options.h"

#include <algorithm>
#include <cstdint>
#include <iostream>

#include "framework/conf/nearest_name.h"

namespace apus {
namespace {

constexpr const char* kWhole = "a whole number";

// The options' texts, before they are looked at.
struct Texts {
  std::string id, region, zone, ip, port, replication_ip, replication_port, device, weight, meta;
  std::string to_ip, to_port, to_replication_ip, to_replication_port, to_device, to_meta;
};

std::optional<int> number(const std::string& text, const char* option, int high = INT32_MAX) {
  if (text.empty()) return std::nullopt;
  return whole_number(text, option, 0, high);
}
std::optional<std::string> address(const std::string& text, const char* option) {
  if (text.empty()) return std::nullopt;
  return normal_address(text, option);
}
std::optional<std::string> word(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

DeviceFields search_of(const Texts& texts) {
  DeviceFields out;
  out.id = number(texts.id, "--id");
  out.region = number(texts.region, "--region");
  out.zone = number(texts.zone, "--zone");
  out.ip = address(texts.ip, "--ip");
  out.port = number(texts.port, "--port", 65535);
  out.replication_ip = address(texts.replication_ip, "--replication-ip");
  out.replication_port = number(texts.replication_port, "--replication-port", 65535);
  out.device = word(texts.device);
  if (!texts.weight.empty()) out.weight = real_number(texts.weight, "--weight", 0, 1e15);
  out.meta = word(texts.meta);
  return out;
}

DeviceFields change_of(const Texts& texts) {
  DeviceFields out;
  out.ip = address(texts.to_ip, "--change-ip");
  out.port = number(texts.to_port, "--change-port", 65535);
  out.replication_ip = address(texts.to_replication_ip, "--change-replication-ip");
  out.replication_port = number(texts.to_replication_port, "--change-replication-port", 65535);
  out.device = word(texts.to_device);
  if (out.device) check_device_name(*out.device, "--change-device");
  out.meta = word(texts.to_meta);
  return out;
}

// Not a negative number.
bool is_option(const std::string& word) {
  return word.size() > 1 && word[0] == '-' && (word[1] < '0' || word[1] > '9') && word[1] != '.';
}

[[noreturn]] void throw_unknown(const CLI::App& options, const std::string& word) {
  std::string known;
  std::vector<std::string> names;
  for (const CLI::Option* option : options.get_options()) {
    if (!option->get_name().starts_with('-')) continue;
    names.push_back(option->get_name());
    known += (known.empty() ? "" : ", ") + option->get_name();
  }
  const std::string near = nearest_name(word, names);
  throw RingArgumentError("'" + word + "' is not known" +
                          (near.empty() ? "" : "; did you mean " + near + "?") + "; expected " +
                          known);
}

}  // namespace

bool parse_ring_options(CLI::App& options, const std::vector<std::string>& words) {
  std::vector<std::string> reversed(words.rbegin(), words.rend());
  try {
    options.parse(reversed);
    return true;
  } catch (const CLI::CallForHelp&) {
    std::cout << options.help();
    return false;
  } catch (const CLI::ParseError& error) {
    for (const std::string& left : options.remaining()) {
      if (is_option(left)) throw_unknown(options, left);
    }
    std::string text = error.what();
    std::replace(text.begin(), text.end(), '\n', ' ');
    throw RingArgumentError(text);
  }
}

DeviceArguments parse_device_arguments(const std::vector<std::string>& words,
                                       const std::string& command) {
  DeviceArguments out;
  Texts texts;
  CLI::App options("Which devices: a search value, or these options.", command);
  options.allow_extras();  // CLI11 would take [::1] among words for a list
  options.add_option("-u,--id", texts.id, "the device's number");
  options.add_option("-r,--region", texts.region, kWhole);
  options.add_option("-z,--zone", texts.zone, kWhole);
  options.add_option("-i,--ip", texts.ip, "IP address or host name");
  options.add_option("-p,--port", texts.port, kWhole);
  options.add_option("-j,--replication-ip", texts.replication_ip, "IP address or host name");
  options.add_option("-q,--replication-port", texts.replication_port, kWhole);
  options.add_option("-d,--device", texts.device, "its folder, as sdb1");
  options.add_option("-w,--weight", texts.weight, "a number");
  options.add_option("-m,--meta", texts.meta, "any text");
  options.add_option("-I,--change-ip", texts.to_ip, "set_info: the new address");
  options.add_option("-P,--change-port", texts.to_port, "set_info: the new port");
  options.add_option("-J,--change-replication-ip", texts.to_replication_ip, "set_info");
  options.add_option("-Q,--change-replication-port", texts.to_replication_port, "set_info");
  options.add_option("-D,--change-device", texts.to_device, "set_info: the new folder");
  options.add_option("-M,--change-meta", texts.to_meta, "set_info: the new text");
  options.add_flag("-y,--yes", out.yes, "ask nothing");
  if (!parse_ring_options(options, words)) {
    out.help = true;
    return out;
  }
  out.words = options.remaining();
  for (const std::string& word : out.words) {
    if (is_option(word)) throw_unknown(options, word);
  }
  out.search = search_of(texts);
  out.change = change_of(texts);
  for (const CLI::Option* option : options.get_options()) {
    const std::string name = option->get_name();
    if (option->count() > 0 && name.starts_with('-') && !name.starts_with("--change") &&
        name != "--yes") {
      out.by_options = true;
    }
  }
  return out;
}

}  // namespace apus
