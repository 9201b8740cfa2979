// What a sender says: first its offers, later the objects that were wanted.
#pragma once

#include <apus/digest.h>
#include <apus/source.h>

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "framework/ssync/offers.h"
#include "framework/ssync/sender.h"

namespace apus::ssync {

/// Says as much as is asked for: bodies stream from the disk. Not thread-safe.
class Speech {
 public:
  /// All outlive this; `report` is filled as it goes.
  Speech(const ObjectStore& store, Logger& log, const Job& job, Report& report,
         const std::stop_token& stop);

  /// 0 when all is said that can be said before more was heard. Throws BodyError kIo when a body
  /// ends early, for the receiver must not take it for whole, or when a stop was requested.
  std::size_t read(std::span<char> out);
  void start_updates(std::vector<Want> wants);

 private:
  enum class Stage : std::uint8_t { kGreeting, kOffers, kListening, kAnnouncing, kUpdates, kDone };
  void compose();
  bool advance();
  bool offer();
  void update(const Want& want);
  void update_found(const Want& want, bool durable, const ObjectPlace& place, OpenObject& object);
  void start_body(const ObjectPlace& place, OpenObject& object);
  std::size_t read_body(std::span<char> out);
  void leave_out(const std::string& hash, const std::string& why);

  const ObjectStore& store_;
  Logger& log_;
  const Job& job_;
  Report& report_;
  const std::stop_token& stop_;
  Stage stage_ = Stage::kGreeting;
  Offers offers_;
  std::vector<Want> wants_;
  std::size_t want_ = 0;
  std::string said_;  ///< lines and small bodies on their way
  std::size_t at_ = 0;

  struct Body {
    ObjectPlace place;
    Fd file;
    std::uint64_t size = 0;
    std::uint64_t at = 0;
    std::string etag;
    std::string trailer;  ///< lines that follow
    Digest digest{DigestKind::kMd5};
  };
  std::optional<Body> body_;
};

}  // namespace apus::ssync
