#include "cmd/cli/arguments.hpp"

#include <charconv>

namespace strait::cli {

std::string Arguments::value(const std::string& name) const {
  const auto& values = values_.at(name);
  return values.empty() ? "" : values.back();
}

Result<std::uint64_t> number(std::string_view option, std::string_view text, std::uint64_t minimum,
                             std::uint64_t maximum) {
  std::uint64_t out = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size() || out < minimum || out > maximum)
    return fail(Errc::invalid, "{}: expected a whole number from {} to {}, got \"{}\"", option,
                minimum, maximum, text);
  return out;
}

Result<std::uint64_t> duration_ms(std::string_view option, std::string_view text) {
  constexpr std::uint64_t day_ms = 24 * 3'600 * 1'000;
  std::uint64_t amount = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
  std::uint64_t scale = unit == "ms"                  ? 1
                        : unit == "s" || unit.empty() ? 1'000
                        : unit == "m"                 ? 60'000
                        : unit == "h"                 ? 3'600'000
                                                      : 0;
  if (error != std::errc{} || scale == 0 || amount > day_ms / scale)
    return fail(Errc::invalid, "{}: expected a time of at most 24h like \"30s\", got \"{}\"",
                option, text);
  return amount * scale;
}

} // namespace strait::cli
