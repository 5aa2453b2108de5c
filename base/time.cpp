#include "base/time.hpp"

#include <cstdio>
#include <ctime>

namespace strait {

Instant now_instant() {
  return std::chrono::time_point_cast<Millis>(std::chrono::steady_clock::now());
}

WallTime now_wall() {
  return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
}

WallTime from_unix_seconds(std::int64_t seconds) { return WallTime{std::chrono::seconds{seconds}}; }

std::int64_t to_unix_seconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::string to_rfc3339(WallTime time) {
  std::time_t seconds = to_unix_seconds(time);
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  char text[32];
  auto length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
  return {text, length};
}

WallTime from_rfc3339(const std::string& text) {
  std::tm tm{};
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                  &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
    return {};
  tm.tm_year -= 1900;
  tm.tm_mon -= 1;
  return from_unix_seconds(timegm(&tm));
}

} // namespace strait
