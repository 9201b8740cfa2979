// What a line of the access log can show.
#pragma once

#include <apus/log_template.h>

#include <array>
#include <cstddef>

namespace apus::proxy_logging {

using Kind = LogField::Kind;
inline constexpr std::array kFields = {
    LogField{"client_ip", Kind::kPrivate},
    LogField{"remote_addr", Kind::kPrivate},
    LogField{"domain", Kind::kPrivate},
    LogField{"path", Kind::kPrivate},
    LogField{"referer", Kind::kPrivate},
    LogField{"user_agent", Kind::kPrivate},
    LogField{"headers", Kind::kPrivate},
    LogField{"client_etag", Kind::kPrivate},
    LogField{"account", Kind::kPrivate},
    LogField{"container", Kind::kPrivate},
    LogField{"object", Kind::kPrivate},
    LogField{"method"},
    LogField{"protocol"},
    LogField{"auth_token"},
    LogField{"transaction_id"},
    LogField{"source"},
    LogField{"log_info"},
    LogField{"policy_index"},
    LogField{"ttfb"},
    LogField{"pid"},
    LogField{"wire_status_int"},
    LogField{"start_time", Kind::kTime},
    LogField{"end_time", Kind::kTime, true},
    LogField{"status_int", Kind::kPlain, true},
    LogField{"bytes_recvd", Kind::kPlain, true},
    LogField{"bytes_sent", Kind::kPlain, true},
    LogField{"request_time", Kind::kPlain, true},
};

// Places in kFields.
enum Field : std::size_t {
  kClientIp,
  kRemoteAddr,
  kDomain,
  kPath,
  kReferer,
  kUserAgent,
  kHeaders,
  kClientEtag,
  kAccount,
  kContainer,
  kObject,
  kMethod,
  kProtocol,
  kAuthToken,
  kTransactionId,
  kSource,
  kLogInfo,
  kPolicyIndex,
  kTtfb,
  kPid,
  kWireStatusInt,
  kStartTime,
  kEndTime,
  kStatusInt,
  kBytesRecvd,
  kBytesSent,
  kRequestTime,
};
using Values = std::array<LogValue, kFields.size()>;

}  // namespace apus::proxy_logging
