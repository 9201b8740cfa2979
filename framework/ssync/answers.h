// What a sender hears of a receiver within one SSYNC exchange.
#pragma once

#include <apus/abi.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "framework/ssync/line_reader.h"
#include "framework/ssync/protocol.h"

namespace apus::ssync {

/// The exchange cannot go on: what the receiver said instead, for the log.
class APUS_API ExchangeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  ~ExchangeError() override;
};

/// Reads up to the start of the wants, which come once all was offered. Throws ExchangeError for an
/// error line, for any other, or an early end, and BodyError as the body does.
APUS_API void read_wants_start(LineReader& lines);

/// Reads the wants and their end. At most `most`: a receiver can want no more than it was offered.
/// A hash that it names twice is wanted once, with the parts it named last. Throws as the first.
APUS_API std::vector<Want> read_wants(LineReader& lines, std::size_t most);

/// Reads what the receiver says behind the updates. Throws as the others.
APUS_API void read_updates_end(LineReader& lines);

}  // namespace apus::ssync
