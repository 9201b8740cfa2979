// PUT: checks, body into a nameless file, footers, metadata, a name, the news of it.
#include <apus/conditional.h>
#include <apus/constraints.h>
#include <apus/digest.h>

#include <algorithm>

#include "servers/object/mime_upload.h"
#include "servers/object/object_app.h"

namespace apus {
namespace {

std::int64_t expiry_of(std::string_view text) { return parse_int(text).value_or(0); }

// The row's fields that a request or its footers replace: those with the sysmeta name last.
void apply_overrides(const Headers& request, const Headers& footers, Headers& row) {
  for (const std::string_view prefix :
       {"X-Backend-Container-Update-Override-", "X-Object-Sysmeta-Container-Update-Override-"}) {
    for (const Headers* from : {&request, &footers}) {
      for (const auto& [name, value] : *from) {
        if (starts_with_name(name, prefix)) row.set("X-" + name.substr(prefix.size()), value);
      }
    }
  }
}

std::string without_quotes(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
    etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

// A body that fails here is one that the proxy could not go on sending.
int status_of(const BodyError& error) {
  const auto kind = error.kind();
  return kind == BodyError::Kind::kIo || kind == BodyError::Kind::kMalformed ? 499 : error.status();
}

bool has_tag_of(const Request& request, std::string_view etag) {
  const std::string* tags = request.headers.find("If-None-Match");
  if (tags == nullptr) return false;
  const Headers condition{{"If-None-Match", *tags}};
  return failed_precondition(condition, etag, std::nullopt).has_value();
}

}  // namespace

struct ObjectApp::Put {
  Timestamp timestamp;
  std::optional<std::uint64_t> size;  ///< what the body must have, when it is known
  std::int64_t old_expiry = 0;
  std::string md5;
  std::uint64_t written = 0;
  Headers footers;
  std::optional<MimeUpload> mime;
};

Response ObjectApp::put(Request& request, const Target& target) const {
  Put put;
  if (auto refusal = prepare(request, target, put)) return std::move(*refusal);
  ObjectWriter writer(store_, target.place);
  if (const int error = writer.open(put.size)) return unwritten(request, target, error);
  try {
    if (auto refusal = receive(request, target, put, writer)) return std::move(*refusal);
    if (auto refusal = store(request, target, put, writer)) return std::move(*refusal);
  } catch (const BodyError& error) {
    return error_response(status_of(error));
  } catch (const MimeUpload::Refused& refused) {
    return Response(refused.status, refused.text);
  }
  tell(request, target, put);
  Response out(201);
  out.headers.set("Content-Type", "text/html; charset=UTF-8");
  out.headers.set("Etag", "\"" + put.md5 + "\"");
  return out;
}

std::optional<Response> ObjectApp::prepare(Request& request, const Target& target, Put& put) const {
  Response refusal;
  const auto timestamp = request_timestamp(request, refusal);
  if (!timestamp) return refusal;
  put.timestamp = *timestamp;
  if (auto bad = check_object_creation(request, target.path.object, host_.swift_conf().constraints,
                                       *timestamp)) {
    return bad;
  }
  put.size = request.chunked ? std::nullopt : request.content_length;
  if (const std::string_view told = fact(request, "X-Backend-Obj-Content-Length");
      !put.size && !told.empty()) {
    const auto size = parse_int(told);
    if (!size || *size < 0) return bad_request(request, "Invalid X-Backend-Obj-Content-Length");
    put.size = static_cast<std::uint64_t>(*size);
  }
  if (!devices_.usable(target.path.device))
    return insufficient_storage(request, target.path.device);
  const OpenObject existing = store_.open(target.place, *timestamp, false, Opening::kFields);
  if (auto ending = unusable(request, target, existing)) return ending;
  const bool found = existing.state == ObjectState::kFound;
  if (found && has_tag_of(request, existing.metadata().get("ETag"))) return error_response(412);
  const Timestamp& last = found ? existing.data_timestamp : existing.timestamp;
  if (existing.state != ObjectState::kMissing && last >= *timestamp) return conflict(request, last);
  if (found) put.old_expiry = expiry_of(existing.metadata().get("X-Delete-At"));
  return std::nullopt;
}

std::optional<Response> ObjectApp::receive(Request& request, const Target& target, Put& put,
                                           ObjectWriter& writer) const {
  Source* body = request.body.get();
  if (body != nullptr) {
    if (auto mime = MimeUpload::of(request)) {
      put.mime.emplace(std::move(*mime));
      body = &put.mime->object();
    }
  }
  const Clock::Steady end =
      host_.clock().steady() + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::duration<double>(max_upload_time_));
  Digest digest(DigestKind::kMd5);
  std::string buffer(std::min<std::uint64_t>(chunk_, put.size.value_or(chunk_) + 1), '\0');
  while (body != nullptr) {
    const std::size_t count = body->read(buffer);
    if (count == 0) break;
    if (host_.clock().steady() > end) return error_response(408);
    digest.update(std::string_view(buffer).substr(0, count));
    if (const int error = writer.write(std::span(buffer).first(count)))
      return unwritten(request, target, error);
  }
  put.written = writer.written();
  if (put.size && put.written != *put.size) return error_response(499);
  put.md5 = digest.finish_hex();
  if (put.mime) {
    put.footers = put.mime->footers();
  } else if (request.context.update_footers) {
    request.context.update_footers(put.footers);
  }
  return std::nullopt;
}

std::optional<Response> ObjectApp::store(Request& request, const Target& target, Put& put,
                                         ObjectWriter& writer) const {
  const std::string* footer = put.footers.find("ETag");
  const std::string wanted = footer != nullptr && !footer->empty()
                                 ? without_quotes(put.mime ? lower(*footer) : *footer)
                                 : without_quotes(request.headers.get("ETag"));
  if (!wanted.empty() && wanted != put.md5) return error_response(422);
  ObjectMetadata metadata;
  metadata.append_known_new("X-Timestamp", put.timestamp.internal());
  metadata.append_known_new("Content-Type", std::string(request.headers.get("Content-Type")));
  metadata.append_known_new("Content-Length", std::to_string(put.written));
  metadata.append_known_new("ETag", put.md5);
  kept_.copy_for_put(request, metadata);
  KeptHeaders::copy_footers(put.footers, metadata);
  metadata.append_known_new("name", target.place.name);
  // Replicated data is whole with its name; the second phase only tells that every copy has it.
  if (const int error =
          writer.commit(metadata, put.timestamp.internal() + ".data", target.next_part_power)) {
    return unwritten(request, target, error);
  }
  if (put.mime) put.mime->finish();
  return std::nullopt;
}

void ObjectApp::tell(const Request& request, const Target& target, const Put& put) const {
  update_expirer(request, target, put.old_expiry, expiry_of(request.headers.get("X-Delete-At")),
                 put.timestamp);
  Headers row;
  row.set("X-Size", std::to_string(put.written));
  row.set("X-Content-Type", std::string(request.headers.get("Content-Type")));
  row.set("X-Timestamp", put.timestamp.internal());
  row.set("X-Etag", put.md5);
  apply_overrides(request.internal, put.footers, row);
  update_container(request, target, "PUT", std::move(row));
}

}  // namespace apus
