#pragma once

#include "gateway/proxy/jwt_json.hpp"
#include "net/http1_head.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace strait::gateway::proxy {

inline constexpr std::size_t jwt_bytes_max = 16 * 1024;

/// Whether a token in compact form is good in the provider's eyes now (RFC 7515 §5.2, RFC 7519
/// §7.2). The signature is looked at before anything that it covers but the header.
JwtFault check_jwt(const Jwt::Provider& provider, const KeySet& keys, std::string_view token,
                   WallTime now);

/// Where a provider's tokens are looked for; without locations of its own: the Authorization
/// header, then the query's access_token (RFC 6750 §2).
const std::vector<Jwt::Location>& jwt_locations(const Jwt::Provider& provider);

/// The token that stands at a location of a request; empty: none, or a header that is repeated.
std::string_view jwt_at(const Jwt::Location& location, const net::http1::RequestHead& head);

/// The key sets of one worker, by content: each is made ready once. Up to `max` are kept.
class KeySets {
public:
  explicit KeySets(std::size_t max) : max_{max} {}
  /// Of a text that is no key set: without keys. Valid until the next call.
  const KeySet& get(const std::string& jwks);
  std::size_t size() const { return sets_.size(); }
  /// Key sets made ready so far.
  std::size_t made() const { return made_; }

private:
  struct Entry {
    KeySet keys;
    mutable bool used = true; ///< Since the last time that room was made.
  };
  std::size_t max_, made_ = 0;
  std::unordered_map<std::string, Entry> sets_;
};

} // namespace strait::gateway::proxy
