#pragma once

#include "net/tls.hpp"

namespace strait::net {

/// What the verify callback needs of a context; lives as long as the SSL_CTX, inside it.
struct TlsVerification {
  bool has_roots = false;
  VerifyPeer verify;
  bool lenient = false; ///< ClientAuth::requested: whatever is shown is accepted.

  /// Makes the context verify by this, and own it.
  static void install(SSL_CTX* context, TlsVerification verification);
  /// Goes on verifying by the rules of the context that was chosen in the handshake.
  static const TlsVerification* of(const SSL* ssl);
  static int callback(X509_STORE_CTX* store, void*);
};

int openssl_version(TlsVersion version);
/// Wire form of an ALPN list; invalid for an empty or too long name.
Result<std::string> alpn_wire(const std::vector<std::string>& protocols);
/// Sets chain and key.
Status use_certificate(SSL_CTX* context, const TlsCertificate& certificate);

} // namespace strait::net
