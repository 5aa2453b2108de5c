#include "gateway/proxy/jwt.hpp"

#include "gateway/proxy/cookies.hpp"

#include <algorithm>
#include <utility>

namespace strait::gateway::proxy {

using net::http1::equal_ignoring_case;
using net::http1::HeaderId;

JwtFault check_jwt(const Jwt::Provider& provider, const KeySet& keys, std::string_view token,
                   WallTime now) {
  constexpr auto none = std::string_view::npos;
  if (token.empty())
    return JwtFault::missing;
  const auto first = token.find('.');
  const auto second = first == none ? none : token.find('.', first + 1);
  if (token.size() > jwt_bytes_max || second == none || token.find('.', second + 1) != none)
    return JwtFault::malformed;
  std::string json, signature;
  if (!decode_base64url(token.substr(0, first), json) ||
      !decode_base64url(token.substr(second + 1), signature))
    return JwtFault::malformed;
  const auto header = parse_jwt_header(json);
  if (!header)
    return JwtFault::malformed;
  if (!keys.verify(header->algorithm, header->key_id, token.substr(0, second), signature))
    return JwtFault::signature;
  if (!decode_base64url(token.substr(first + 1, second - first - 1), json))
    return JwtFault::malformed;
  return check_claims(provider, json, now);
}

const std::vector<Jwt::Location>& jwt_locations(const Jwt::Provider& provider) {
  static const std::vector<Jwt::Location> standard{
      {}, {Jwt::Location::Type::query, "access_token", "", true}};
  return provider.locations.empty() ? standard : provider.locations;
}

std::string_view jwt_at(const Jwt::Location& location, const net::http1::RequestHead& head) {
  switch (location.type) {
  case Jwt::Location::Type::header: {
    // Of two fields the backend might believe the other one.
    if (std::count_if(head.fields().begin(), head.fields().end(), [&](const auto& field) {
          return equal_ignoring_case(head.name(field), location.name);
        }) != 1)
      return {};
    auto value = head.get(location.name);
    const auto& prefix = location.prefix;
    if (value.size() < prefix.size() ||
        !equal_ignoring_case(value.substr(0, prefix.size()), prefix))
      return {};
    value.remove_prefix(prefix.size());
    // A scheme ends at a blank.
    if (!prefix.empty() && !value.starts_with(' ') && prefix.back() != ' ')
      return {};
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    return value;
  }
  case Jwt::Location::Type::query:
    return query_value(head.query(), location.name).value_or(std::string_view{});
  case Jwt::Location::Type::cookie:
    for (const auto& field : head.fields())
      if (field.id == HeaderId::cookie)
        if (const auto value = cookie_value(head.value(field), location.name))
          return *value;
    return {};
  }
  return {};
}

const KeySet& KeySets::get(const std::string& jwks) {
  auto found = sets_.find(jwks);
  if (found == sets_.end()) {
    if (sets_.size() >= max_) {
      std::erase_if(sets_,
                    [](const auto& entry) { return !std::exchange(entry.second.used, false); });
      if (sets_.size() >= max_)
        sets_.clear();
    }
    auto parsed = KeySet::parse(jwks);
    ++made_;
    found = sets_.try_emplace(jwks, Entry{parsed ? std::move(*parsed) : KeySet{}}).first;
  }
  found->second.used = true;
  return found->second.keys;
}

} // namespace strait::gateway::proxy
