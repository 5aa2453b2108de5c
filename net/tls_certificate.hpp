#pragma once

#include "base/result.hpp"

#include <openssl/ossl_typ.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct stack_st_X509; // OpenSSL's STACK_OF(X509).

namespace strait::net {

/// A private key with the certificate chain that proves it. Immutable; any thread.
class TlsCertificate {
public:
  static constexpr int rsa_bits_min = 2048;
  static constexpr std::size_t chain_max = 10;

  /// Chain: PEM, leaf first. Key: PEM, unencrypted (PKCS#8, SEC1 or PKCS#1). Errors (invalid) tell
  /// which of the two is wrong and how: not PEM, no certificate, encrypted key, key that does not
  /// match the leaf, RSA key too short, chain too long.
  static Result<std::shared_ptr<const TlsCertificate>> from_pem(std::string_view chain,
                                                                std::string_view key);
  TlsCertificate(const TlsCertificate&) = delete;
  TlsCertificate& operator=(const TlsCertificate&) = delete;
  ~TlsCertificate();

  X509* leaf() const { return chain_.front(); }
  const std::vector<X509*>& chain() const { return chain_; }
  EVP_PKEY* key() const { return key_; }

private:
  TlsCertificate() = default;
  std::vector<X509*> chain_;
  EVP_PKEY* key_ = nullptr;
};

/// What a peer presented, in plain words, for admission decisions.
struct PeerIdentity {
  std::string subject;                ///< "CN=web,O=Strait" (RFC 2253); may be empty.
  std::vector<std::string> dns_names; ///< Subject alternative names.
  std::vector<std::string> uris;      ///< "spiffe://…"
  std::vector<std::string> chain_pem; ///< Leaf first.
  std::string sha256;                 ///< Fingerprint of the leaf, hexadecimal.
};

/// Reads the identity off a chain; leaf first.
PeerIdentity peer_identity(X509* leaf, const stack_st_X509* chain);

/// Certificates of a PEM bundle as an OpenSSL store. invalid: not PEM, or none in it.
Result<std::shared_ptr<X509_STORE>> trust_store(std::string_view pem_bundle);

/// Whether the chain (PEM, leaf first) leads to one of the roots now. For admission by several
/// trust bundles: choose the roots by the identity, then ask. denied: why not.
Status verify_chain(const std::vector<std::string>& chain_pem, std::string_view roots_pem);

/// OpenSSL's queue of this thread as one line, emptied; `otherwise` if there was nothing.
std::string openssl_error(std::string_view otherwise);

} // namespace strait::net
