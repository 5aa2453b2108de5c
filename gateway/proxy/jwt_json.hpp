#pragma once

#include "base/time.hpp"
#include "gateway/proxy/jwks.hpp"
#include "gateway/snapshot/config.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The JSON of tokens and key sets, apart from what is done with it: the only place that includes
/// the JSON library. Pure functions of outside bytes.
namespace strait::gateway::proxy {

/// What a token's header says (RFC 7515 §4.1).
struct JwtHeader {
  JwsAlgorithm algorithm = JwsAlgorithm::unknown;
  std::string key_id;
};
/// Nothing: no JSON object, no algorithm, or an extension that must be understood ("crit").
std::optional<JwtHeader> parse_jwt_header(std::string_view json);

/// What keeps a token from being good.
enum class JwtFault : std::uint8_t {
  none,
  missing,
  malformed,
  signature, ///< No key of the provider made it, or none can have.
  expired,   ///< `exp` is past; a token without one does not expire.
  not_yet,   ///< `nbf`.
  issuer,
  audience,
  claims, ///< One that the provider's rules want: the token is genuine, but not enough.
};
std::string_view to_string(JwtFault fault);

/// Holds a token's claims against what the provider asks (RFC 7519 §4.1).
JwtFault check_claims(const Jwt::Provider& provider, std::string_view json, WallTime now);

/// The keys of a JWKS (RFC 7517 §5) whose members have the right types.
Result<std::vector<Jwk>> parse_jwks(std::string_view json);

} // namespace strait::gateway::proxy
