#include "net/http_message.hpp"

#include "net/http1_names.hpp"

#include <algorithm>
#include <array>

namespace strait::net {

void HttpFields::set(std::string_view name, std::string value) {
  std::erase_if(fields_,
                [&](const auto& field) { return http1::equal_ignoring_case(field.first, name); });
  fields_.emplace_back(std::string{name}, std::move(value));
}

const std::string* HttpFields::find(std::string_view name) const {
  for (const auto& [key, value] : fields_)
    if (http1::equal_ignoring_case(key, name))
      return &value;
  return nullptr;
}

std::string_view HttpFields::get(std::string_view name) const {
  const auto* value = find(name);
  return value ? std::string_view{*value} : std::string_view{};
}

std::string_view HttpRequest::path() const {
  return std::string_view{target}.substr(0, target.find('?'));
}

std::string_view HttpRequest::query() const {
  auto at = target.find('?');
  return at == std::string::npos ? std::string_view{} : std::string_view{target}.substr(at + 1);
}

std::string percent_decode(std::string_view text, bool plus_is_blank) {
  auto hex = [](char c) {
    if (c >= '0' && c <= '9')
      return c - '0';
    auto l = c | 0x20;
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
  };
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
      out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else {
      out += plus_is_blank && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (unsigned char c : text) {
    bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                 c == '-' || c == '.' || c == '_' || c == '~';
    if (plain)
      out += static_cast<char>(c);
    else
      ((out += '%') += digits[c >> 4U]) += digits[c & 15U];
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!query.empty()) {
    auto end = std::min(query.find('&'), query.size());
    auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty())
      continue;
    auto equals = std::min(pair.find('='), pair.size());
    out.emplace_back(percent_decode(pair.substr(0, equals), true),
                     percent_decode(pair.substr(std::min(equals + 1, pair.size())), true));
  }
  return out;
}

} // namespace strait::net
