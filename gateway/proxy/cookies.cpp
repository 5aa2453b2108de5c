#include "gateway/proxy/cookies.hpp"

#include <algorithm>

namespace strait::gateway::proxy {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto begin = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

/// Takes one piece off a list, the separator with it.
std::string_view take(std::string_view& list, char separator) {
  const auto piece = list.substr(0, list.find(separator));
  list.remove_prefix(std::min(list.size(), piece.size() + 1));
  return piece;
}

std::string_view name_of(std::string_view pair) { return trimmed(pair.substr(0, pair.find('='))); }

std::string_view value_of(std::string_view pair) {
  const auto equals = pair.find('=');
  return equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
}

} // namespace

std::optional<std::string_view> cookie_value(std::string_view field, std::string_view name) {
  while (!field.empty()) {
    const auto pair = take(field, ';');
    if (pair.find('=') == std::string_view::npos || name_of(pair) != name)
      continue;
    auto value = trimmed(value_of(pair));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    return value;
  }
  return std::nullopt;
}

void append_without_cookie(std::string_view field, std::string_view name, std::string& out) {
  const auto begin = out.size();
  while (!field.empty()) {
    const auto pair = trimmed(take(field, ';'));
    if (pair.empty() || name_of(pair) == name)
      continue;
    out.append(out.size() == begin ? "" : "; ").append(pair);
  }
}

std::optional<std::string_view> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto pair = take(query, '&');
    if (pair.substr(0, pair.find('=')) == name)
      return value_of(pair);
  }
  return std::nullopt;
}

void append_without_parameter(std::string_view query, std::string_view name, std::string& out) {
  const auto begin = out.size();
  while (!query.empty()) {
    const auto pair = take(query, '&');
    if (pair.substr(0, pair.find('=')) == name)
      continue;
    out.append(out.size() == begin ? "" : "&").append(pair);
  }
}

} // namespace strait::gateway::proxy
