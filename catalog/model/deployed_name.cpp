#include "catalog/model/gateway.hpp"

#include <fmt/core.h>

namespace strait::model {

namespace {

constexpr std::size_t label_bytes_max = 63; // RFC 1035, which Service names follow.
constexpr std::size_t hash_digits = 10;

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_label(std::string_view text) {
  if (text.empty() || text.size() > label_bytes_max || !is_letter(text.front()) ||
      text.back() == '-')
    return false;
  for (char c : text)
    if (!is_letter(c) && !is_digit(c) && c != '-')
      return false;
  return true;
}

/// FNV-1a: the same on every machine and in every version.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

} // namespace

std::string deployed_name(const Name& gateway) {
  if (is_label(gateway.name))
    return gateway.name;
  std::string start;
  if (!gateway.name.empty() && !is_letter(gateway.name.front()))
    start = "gateway-";
  start += gateway.name;
  for (char& c : start)
    if (!is_letter(c) && !is_digit(c))
      c = '-';
  start.resize(std::min(start.size(), label_bytes_max - hash_digits - 1));
  while (!start.empty() && start.back() == '-')
    start.pop_back();
  return fmt::format("{}-{:010x}", start, hash_of(gateway.name) >> (64 - 4 * hash_digits));
}

std::string gateway_label_value(const Name& gateway) {
  return gateway.name.size() <= label_bytes_max ? gateway.name : deployed_name(gateway);
}

} // namespace strait::model
