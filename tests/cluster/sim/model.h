// What clients were told, and so what a cluster may hold: the reference that a simulation is held
// against.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace apus::sim {

/// One object's history. The newest moment wins, whatever the order of arrival; what was refused or
/// had no answer may have come to pass or not.
class ObjectHistory {
 public:
  struct Change {
    enum class Kind : std::uint8_t { kPut, kPost, kDelete };
    Kind kind = Kind::kPut;
    std::string moment;  ///< its timestamp, of fixed width
    std::string body;    ///< of a PUT
    std::string colour;  ///< X-Object-Meta-Colour of a PUT or POST
    bool acknowledged = false;
  };
  struct State {
    bool there = false;
    std::string body;
    std::string colour;
    friend bool operator==(const State&, const State&) = default;
  };

  void add(Change change) { changes_.push_back(std::move(change)); }
  /// Why `state` cannot be what is left when all came to rest; empty = it can.
  [[nodiscard]] std::string objection(const State& state) const;
  /// True when what is left is what a client was told. Where it is not, a listing may be behind for
  /// ever: a server that dies between the object's file and its note for the container was never
  /// able to answer (so it is with Swift's).
  [[nodiscard]] bool is_certain() const;
  /// True when a PUT had this body.
  [[nodiscard]] bool was_written(const std::string& body) const;

 private:
  [[nodiscard]] std::string newest_acknowledged() const;
  [[nodiscard]] bool colour_fits(const Change& put, const std::string& colour) const;

  std::vector<Change> changes_;
};

/// By "container/object".
using Model = std::map<std::string, ObjectHistory>;

}  // namespace apus::sim
