// Sums up what hosts told, in swift-recon's lines.
#pragma once

#include <apus/json.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace apus {

/// One number of each host that answered; nothing for null, or for what is no number.
using ReconNumbers = std::vector<std::optional<double>>;

/// A member that may be absent, null or of another type.
std::optional<double> number_of(const Json& content, std::string_view name);
/// The sum of all members of that name, in objects within objects too.
double nested_sum(const Json& content, std::string_view name);

/// "[NAME] low: 0, high: 1, ..."; false, and nothing printed, when no host has a number.
bool print_stats(const std::string& name, const ReconNumbers& numbers);
/// The same, or "[NAME] - No hosts returned valid data.", with another name if `otherwise` is set.
void print_stats_or_none(const std::string& name, const ReconNumbers& numbers,
                         const std::string& otherwise = "");

/// "2026-11-22 21:25:21", UTC; now for 0.
std::string recon_time(double seconds = 0);
/// "[TIME] TEXT"
void print_begin(const std::string& text);
/// The line of 79 '='.
void print_end();

/// The hosts ("IP:PORT") whose last pass ended first and last.
using ReconMoments = std::vector<std::pair<std::string, std::optional<double>>>;
void print_oldest_and_newest(const ReconMoments& moments);

/// "12 kB": thousands, rounded down.
std::string size_suffix(std::int64_t size);

}  // namespace apus
