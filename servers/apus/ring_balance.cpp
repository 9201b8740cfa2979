// Commands that assign partitions, and tell how well they are spread.
#include <apus/pattern.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <memory>

#include "framework/ring/dispersion.h"
#include "servers/apus/formatted.h"
#include "servers/apus/ring_options.h"
#include "servers/apus/ring_session.h"

namespace apus {
namespace {

const std::string kLine(79, '-');

struct RebalanceArguments {
  bool force = false;
  bool debug = false;
  std::string seed;
  std::string positional_seed;
  std::string format = "1";
};

// Whether the result is worth to be given to all servers.
bool worth_it(bool force, bool devices_changed, double balance_before, double balance,
              std::optional<double> dispersion_before, double dispersion) {
  if (force || devices_changed) return true;
  if (balance_before == kMaxBalance && balance == kMaxBalance) return true;
  return std::abs(balance_before - balance) >= 1 || !dispersion_before ||
         std::abs(*dispersion_before - dispersion) >= 1;
}

int tell_why_nothing_moved(const RingSession& session, std::int64_t seconds_left) {
  std::cout << "No partitions could be reassigned.\n";
  if (seconds_left > 0) {
    std::cout << "The time between rebalances must be at least min_part_hours: "
              << session.builder.state().min_part_hours << " hours ("
              << shown_duration(seconds_left) << " remaining)\n";
  } else {
    std::cout << "There is no need to do so at this time\n";
  }
  return kRingWarning;
}

// Status 1, and a note, when the ring could be better.
int judge(const BuilderState& state, double balance) {
  if (*state.dispersion > 0) {
    std::cout << kLine << "\n"
              << formatted("NOTE: Dispersion of %.06f indicates that some parts are not\n",
                           *state.dispersion)
              << "      as far apart as they could be: see the dispersion report; weights or\n"
                 "      the overload decide.\n"
              << kLine << "\n";
    return kRingWarning;
  }
  if (balance > 5 && balance / 100 > state.overload) {
    std::cout << kLine << "\n"
              << formatted("NOTE: Balance of %.02f indicates that this ring should be pushed;\n",
                           balance)
              << "      rebalance and push again after at least " << state.min_part_hours
              << " hours.\n"
              << kLine << "\n";
    return kRingWarning;
  }
  return kRingDone;
}

int rebalance(RingSession& session) {
  RebalanceArguments arguments;
  CLI::App options("Moves partitions to where they should be; writes builder and ring.",
                   "rebalance");
  options.add_flag("-f,--force", arguments.force, "write the ring even if less than 1 % changed");
  options.add_option("-s,--seed", arguments.seed, "any text; equal seeds give equal rings");
  options.add_option("seed", arguments.positional_seed, "the same");
  options.add_flag("-d,--debug", arguments.debug, "taken and not used");
  options.add_option("--format-version", arguments.format, "of the ring file: 1 or 2");
  if (!parse_ring_options(options, session.words)) return kRingDone;
  const int format = whole_number(arguments.format, "--format-version", 1, 2);
  const BuilderState& state = session.builder.state();
  if (state.next_part_power.value_or(0) != 0) {
    throw RingArgumentError(
        "a partition power increase is in progress; finish it before rebalancing");
  }
  const std::string& seed = arguments.seed.empty() ? arguments.positional_seed : arguments.seed;
  const bool devices_changed = state.devices_changed;
  const std::optional<double> dispersion_before = state.dispersion;
  const std::int64_t now = std::time(nullptr);
  const std::int64_t seconds_left = session.builder.min_part_seconds_left(now);
  const double balance_before = session.builder.balance();
  const RebalanceResult result = session.builder.rebalance(
      seed.empty() ? std::nullopt : std::optional<std::string>(seed), now);
  if (result.moved == 0 && result.removed == 0 && !arguments.force)
    return tell_why_nothing_moved(session, seconds_left);
  if (!worth_it(arguments.force, devices_changed, balance_before, result.balance, dispersion_before,
                *state.dispersion)) {
    std::cout << "Cowardly refusing to save rebalance as it did not change at least 1%.\n";
    return kRingWarning;
  }
  session.builder.validate();
  std::cout << formatted(
      "Reassigned %lld (%.02f%%) partitions. Balance is now %.02f.  Dispersion is now %.02f\n",
      static_cast<long long>(result.moved),
      100.0 * static_cast<double>(result.moved) / static_cast<double>(state.parts()),
      result.balance, *state.dispersion);
  const int status = judge(state, result.balance);
  session.save_with_backups(true, true, static_cast<RingFormat>(format));
  return status;
}

void print_tiers(const BuilderState& state, const DispersionReport& report) {
  std::size_t width = 30;
  for (const TierDispersion& tier : report.tiers) width = std::max(width, tier.name.size());
  const std::size_t column = std::max<std::size_t>(5, std::to_string(state.parts()).size());
  std::string head =
      left("Tier", width) + " " + right("Parts", column) + right("%", 7) + right("Max", 7);
  for (int n = 0; n < std::ceil(state.replicas + 1); ++n)
    head += " " + right(std::to_string(n), column);
  const std::string line(head.size(), '-');
  std::cout << line << "\n" << head << "\n" << line << "\n";
  for (const TierDispersion& tier : report.tiers) {
    std::cout << left(tier.name, width) << " " << right(std::to_string(tier.placed), column)
              << right(formatted("%.02f", tier.dispersion), 7)
              << right(std::to_string(tier.most), 7);
    for (const std::int64_t count : tier.replicas)
      std::cout << " " << right(std::to_string(count), column);
    std::cout << "\n";
  }
}

int dispersion(RingSession& session) {
  std::string filter;
  bool verbose = false;
  bool recalculate = false;
  CLI::App options("How many replicas of a partition are closer together than they need to be.",
                   "dispersion");
  options.add_option("filter", filter, "a regular expression for the start of tiers' names");
  options.add_flag("-v,--verbose", verbose, "every tier, and how many partitions have how many");
  options.add_flag("--recalculate", recalculate, "count again, and save the builder");
  if (!parse_ring_options(options, session.words)) return kRingDone;
  const BuilderState& state = session.builder.state();
  if (!session.builder.ever_rebalanced())
    throw RingArgumentError(session.builder_file +
                            ": no partition is assigned yet; rebalance first");
  std::unique_ptr<Pattern> pattern;
  if (!filter.empty()) {
    try {
      pattern = std::make_unique<Pattern>("^(?:" + filter + ")");
    } catch (const std::runtime_error& error) {
      throw RingArgumentError("filter '" + filter +
                              "': expected a regular expression: " + error.what());
    }
  }
  if (recalculate || state.dispersion_graph.empty()) {
    session.builder.measure_dispersion();
    session.save();
  }
  const DispersionReport report = dispersion_report(state, [&](const std::string& name) {
    return pattern == nullptr || pattern->found_in(name);
  });
  std::cout << formatted("Dispersion is %.06f, Balance is %.06f, Overload is %0.2f%%\n",
                         state.dispersion.value_or(0), session.builder.balance(),
                         state.overload * 100)
            << formatted("Required overload is %.6f%%\n",
                         session.builder.required_overload() * 100);
  if (!report.worst_tier.empty())
    std::cout << formatted("Worst tier is %.06f (", report.worst) << report.worst_tier << ")\n";
  if (verbose && !report.tiers.empty()) print_tiers(state, report);
  return report.worst_tier.empty() ? kRingDone : kRingWarning;
}

int validate(RingSession& session) {
  session.builder.validate();
  return kRingDone;
}

}  // namespace

const RingCommand kBalanceCommands[] = {
    {"rebalance", "[--seed TEXT] [--force] [--format-version 1|2]",
     "moves partitions to where they should be; writes builder and ring", rebalance},
    {"dispersion", "[FILTER] [--verbose] [--recalculate]",
     "how far apart replicas are; status 1 when some could be further", dispersion},
    {"validate", "", "whether every partition has its replicas on different devices", validate},
    {nullptr, nullptr, nullptr, nullptr},
};

}  // namespace apus
