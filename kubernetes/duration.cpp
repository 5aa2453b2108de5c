#include "kubernetes/duration.hpp"

#include <array>
#include <cmath>

namespace strait::kubernetes {

namespace {

struct Unit {
  std::string_view name;
  double millis;
};
constexpr Unit gateway_units[] = {{"ms", 1}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}};
constexpr Unit go_units[] = {{"ms", 1},    {"h", 3'600'000},    {"m", 60'000},       {"s", 1'000},
                             {"us", 1e-3}, {"\xc2\xb5s", 1e-3}, {"\xce\xbcs", 1e-3}, {"ns", 1e-6}};

/// Longer numbers say nothing that is within the maximum.
constexpr std::size_t max_digits = 18;

/// The length of the number that the text begins with; a fraction only where it may be.
std::size_t number_length(std::string_view text, bool fraction) {
  auto end = text.find_first_not_of(fraction ? "0123456789." : "0123456789");
  return end == std::string_view::npos ? text.size() : end;
}

template <std::size_t N>
const Unit* unit_of(std::string_view text, const Unit (&units)[N]) {
  for (auto& unit : units) // "ms" stands before "m".
    if (text.starts_with(unit.name))
      return &unit;
  return nullptr;
}

} // namespace

std::optional<Millis> parse_duration(std::string_view text) {
  std::int64_t total = 0;
  std::size_t parts = 0;
  for (; !text.empty(); ++parts) {
    auto digits = number_length(text, false);
    auto* unit = unit_of(text.substr(digits), gateway_units);
    if (digits < 1 || digits > 5 || !unit || parts == 4)
      return {};
    total +=
        std::stol(std::string{text.substr(0, digits)}) * static_cast<std::int64_t>(unit->millis);
    text.remove_prefix(digits + unit->name.size());
  }
  if (parts == 0 || Millis{total} > duration_max)
    return {};
  return Millis{total};
}

std::optional<Millis> parse_go_duration(std::string_view text) {
  if (text == "0")
    return Millis{0};
  double total = 0;
  std::size_t parts = 0;
  for (; !text.empty(); ++parts) {
    auto length = number_length(text, true);
    auto number = text.substr(0, length);
    auto point = number.find('.');
    auto* unit = unit_of(text.substr(length), go_units);
    bool one_point = point == std::string_view::npos ||
                     (number.size() > 1 && number.find('.', point + 1) == std::string_view::npos);
    if (length < 1 || length > max_digits || !one_point || !unit)
      return {};
    total += std::stod(std::string{number}) * unit->millis;
    text.remove_prefix(length + unit->name.size());
    if (total > static_cast<double>(duration_max.count()))
      return {};
  }
  if (parts == 0)
    return {};
  // A tenth of a microsecond is beyond what the fractions of a sum can be trusted with.
  return Millis{static_cast<std::int64_t>(std::ceil(total - 1e-4))};
}

std::string duration_text(Millis duration) {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> units{
      {{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
  std::string text;
  auto rest = duration.count();
  for (auto& [name, millis] : units) {
    if (rest >= millis)
      text += std::to_string(rest / millis) + std::string{name};
    rest %= millis;
  }
  return text.empty() ? "0s" : text;
}

} // namespace strait::kubernetes
