#include "kubernetes/document.hpp"

#include <charconv>
#include <cmath>
#include <limits>

namespace strait::kubernetes {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// [-+]? (. digits | digits (. digits?)?) ([eE] [-+]? digits)?
bool looks_like_float(std::string_view text) {
  std::size_t i = 0;
  auto digits = [&] {
    auto start = i;
    while (i < text.size() && is_digit(text[i]))
      ++i;
    return i - start;
  };
  if (i < text.size() && (text[i] == '-' || text[i] == '+'))
    ++i;
  auto whole = digits();
  std::size_t fraction = 0;
  if (i < text.size() && text[i] == '.') {
    ++i;
    fraction = digits();
  }
  if (whole + fraction == 0)
    return false;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+'))
      ++i;
    if (digits() == 0)
      return false;
  }
  return i == text.size();
}

bool parse_integer(std::string_view text, std::int64_t& out) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0o")) {
    base = text[1] == 'x' ? 16 : 8;
    text.remove_prefix(2);
    if (text.starts_with('-'))
      return false;
  } else if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-'))
      return false;
  }
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc{} && end == text.data() + text.size();
}

} // namespace

const Node* Node::find(std::string_view key) const {
  auto* map = std::get_if<Map>(&value);
  if (!map)
    return nullptr;
  for (auto& member : *map)
    if (member.key == key)
      return &member.value;
  return nullptr;
}

std::string_view type_name(const Node& node) {
  constexpr std::string_view names[] = {"null",     "a boolean", "an integer", "a float",
                                        "a string", "a list",    "a map"};
  return names[node.value.index()];
}

Node resolve_plain(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    return {};
  if (text == "true" || text == "True" || text == "TRUE")
    return {true, {}};
  if (text == "false" || text == "False" || text == "FALSE")
    return {false, {}};
  std::int64_t integer = 0;
  if (parse_integer(text, integer))
    return {integer, {}};
  auto bare = text.starts_with('-') || text.starts_with('+') ? text.substr(1) : text;
  if (bare == ".inf" || bare == ".Inf" || bare == ".INF") {
    auto infinity = std::numeric_limits<double>::infinity();
    return {text.front() == '-' ? -infinity : infinity, {}};
  }
  if (text == ".nan" || text == ".NaN" || text == ".NAN")
    return {std::numeric_limits<double>::quiet_NaN(), {}};
  if (looks_like_float(text)) {
    if (text.starts_with('+'))
      text.remove_prefix(1);
    double number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    // Out of range: what it is nearest to does not matter, no field takes it.
    return {error == std::errc{} ? number : std::numeric_limits<double>::infinity(), {}};
  }
  return {std::string{text}, {}};
}

std::string place(std::string_view source, Position at) {
  std::string text;
  if (!source.empty())
    text = std::string{source} + ":";
  if (at.line != 0)
    text += fmt::format("{}:{}:", at.line, at.column);
  return text.empty() ? text : text + " ";
}

std::size_t invalid_utf8_at(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || i + length > text.size())
      return i;
    std::uint32_t code = lead & (0xffu >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) {
      auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80)
        return i;
      code = (code << 6) | (next & 0x3f);
    }
    constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
      return i;
    i += length;
  }
  return std::string_view::npos;
}

} // namespace strait::kubernetes
