// The MIME document in which a body travels whose metadata is known only at its end (format:
// Swift's object server, X-Backend-Obj-Metadata-Footer).
#pragma once

#include <apus/message.h>

#include <string>

namespace apus::http {

class FooterEnvelope {
 public:
  /// `boundary` must not be guessable by who sends the body.
  explicit FooterEnvelope(std::string boundary) : boundary_(std::move(boundary)) {}

  /// Announces the document: the length moves aside, for the document's own is not known.
  void dress(Request& request) const;
  /// What stands before the body.
  [[nodiscard]] std::string opening() const;
  /// What stands behind it: the footers and their digest.
  [[nodiscard]] std::string closing(const Headers& footers) const;

 private:
  std::string boundary_;
};

}  // namespace apus::http
