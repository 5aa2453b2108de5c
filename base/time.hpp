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

/// "2026-11-23T12:00:00Z" (RFC 3339, whole seconds, as Kubernetes writes times).
std::string to_rfc3339(WallTime time);
/// The epoch for text that is not RFC 3339.
WallTime from_rfc3339(const std::string& text);

} // namespace strait
