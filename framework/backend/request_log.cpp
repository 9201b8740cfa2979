#include "framework/backend/request_log.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <ctime>

#include "framework/backend/backend.h"

namespace apus {
namespace {

std::string moment(double now) {
  const auto second = static_cast<std::time_t>(now);
  std::tm parts{};
  ::gmtime_r(&second, &parts);
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::array<char, 64> text;
  const int size = std::snprintf(text.data(), text.size(), "%02d/%s/%04d:%02d:%02d:%02d +0000",
                                 parts.tm_mday, kMonths.at(static_cast<std::size_t>(parts.tm_mon)),
                                 parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string or_dash(std::string_view text) { return text.empty() ? "-" : std::string(text); }

}  // namespace

void log_backend_request(Logger& log, LogLevel level, double now, const Request& request,
                         const std::string& path, const Response& response, double seconds) {
  if (!log.enabled(level)) return;
  const std::string& id = request.context.trans_id;
  std::array<char, 32> taken;
  std::snprintf(taken.data(), taken.size(), "%.4f", seconds);
  std::string line = or_dash(request.context.remote_address) + " - - [" + moment(now) + "] \"";
  line += request.method + " " + quote(path) + "\" " + std::to_string(response.status) + " ";
  line += response.content_length ? std::to_string(*response.content_length) : "-";
  line += " \"" + or_dash(request.headers.get("Referer")) + "\" \"";
  line += or_dash(request.headers.get("X-Trans-Id", id)) + "\" \"";
  line += or_dash(request.headers.get("User-Agent")) + "\" " + taken.data() + " \"-\" ";
  line += std::to_string(::getpid()) + " ";
  std::string_view policy = fact(request, "X-Backend-Storage-Policy-Index");
  if (policy.empty()) policy = response.internal.get("X-Backend-Storage-Policy-Index");
  line += or_dash(policy);
  log.write(level, line, id);
}

}  // namespace apus
