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

std::string to_rfc3339(WallTime time) {
  std::time_t seconds = std::chrono::system_clock::to_time_t(time);
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
  return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::from_time_t(timegm(&tm)));
}

} // namespace strait
