#pragma once

#include "gateway/proxy/jwks.hpp"

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

namespace strait::gateway::proxy::testing {

std::string base64url(std::string_view bytes);

/// A provider with one key, made anew: says it as JWK and signs with it.
class Signer {
public:
  enum class Kind { rsa, rsa_short, p256, p384, p521, ed25519 };
  explicit Signer(Kind kind);

  /// A JWK with these members before its own: "\"kid\":\"1\",".
  std::string jwk(std::string_view members = {}) const;
  std::string jwks(std::string_view members = {}) const {
    return "{\"keys\":[" + jwk(members) + "]}";
  }
  /// The compact form of a token with this header and these claims.
  std::string token(std::string_view algorithm, std::string_view claims,
                    std::string_view header_members = {}) const;

private:
  std::string sign(JwsAlgorithm algorithm, std::string_view text) const;

  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  Kind kind_;
  std::unique_ptr<EVP_PKEY, Free> key_;
};

} // namespace strait::gateway::proxy::testing
