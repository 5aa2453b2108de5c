#include "kubernetes/base64.hpp"

#include <cstdint>

namespace strait::kubernetes {

namespace {
constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
}

std::string to_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    auto count = bytes.size() - i < 3 ? bytes.size() - i : 3;
    for (std::size_t k = 0; k < 3; ++k)
      group = (group << 8) | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= count ? alphabet[(group >> (18 - 6 * k)) & 63] : '=';
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  std::size_t have = 0, padding = 0;
  for (char c : text) {
    if (c == '\n' || c == '\r')
      continue;
    auto digit = c == '=' ? 0 : alphabet.find(c);
    if (digit == std::string_view::npos || (padding != 0 && c != '='))
      return {};
    padding += c == '=' ? 1 : 0;
    bits = (bits << 6) | static_cast<std::uint32_t>(digit);
    if (++have < 4)
      continue;
    if (padding > 2)
      return {};
    for (std::size_t k = 0; k < 3 - padding; ++k)
      out += static_cast<char>((bits >> (16 - 8 * k)) & 0xff);
    have = 0;
    bits = 0;
    if (padding != 0)
      have = 8; // Nothing may follow.
  }
  if (have != 0 && !(have == 8 && padding != 0))
    return {};
  return out;
}

} // namespace strait::kubernetes
