#include "api/duration.hpp"

#include <fmt/core.h>

#include <array>
#include <cmath>
#include <utility>

namespace strait::api {

namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

/// Milliseconds of one unit at the beginning of the text, which is taken off; 0: none.
double take_unit(std::string_view& text) {
  constexpr std::array<std::pair<std::string_view, double>, 8> units{{{"ns", 1e-6},
                                                                      {"us", 1e-3},
                                                                      {"\u00b5s", 1e-3},
                                                                      {"\u03bcs", 1e-3},
                                                                      {"ms", 1},
                                                                      {"s", 1e3},
                                                                      {"m", 6e4},
                                                                      {"h", 3.6e6}}};
  for (auto& [name, millis] : units)
    if (text.substr(0, name.size()) == name) {
      text.remove_prefix(name.size());
      return millis;
    }
  return 0;
}

/// A decimal number at the beginning of the text, which is taken off.
std::optional<double> take_number(std::string_view& text) {
  double value = 0, place = 1;
  bool any = false, fraction = false;
  while (!text.empty() && (digit(text.front()) || (text.front() == '.' && !fraction))) {
    if (text.front() == '.') {
      fraction = true;
    } else {
      any = true;
      place /= fraction ? 10 : 1;
      value = fraction ? value + (text.front() - '0') * place : value * 10 + (text.front() - '0');
    }
    text.remove_prefix(1);
  }
  return any ? std::optional{value} : std::nullopt;
}

} // namespace

std::optional<Millis> parse_duration(std::string_view text) {
  constexpr std::size_t text_bytes_max = 64;
  bool negative = !text.empty() && text.front() == '-';
  if (!text.empty() && (negative || text.front() == '+'))
    text.remove_prefix(1);
  if (text == "0")
    return Millis{0};
  if (text.empty() || text.size() > text_bytes_max)
    return {};
  double total = 0;
  while (!text.empty()) {
    auto value = take_number(text);
    auto unit = value ? take_unit(text) : 0;
    if (unit == 0)
      return {};
    total += *value * unit;
  }
  if (total > static_cast<double>(duration_max.count()))
    return {};
  auto whole = std::llround(total);
  Millis millis{whole == 0 && total > 0 ? 1 : whole};
  return negative ? -millis : millis;
}

std::string to_go_text(Millis duration) {
  auto count = duration.count();
  if (count < 0)
    return "-" + to_go_text(-duration);
  if (count < 1000)
    return count == 0 ? "0s" : fmt::format("{}ms", count);
  auto hours = count / 3'600'000, minutes = count / 60'000 % 60, seconds = count / 1000 % 60;
  std::string out;
  if (hours > 0)
    out += fmt::format("{}h", hours);
  if (hours > 0 || minutes > 0)
    out += fmt::format("{}m", minutes);
  out += std::to_string(seconds);
  if (auto rest = count % 1000; rest > 0) {
    auto fraction = fmt::format(".{:03}", rest);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    out += fraction;
  }
  return out + 's';
}

} // namespace strait::api
