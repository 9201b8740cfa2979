// A request whose body and whose answer's body are one conversation: SSYNC.
#pragma once

#include <apus/transport.h>

#include <chrono>

namespace apus {

/// Waiting times of a conversation; zero = for ever.
struct DuplexDeadlines {
  std::chrono::milliseconds connect{500};
  std::chrono::milliseconds head{10000};    ///< until the head of the answer
  std::chrono::milliseconds send{10000};    ///< for each piece to leave
  std::chrono::milliseconds answer{60000};  ///< for each piece of the answer
};

/// Sends the head of a request with a chunked body, and returns when the head of the answer is
/// there. With 200 the answer's body goes on with the conversation: reading it first says all that
/// the request's body has to say now, then waits for the other side. The request's body returns 0
/// when it has nothing to say before it heard more; it is asked again at each read that would have
/// to wait. What the other side says out of turn ends the speech: it is read at once. The
/// connection is closed with the answer's body; the speech is ended in order unless it failed.
///
/// An endpoint of this process is called without a socket. Errors under way are BodyError, of the
/// request's body or kIo. Blocks the calling thread alone.
APUS_API Outcome converse(Transport& transport, Call call, const DuplexDeadlines& deadlines);

}  // namespace apus
