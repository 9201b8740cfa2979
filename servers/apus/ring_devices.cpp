// Commands about devices: which there are, and what they are like.
#include <apus/text.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iostream>

#include "servers/apus/formatted.h"
#include "servers/apus/ring_options.h"
#include "servers/apus/ring_session.h"

namespace apus {
namespace {

constexpr double kMostWeight = 1e15;

using Ids = std::vector<int>;

Ids found_by(const RingSession& session, const DeviceFields& search) {
  Ids out;
  for (const auto& device : session.builder.state().devices) {
    if (device && search.fit(*device)) out.push_back(device->id);
  }
  return out;
}

const BuilderDevice& device(const RingSession& session, int id) {
  return *session.builder.state().devices[static_cast<std::size_t>(id)];
}

// False when the operator says no. More than one device is asked about.
bool sure(const RingSession& session, const Ids& ids, bool yes, const std::string& question) {
  if (ids.empty())
    throw RingArgumentError("no device fits the search value; the builder is unchanged");
  if (ids.size() == 1) return true;
  std::cout << "Matched more than one device:\n";
  for (const int id : ids) std::cout << "    " << device_label(device(session, id)) << "\n";
  if (yes) return true;
  std::cout << "Are you sure you want to " << question << " these " << ids.size()
            << " devices? (y/N) " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y") return true;
  std::cout << "Nothing was changed\n";
  return false;
}

void need_no_power_increase(const RingSession& session, const char* what) {
  if (session.builder.state().next_part_power.value_or(0) != 0) {
    throw RingArgumentError(
        std::string("a partition power increase is in progress; finish it before ") + what);
  }
}

// Devices to be added, by words or by options.
std::vector<RingDevice> added(const DeviceArguments& arguments) {
  std::vector<RingDevice> out;
  if (!arguments.words.empty()) {
    if (arguments.by_options || arguments.words.size() % 2 != 0)
      throw RingArgumentError("expected pairs of a device and its weight, or options alone");
    for (std::size_t i = 0; i < arguments.words.size(); i += 2) {
      bool region_given = false;
      out.push_back(parse_added_device(arguments.words[i], region_given));
      out.back().weight = real_number(arguments.words[i + 1], "weight", 0, kMostWeight);
      if (!region_given) {
        std::cerr << "WARNING: No region specified for " << arguments.words[i]
                  << ". Defaulting to region 1.\n";
      }
    }
    return out;
  }
  const DeviceFields& given = arguments.search;
  const auto need = [](bool there, const char* option) {
    if (!there) throw RingArgumentError(std::string(option) + " is missing");
  };
  need(given.region.has_value(), "--region");
  need(given.zone.has_value(), "--zone");
  need(given.ip.has_value(), "--ip");
  need(given.port.has_value(), "--port");
  need(given.device.has_value(), "--device");
  need(given.weight.has_value(), "--weight");
  check_device_name(*given.device, "--device");
  RingDevice one;
  one.region = *given.region;
  one.zone = *given.zone;
  one.weight = *given.weight;
  given.change(one);
  return {one};
}

int add(RingSession& session) {
  const DeviceArguments arguments = parse_device_arguments(session.words, "add");
  if (arguments.help) return kRingDone;
  need_no_power_increase(session, "adding devices");
  std::string told;
  for (const RingDevice& one : added(arguments)) {
    const int id = session.builder.add(one);
    told += "Device " + device_label(device(session, id)) + " with " + shown_number(one.weight) +
            " weight got id " + std::to_string(id) + "\n";
  }
  session.save();
  std::cout << told;
  return kRingDone;
}

int remove(RingSession& session) {
  const DeviceArguments arguments = parse_device_arguments(session.words, "remove");
  if (arguments.help) return kRingDone;
  need_no_power_increase(session, "removing devices");
  Ids ids;
  if (arguments.words.empty()) {
    if (!arguments.by_options) throw RingArgumentError("expected a search value, or options");
    ids = found_by(session, arguments.search);
  } else if (arguments.by_options) {
    throw RingArgumentError("expected search values, or options alone");
  }
  for (const std::string& word : arguments.words) {
    for (const int id : found_by(session, parse_search(word))) {
      if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
    }
  }
  if (!sure(session, ids, arguments.yes, "remove")) return kRingError;
  for (const int id : ids) {
    session.builder.remove(id);
    std::cout << device_label(device(session, id))
              << " marked for removal and will be removed next rebalance.\n";
  }
  session.save();
  return kRingDone;
}

// What set_weight, set_region and set_zone share: pairs of a search value and a new value, or
// options and one new value.
int set_value(RingSession& session, const char* what,
              const std::function<std::string(int, const std::string&)>& set) {
  const DeviceArguments arguments =
      parse_device_arguments(session.words, std::string("set_") + what);
  if (arguments.help) return kRingDone;
  std::vector<std::pair<DeviceFields, std::string>> changes;
  if (arguments.by_options) {
    if (arguments.words.size() != 1)
      throw RingArgumentError(std::string("expected options and one new ") + what);
    changes.emplace_back(arguments.search, arguments.words.front());
  } else {
    if (arguments.words.empty() || arguments.words.size() % 2 != 0)
      throw RingArgumentError(std::string("expected pairs of a search value and a new ") + what);
    for (std::size_t i = 0; i < arguments.words.size(); i += 2)
      changes.emplace_back(parse_search(arguments.words[i]), arguments.words[i + 1]);
  }
  for (const auto& [search, value] : changes) {
    const Ids ids = found_by(session, search);
    if (!sure(session, ids, arguments.yes, std::string("update the ") + what + " for"))
      return kRingError;
    for (const int id : ids) {
      const std::string set_to = set(id, value);
      std::cout << device_label(device(session, id)) << " " << what << " set to " << set_to << "\n";
    }
  }
  session.save();
  return kRingDone;
}

int set_weight(RingSession& session) {
  return set_value(session, "weight", [&](int id, const std::string& text) {
    const double weight = real_number(text, "weight", 0, kMostWeight);
    session.builder.set_weight(id, weight);
    return shown_number(weight);
  });
}
int set_region(RingSession& session) {
  return set_value(session, "region", [&](int id, const std::string& text) {
    const int region = whole_number(text, "region", 0, INT32_MAX);
    session.builder.set_region(id, region);
    return std::to_string(region);
  });
}
int set_zone(RingSession& session) {
  return set_value(session, "zone", [&](int id, const std::string& text) {
    const int zone = whole_number(text, "zone", 0, INT32_MAX);
    session.builder.set_zone(id, zone);
    return std::to_string(zone);
  });
}

int set_info(RingSession& session) {
  const DeviceArguments arguments = parse_device_arguments(session.words, "set_info");
  if (arguments.help) return kRingDone;
  std::vector<std::pair<DeviceFields, DeviceFields>> changes;
  if (arguments.by_options) {
    changes.emplace_back(arguments.search, arguments.change);
  } else {
    if (arguments.words.empty() || arguments.words.size() % 2 != 0)
      throw RingArgumentError("expected pairs of a search value and what changes, or options");
    for (std::size_t i = 0; i < arguments.words.size(); i += 2)
      changes.emplace_back(parse_search(arguments.words[i]), parse_change(arguments.words[i + 1]));
  }
  for (const auto& [search, change] : changes) {
    const Ids ids = found_by(session, search);
    if (!sure(session, ids, arguments.yes, "update the info for")) return kRingError;
    for (const int id : ids) {
      const std::string before = device_label(device(session, id));
      RingDevice changed = device(session, id);
      change.change(changed);
      session.builder.set_info(id, changed);
      std::cout << "Device " << before << " is now " << device_label(device(session, id)) << "\n";
    }
  }
  session.save();
  return kRingDone;
}

int search(RingSession& session) {
  const DeviceArguments arguments = parse_device_arguments(session.words, "search");
  if (arguments.help) return kRingDone;
  if (arguments.words.size() > 1 || arguments.words.empty() != arguments.by_options)
    throw RingArgumentError("expected one search value, or options alone");
  const Ids ids = found_by(
      session, arguments.by_options ? arguments.search : parse_search(arguments.words.front()));
  if (ids.empty()) throw RingArgumentError("no device fits the search value");
  const std::vector<double> balance = session.builder.balance_by_device();
  std::cout << "Devices:    id  region  zone      ip address  port  replication ip  "
               "replication port      name weight partitions balance meta\n";
  for (const int id : ids) {
    const BuilderDevice& d = device(session, id);
    std::cout << "         " << formatted("%5d %7d %5d ", d.id, d.region, d.zone) << right(d.ip, 15)
              << formatted(" %5d ", d.port) << right(d.replication_ip, 15)
              << formatted(" %17d ", d.replication_port) << right(d.device, 9)
              << formatted(" %6.02f %10lld %7.02f ", d.weight, static_cast<long long>(d.parts),
                           balance[static_cast<std::size_t>(id)])
              << d.meta << "\n";
  }
  return kRingDone;
}

int list_parts(RingSession& session) {
  const DeviceArguments arguments = parse_device_arguments(session.words, "list_parts");
  if (arguments.help) return kRingDone;
  if (arguments.words.empty() != arguments.by_options)
    throw RingArgumentError("expected search values, or options alone");
  if (!session.builder.ever_rebalanced())
    throw RingArgumentError(session.builder_file +
                            ": no partition is assigned yet; rebalance first");
  const BuilderState& state = session.builder.state();
  std::vector<bool> wanted(state.devices.size());
  const auto want = [&](const DeviceFields& fields) {
    for (const int id : found_by(session, fields)) wanted[static_cast<std::size_t>(id)] = true;
  };
  if (arguments.by_options) want(arguments.search);
  for (const std::string& word : arguments.words) want(parse_search(word));

  std::vector<int> matches(state.parts());
  std::vector<std::size_t> order;  // as they are found, row by row
  for (const auto& row : state.rows) {
    for (std::size_t part = 0; part < row.size(); ++part) {
      if (wanted[row[part]] && matches[part]++ == 0) order.push_back(part);
    }
  }
  if (order.empty()) throw RingArgumentError("no device with partitions fits the search value");
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return matches[a] > matches[b]; });
  std::string text = "Partition   Matches\n";
  for (const std::size_t part : order) {
    text += right(std::to_string(part), 9) + right(std::to_string(matches[part]), 10) + "\n";
  }
  std::cout << text;
  return kRingDone;
}

}  // namespace

