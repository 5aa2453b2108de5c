#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace strait::gateway::proxy {

/// How a token is signed (RFC 7518 §3.1, RFC 8037). Secrets shared with a provider (HS…) and
/// "none" are no signatures to a gateway.
enum class JwsAlgorithm : std::uint8_t {
  rs256,
  rs384,
  rs512,
  ps256,
  ps384,
  ps512,
  es256,
  es384,
  es512,
  eddsa, ///< Ed25519.
  unknown
};
JwsAlgorithm jws_algorithm(std::string_view name);

/// One key as its JSON says it; numbers in bytes, absent members empty (RFC 7517 §4, RFC 7518 §6).
struct Jwk {
  std::string type, id, algorithm, use, curve;
  std::string n, e, x, y;
};

inline constexpr std::size_t jwks_bytes_max = 256 * 1024;
inline constexpr std::size_t jwks_keys_max = 64;
/// Keys that one signature is held against.
inline constexpr std::size_t jwks_tries_max = 8;
inline constexpr int rsa_bits_min = 2048; ///< RFC 7518 §3.3.

/// The keys of a provider, ready to verify with. Immutable; one thread at a time.
class KeySet {
public:
  KeySet();
  KeySet(KeySet&&) noexcept;
  KeySet& operator=(KeySet&&) noexcept;
  ~KeySet();

  /// Keys of a kind that is not known, or not for signatures, are passed over (RFC 7517 §5), and so
  /// are broken ones. invalid: the text is no key set. exhausted: a maximum is passed.
  static Result<KeySet> parse(std::string_view jwks);

  /// Whether one of the keys made the signature. With a key id only keys of that id, or without
  /// one, are asked; without, all that fit the algorithm.
  bool verify(JwsAlgorithm algorithm, std::string_view id, std::string_view text,
              std::string_view signature) const;
  std::size_t size() const;

private:
  struct Key;
  std::vector<Key> keys_;
};

/// Decodes base64url without padding (RFC 7515 §2); false if it is none.
bool decode_base64url(std::string_view text, std::string& out);

} // namespace strait::gateway::proxy
