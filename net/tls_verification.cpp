#include "net/tls_verification.hpp"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>

namespace strait::net {

namespace {

void free_verification(void*, void* data, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<TlsVerification*>(data);
}

int context_index() {
  static const int index =
      SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_verification);
  return index;
}

} // namespace

void TlsVerification::install(SSL_CTX* context, TlsVerification verification) {
  SSL_CTX_set_ex_data(context, context_index(), new TlsVerification{std::move(verification)});
  SSL_CTX_set_cert_verify_callback(context, callback, nullptr);
}

const TlsVerification* TlsVerification::of(const SSL* ssl) {
  return static_cast<const TlsVerification*>(
      SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index()));
}

int TlsVerification::callback(X509_STORE_CTX* store, void*) {
  auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* stream = static_cast<TlsStream*>(SSL_get_app_data(ssl));
  const auto* rules = of(ssl);
  auto refuse = [&](std::string why, int code) {
    if (stream)
      stream->refuse("peer certificate: " + std::move(why));
    X509_STORE_CTX_set_error(store, code);
    return 0;
  };
  if (!rules)
    return refuse("no rules to verify it by", X509_V_ERR_APPLICATION_VERIFICATION);
  if (rules->lenient) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
  }
  if (rules->has_roots && X509_verify_cert(store) != 1) {
    auto code = X509_STORE_CTX_get_error(store);
    return refuse(X509_verify_cert_error_string(code), code);
  }
  bool wants_spiffe = stream && !stream->expected_spiffe_.empty();
  if (rules->verify || wants_spiffe) {
    auto* leaf = X509_STORE_CTX_get0_cert(store);
    auto identity = peer_identity(leaf, X509_STORE_CTX_get0_untrusted(store));
    if (wants_spiffe && std::find(identity.uris.begin(), identity.uris.end(),
                                  stream->expected_spiffe_) == identity.uris.end())
      return refuse("expected " + stream->expected_spiffe_ + ", presented " +
                        (identity.uris.empty() ? "no URI" : identity.uris.front()),
                    X509_V_ERR_APPLICATION_VERIFICATION);
    if (rules->verify)
      if (auto verdict = rules->verify(identity); !verdict)
        return refuse(verdict.error().detail, X509_V_ERR_APPLICATION_VERIFICATION);
  }
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

int openssl_version(TlsVersion version) {
  switch (version) {
  case TlsVersion::tls1_0:
    return TLS1_VERSION;
  case TlsVersion::tls1_1:
    return TLS1_1_VERSION;
  case TlsVersion::tls1_2:
    return TLS1_2_VERSION;
  case TlsVersion::tls1_3:
    return TLS1_3_VERSION;
  }
  return TLS1_3_VERSION;
}

Result<std::string> alpn_wire(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const auto& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255)
      return fail(Errc::invalid, "alpn: a protocol name must have 1..255 bytes");
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  return wire;
}

Status use_certificate(SSL_CTX* context, const TlsCertificate& certificate) {
  bool ok = SSL_CTX_use_certificate(context, certificate.leaf()) == 1;
  for (std::size_t i = 1; ok && i < certificate.chain().size(); ++i)
    ok = SSL_CTX_add1_chain_cert(context, certificate.chain()[i]) == 1;
  ok = ok && SSL_CTX_use_PrivateKey(context, certificate.key()) == 1;
  if (!ok)
    return fail(Errc::invalid, "certificate: {}", openssl_error("refused by OpenSSL"));
  return {};
}

} // namespace strait::net