const RingCommand kDeviceCommands[] = {
    {"add",
     "DEVICE WEIGHT [DEVICE WEIGHT]... | --region N --zone N --ip IP --port N --device NAME "
     "--weight W",
     "adds devices; they get partitions at the next rebalance", add},
    {"remove", "SEARCH... | OPTIONS [--yes]",
     "takes failed devices out at the next rebalance; to retire a good one, set its weight to 0 "
     "first",
     remove},
    {"set_weight", "SEARCH WEIGHT [SEARCH WEIGHT]... | OPTIONS WEIGHT [--yes]",
     "how much of the ring devices get, relative to the others", set_weight},
    {"set_region", "SEARCH REGION... | OPTIONS REGION [--yes]", "moves devices to a region",
     set_region},
    {"set_zone", "SEARCH ZONE... | OPTIONS ZONE [--yes]", "moves devices to a zone", set_zone},
    {"set_info", "SEARCH CHANGE... | OPTIONS --change-ip IP... [--yes]",
     "a device's address, name or meta; write_ring brings it into the ring", set_info},
    {"search", "SEARCH | OPTIONS", "shows the devices that fit", search},
    {"list_parts", "SEARCH... | OPTIONS", "the partitions on those devices, and how often",
     list_parts},
    {nullptr, nullptr, nullptr, nullptr},
};

}  // namespace apus
