#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace strait {

using Millis = std::chrono::milliseconds;

/// A point on the monotonic clock. Pure machines are handed it; they never read a clock.
using Instant = std::chrono::time_point<std::chrono::steady_clock, Millis>;

/// A point of calendar time, UTC, in milliseconds since 1970.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Millis>;

Instant now_instant();
WallTime now_wall();

/// Both hold for every year that an X.509 or RFC 3339 time can name: a certificate without an end
/// says 9999 (RFC 5280 section 4.1.2.5), which the nanoseconds of system_clock's own conversions
/// cannot hold.
WallTime from_unix_seconds(std::int64_t seconds);
std::int64_t to_unix_seconds(WallTime time);

/// "2026-11-23T12:00:00Z" (RFC 3339, whole seconds, as Kubernetes writes times).
std::string to_rfc3339(WallTime time);
/// The epoch for text that is not RFC 3339.
WallTime from_rfc3339(const std::string& text);

} // namespace strait
