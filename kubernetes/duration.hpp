#pragma once

#include "base/time.hpp"

#include <optional>
#include <string_view>

/// Durations as texts. Whole milliseconds, never negative.
namespace strait::kubernetes {

/// More than that is refused: it is what one number of five digits can say in hours.
inline constexpr Millis duration_max = std::chrono::hours{99'999};

/// As the Gateway API writes it (GEP-2257): one to four of a number (one to five digits) and h, m,
/// s or ms. Nothing for other text.
std::optional<Millis> parse_duration(std::string_view text);

/// As Go's time.Duration is written (Consul's kinds): also fractions, us, µs, ns and "0". What is
/// below a millisecond is rounded up. Nothing for other text and for negative ones.
std::optional<Millis> parse_go_duration(std::string_view text);

/// "1h30m", "500ms", "0s": GEP-2257, which Go reads too. For 0..duration_max.
std::string duration_text(Millis duration);

} // namespace strait::kubernetes
