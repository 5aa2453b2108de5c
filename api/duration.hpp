#pragma once

#include "base/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace strait::api {

/// Longest duration that is taken: Go's own limit is some 292 years.
inline constexpr Millis duration_max = std::chrono::hours{24 * 365 * 290};

/// Go's notation of durations, as Consul's clients write them: "10s", "1m30s", "1.5h", "300000ms",
/// "-1s"; "0" needs no unit. Less than a millisecond, but not nothing, becomes one millisecond.
/// Nothing for any other text.
std::optional<Millis> parse_duration(std::string_view text);

/// "1m30s", "500ms", "0s": as Go prints it.
std::string to_go_text(Millis duration);

} // namespace strait::api
