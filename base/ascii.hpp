#pragma once

#include <string>
#include <string_view>

/// Letters of protocols and of names are ASCII: no locale is asked.
namespace strait {

constexpr char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

inline std::string ascii_lower(std::string_view text) {
  std::string lower{text};
  for (char& c : lower)
    c = ascii_lower(c);
  return lower;
}

} // namespace strait
