#include "gateway/proxy/jwt_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace strait::gateway::proxy {

namespace {

using Json = nlohmann::json;

Json parsed(std::string_view text) { return Json::parse(text, nullptr, false); }

/// A member that is a string; empty if it is not there, nothing if it is something else.
std::optional<std::string> text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end())
    return std::string{};
  if (!found->is_string())
    return std::nullopt;
  return found->get<std::string>();
}

/// NumericDate (RFC 7519 §2), as seconds that fit; nothing if it is no number.
std::optional<double> seconds_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number())
    return std::nullopt;
  return found->get<double>();
}

/// A value said as text: what a configuration can compare it with.
bool says(const Json& value, const std::string& wanted) {
  if (value.is_string())
    return value.get_ref<const std::string&>() == wanted;
  if (value.is_boolean() || value.is_number())
    return value.dump() == wanted;
  return false;
}

bool says_any(const Json& value, const std::string& wanted) {
  if (!value.is_array())
    return says(value, wanted);
  return std::any_of(value.begin(), value.end(),
                     [&](const Json& element) { return says(element, wanted); });
}

bool holds(const Jwt::Claim& claim, const Json& claims) {
  const auto* at = &claims;
  for (const auto& name : claim.path) {
    if (!at->is_object())
      return false;
    const auto found = at->find(name);
    if (found == at->end())
      return false;
    at = &*found;
  }
  return says_any(*at, claim.value);
}

std::optional<Jwk> key_of(const Json& json) {
  if (!json.is_object())
    return std::nullopt;
  Jwk jwk;
  const auto text = [&](const char* name, std::string& member) {
    auto value = text_of(json, name);
    if (value)
      member = std::move(*value);
    return value.has_value();
  };
  const auto bytes = [&](const char* name, std::string& member) {
    const auto value = text_of(json, name);
    return value && decode_base64url(*value, member);
  };
  if (!text("kty", jwk.type) || !text("kid", jwk.id) || !text("alg", jwk.algorithm) ||
      !text("use", jwk.use) || !text("crv", jwk.curve) || !bytes("n", jwk.n) ||
      !bytes("e", jwk.e) || !bytes("x", jwk.x) || !bytes("y", jwk.y))
    return std::nullopt;
  return jwk;
}

} // namespace

std::string_view to_string(JwtFault fault) {
  switch (fault) {
  case JwtFault::none:
    return "none";
  case JwtFault::missing:
    return "there is no token";
  case JwtFault::malformed:
    return "the token is malformed";
  case JwtFault::signature:
    return "the token's signature is not valid";
  case JwtFault::expired:
    return "the token has expired";
  case JwtFault::not_yet:
    return "the token is not valid yet";
  case JwtFault::issuer:
    return "the token is of another issuer";
  case JwtFault::audience:
    return "the token is for another audience";
  case JwtFault::claims:
    return "the token does not allow this";
  }
  return "";
}

std::optional<JwtHeader> parse_jwt_header(std::string_view json) {
  const auto header = parsed(json);
  if (!header.is_object() || header.contains("crit"))
    return std::nullopt;
  const auto algorithm = text_of(header, "alg");
  auto id = text_of(header, "kid");
  if (!algorithm || algorithm->empty() || !id)
    return std::nullopt;
  return JwtHeader{jws_algorithm(*algorithm), std::move(*id)};
}

JwtFault check_claims(const Jwt::Provider& provider, std::string_view json, WallTime now) {
  const auto claims = parsed(json);
  if (!claims.is_object())
    return JwtFault::malformed;
  const auto second = static_cast<double>(now.time_since_epoch().count()) / 1000;
  const double skew = provider.clock_skew_seconds;
  if (claims.contains("exp")) {
    const auto expires = seconds_of(claims, "exp");
    if (!expires || second >= *expires + skew)
      return JwtFault::expired;
  }
  if (claims.contains("nbf")) {
    const auto begins = seconds_of(claims, "nbf");
    if (!begins || second < *begins - skew)
      return JwtFault::not_yet;
  }
  if (!provider.issuer.empty() && text_of(claims, "iss") != provider.issuer)
    return JwtFault::issuer;
  if (!provider.audiences.empty()) {
    const auto audience = claims.find("aud");
    if (audience == claims.end() ||
        std::none_of(provider.audiences.begin(), provider.audiences.end(),
                     [&](const auto& wanted) { return says_any(*audience, wanted); }))
      return JwtFault::audience;
  }
  const bool enough = std::all_of(provider.claims.begin(), provider.claims.end(),
                                  [&](const auto& claim) { return holds(claim, claims); });
  return enough ? JwtFault::none : JwtFault::claims;
}

Result<std::vector<Jwk>> parse_jwks(std::string_view json) {
  if (json.size() > jwks_bytes_max)
    return fail(Errc::exhausted, "a key set may have {} bytes", jwks_bytes_max);
  const auto set = parsed(json);
  if (!set.is_object() || !set.contains("keys") || !set["keys"].is_array())
    return fail(Errc::invalid, "a key set must be a JSON object with an array 'keys'");
  const auto& keys = set["keys"];
  if (keys.size() > jwks_keys_max)
    return fail(Errc::exhausted, "a key set may have {} keys", jwks_keys_max);
  std::vector<Jwk> found;
  for (const auto& key : keys)
    if (auto jwk = key_of(key))
      found.push_back(std::move(*jwk));
  return found;
}

} // namespace strait::gateway::proxy
