// Commands about the ring as a whole.
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <iostream>

#include "servers/apus/device_words.h"
#include "servers/apus/ring_session.h"

namespace apus {
namespace {

const std::string& only_word(const RingSession& session, const char* what) {
  if (session.words.size() != 1) throw RingArgumentError(std::string("expected one ") + what);
  return session.words.front();
}
void no_words(const RingSession& session) {
  if (!session.words.empty())
    throw RingArgumentError("'" + session.words.front() + "': expected no argument");
}

int create(RingSession& session) {
  if (session.words.size() != 3)
    throw RingArgumentError("expected PART_POWER REPLICAS MIN_PART_HOURS");
  session.builder = RingBuilder(whole_number(session.words[0], "part power", 0, 32),
                                real_number(session.words[1], "replicas", 1, 1000),
                                whole_number(session.words[2], "min_part_hours", 0, INT32_MAX));
  session.save_with_backups(false, true);
  return kRingDone;
}

int set_min_part_hours(RingSession& session) {
  const int hours =
      whole_number(only_word(session, "number of hours"), "min_part_hours", 0, INT32_MAX);
  session.builder.set_min_part_hours(hours);
  session.save();
  std::cout << "The minimum number of hours before a partition can be reassigned is now set to "
            << hours << "\n";
  return kRingDone;
}

void tell_of_next_rebalance() {
  std::cout << "The change will take effect after the next rebalance.\n";
}

int set_replicas(RingSession& session) {
  session.builder.set_replicas(real_number(only_word(session, "number"), "replicas", 1, 1000));
  session.save();
  std::printf("The replica count is now %.6f.\n", session.builder.state().replicas);
  std::fflush(stdout);
  tell_of_next_rebalance();
  return kRingDone;
}

int set_overload(RingSession& session) {
  std::string text = only_word(session, "fraction, as 0.1 or 10%");
  const bool percent = text.ends_with('%');
  if (percent) text.pop_back();
  double overload = real_number(text, "overload", 0, 1e9);
  if (percent) overload *= 0.01;
  session.builder.set_overload(overload);
  session.save();
  const bool odd = overload > 1 && !percent;
  if (odd) std::cout << "!?! Warning overload is greater than 100% !?!\n" << std::flush;
  std::printf("The overload factor is now %0.2f%% (%.6f)\n", overload * 100, overload);
  std::fflush(stdout);
  tell_of_next_rebalance();
  return odd ? kRingWarning : kRingDone;
}

int pretend_min_part_hours_passed(RingSession& session) {
  no_words(session);
  session.builder.pretend_min_part_hours_passed();
  session.save();
  return kRingDone;
}

void tell_of_power(const char* which, int power) {
  std::cout << "The " << which << " is now " << power << ".\n"
            << "The change will take effect after the next write_ring.\n";
}

int prepare_increase(RingSession& session) {
  no_words(session);
  const std::string name = std::filesystem::path(session.builder_file).filename().string();
  if (name.find("object") == std::string::npos)
    throw RingArgumentError(name + ": expected an object ring; others keep their partition power");
  if (session.builder.state().part_power >= 32)
    throw RingArgumentError("the partition power is 32 and cannot grow");
  if (!session.builder.prepare_increase_partition_power())
    throw RingArgumentError("the ring is prepared for a partition power increase already");
  session.save();
  tell_of_power("next partition power", *session.builder.state().next_part_power);
  std::cout << "Once all servers have that ring, swift-object-relinker has to link what there is "
               "to its places after the increase.\n";
  return kRingDone;
}

int increase(RingSession& session) {
  no_words(session);
  if (!session.builder.increase_partition_power(std::time(nullptr))) {
    throw RingArgumentError(
        "the partition power cannot grow now: it is not prepared, or has grown already");
  }
  session.save();
  tell_of_power("partition power", session.builder.state().part_power);
  return kRingDone;
}

int cancel_increase(RingSession& session) {
  no_words(session);
  if (!session.builder.cancel_increase_partition_power())
    throw RingArgumentError("no partition power increase is prepared that could be canceled");
  session.save();
  tell_of_power("next partition power", *session.builder.state().next_part_power);
  std::cout << "Once all servers have that ring, swift-object-relinker has to clean up.\n";
  return kRingDone;
}

int finish_increase(RingSession& session) {
  no_words(session);
  if (!session.builder.finish_increase_partition_power())
    throw RingArgumentError("no partition power increase is there that could be finished");
  session.save();
  std::cout << "The change will take effect after the next write_ring.\n";
  return kRingDone;
}

}  // namespace

const RingCommand kSettingCommands[] = {
    {"create", "PART_POWER REPLICAS MIN_PART_HOURS",
     "a new builder: 2^PART_POWER partitions; one moves again after MIN_PART_HOURS at the earliest",
     create},
    {"set_min_part_hours", "HOURS", "at least as long as a replication cycle takes",
     set_min_part_hours},
    {"set_replicas", "REPLICAS", "may be a fraction: 3.25 gives a quarter of the partitions four",
     set_replicas},
    {"set_overload", "FRACTION[%]",
     "how much more than its share a device may take so that replicas are further apart",
     set_overload},
    {"pretend_min_part_hours_passed", "",
     "lets every partition move again; replicas that were not copied yet may be out of reach",
     pretend_min_part_hours_passed},
    {"prepare_increase_partition_power", "", "first step to twice as many partitions",
     prepare_increase},
    {"increase_partition_power", "", "second step, when everything is linked to its next place",
     increase},
    {"cancel_increase_partition_power", "", "back, instead of the second step", cancel_increase},
    {"finish_increase_partition_power", "", "last step, when the old links are gone",
     finish_increase},
    {nullptr, nullptr, nullptr, nullptr},
};

}  // namespace apus
