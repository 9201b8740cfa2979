// An upload whose body is a MIME document of several parts: the object, what is known of it only
// after its last byte, and the word that every copy has it.
#pragma once

#include <apus/message.h>

#include <memory>
#include <optional>
#include <string>

#include "servers/object/mime_reader.h"

namespace apus {

/// Swift's form of a PUT whose metadata follows the bytes (X-Backend-Obj-Metadata-Footer) and whose
/// commit is a phase of its own (X-Backend-Obj-Multiphase-Commit). Parts are read in order: object,
/// footers, finish.
class MimeUpload {
 public:
  /// The answer that ends such a request.
  struct Refused {
    int status;
    std::string text;
  };

  /// Nothing when the request is a plain PUT. Lets the sender know what is understood and opens the
  /// first part. Throws Refused and BodyError, like all below.
  static std::optional<MimeUpload> of(Request& request);
  MimeUpload(MimeUpload&&) noexcept;
  ~MimeUpload();

  /// The object's bytes. Owned by this.
  Source& object() { return *object_; }
  /// The fields of the second part, none when none was announced.
  Headers footers();
  /// Asks for the word to commit when that was announced, and reads the body to its end.
  void finish();

 private:
  MimeUpload(Source& body, const std::string& boundary, bool footer, bool two_phases);

  Source* body_;
  std::unique_ptr<MimeReader> reader_;
  std::unique_ptr<Source> object_;
  bool footer_;
  bool two_phases_;
};

}  // namespace apus
