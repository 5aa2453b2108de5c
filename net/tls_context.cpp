#include "net/tls_verification.hpp"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace strait::net {

struct TlsServerContext::Settings {
  TlsServerOptions options;
  std::string alpn; // Wire form.
};

namespace {

using Settings = TlsServerContext::Settings;

void free_settings(void*, void* data, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Settings*>(data);
}

int settings_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_settings);
  return index;
}

const Settings* settings_of(const SSL_CTX* context) {
  return static_cast<const Settings*>(SSL_CTX_get_ex_data(context, settings_index()));
}

int verify_mode(ClientAuth auth) {
  switch (auth) {
  case ClientAuth::none:
    return SSL_VERIFY_NONE;
  case ClientAuth::optional:
  case ClientAuth::requested:
    return SSL_VERIFY_PEER;
  case ClientAuth::required:
    return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  return SSL_VERIFY_NONE;
}

/// The host_name of the extension (RFC 6066 §3), lower case; empty if absent or malformed.
std::string sni_of(SSL* ssl) {
  const unsigned char* data = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &data, &size) != 1 || size < 5)
    return {};
  std::size_t list = data[0] * 256U + data[1], name = data[3] * 256U + data[4];
  if (list + 2 != size || data[2] != TLSEXT_NAMETYPE_host_name || name + 5 > size)
    return {};
  std::string out{reinterpret_cast<const char*>(data) + 5, name};
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c | 0x20);
  return out;
}

// Runs before anything of the handshake is decided, so that the chosen context's versions, client
// authentication and tickets hold, not only its certificate.
int on_client_hello(SSL* ssl, int* alert, void*) {
  const auto* settings = settings_of(SSL_get_SSL_CTX(ssl));
  if (!settings->options.select)
    return SSL_CLIENT_HELLO_SUCCESS;
  auto chosen = settings->options.select(sni_of(ssl));
  if (!chosen) {
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_CLIENT_HELLO_ERROR;
  }
  auto* context = chosen->get();
  const auto& options = settings_of(context)->options;
  // Resumption must not carry a session over to a context with other rules: SSL_set_SSL_CTX takes
  // the session id context along.
  SSL_set_SSL_CTX(ssl, context);
  SSL_set_min_proto_version(ssl, openssl_version(options.version_min));
  SSL_set_max_proto_version(ssl, openssl_version(options.version_max));
  SSL_set_verify(ssl, verify_mode(options.client_auth), nullptr);
  SSL_clear_options(ssl, SSL_OP_NO_TICKET);
  SSL_set_options(ssl, SSL_CTX_get_options(context));
  SSL_set_num_tickets(ssl, options.session_tickets ? 2 : 0);
  return SSL_CLIENT_HELLO_SUCCESS;
}

int on_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
            unsigned in_size, void*) {
  const auto& ours = settings_of(SSL_get_SSL_CTX(ssl))->alpn;
  if (ours.empty())
    return SSL_TLSEXT_ERR_NOACK;
  unsigned char* chosen = nullptr;
  auto verdict =
      SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(ours.data()),
                            static_cast<unsigned>(ours.size()), in, in_size);
  if (verdict != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

void set_common(SSL_CTX* context, TlsVersion low, TlsVersion high) {
  SSL_CTX_set_min_proto_version(context, openssl_version(low));
  SSL_CTX_set_max_proto_version(context, openssl_version(high));
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_read_ahead(context, 1); // One system call reads header and body of a record.
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  if (low < TlsVersion::tls1_2)
    SSL_CTX_set_security_level(context, 0); // OpenSSL 3 allows TLS 1.0 and 1.1 only there.
}

Status set_cipher_suites(SSL_CTX* context, const std::vector<std::string>& suites) {
  std::string list;
  for (const auto& suite : suites) {
    std::string name = OPENSSL_cipher_name(suite.c_str()); // From IANA's form, if it is that.
    if (name == "(NONE)")
      name = suite;
    // OpenSSL passes over names it does not know as long as it knows one: so one by one.
    if (name.find(':') != std::string::npos ||
        SSL_CTX_set_cipher_list(context, name.c_str()) != 1) {
      ERR_clear_error();
      return fail(Errc::invalid, "tls: cipher suite \"{}\": not known for TLS 1.2 and below",
                  suite);
    }
    (list += list.empty() ? "" : ":") += name;
  }
  if (!list.empty())
    SSL_CTX_set_cipher_list(context, list.c_str());
  return {};
}

Status trust(SSL_CTX* context, std::string_view bundle) {
  auto store = trust_store(bundle);
  if (!store)
    return fail(store.error());
  X509_STORE_up_ref(store->get());
  SSL_CTX_set_cert_store(context, store->get());
  return {};
}

} // namespace

Result<std::shared_ptr<const TlsServerContext>> TlsServerContext::create(TlsServerOptions options) {
  if (options.version_min > options.version_max)
    return fail(Errc::invalid, "tls: the minimum version is above the maximum version");
  if (!options.certificate && !options.select)
    return fail(Errc::invalid, "tls: neither a certificate nor a choice by server name");
  const bool judges =
      options.client_auth != ClientAuth::none && options.client_auth != ClientAuth::requested;
  if (judges && options.client_ca_pem.empty() && !options.verify)
    return fail(Errc::invalid,
                "tls: client certificates are asked for, but nothing says which to trust");
  if (!options.ticket_keys.empty() && options.ticket_keys.size() != ticket_keys_bytes)
    return fail(Errc::invalid, "tls: ticket keys of {} bytes, expected {}",
                options.ticket_keys.size(), ticket_keys_bytes);
  auto alpn = alpn_wire(options.alpn);
  if (!alpn)
    return fail(alpn.error());
  // A resumed session skips the verification, so a decision that was changed would not hold.
  if (options.verify)
    options.session_tickets = false;

  std::shared_ptr<TlsServerContext> out{new TlsServerContext};
  out->context_ = SSL_CTX_new(TLS_server_method());
  auto* context = out->context_;
  if (!context)
    return fail(Errc::unavailable, "tls: {}", openssl_error("no context"));
  set_common(context, options.version_min, options.version_max);
  if (options.certificate)
    if (auto used = use_certificate(context, *options.certificate); !used)
      return fail(used.error());
  if (auto set = set_cipher_suites(context, options.cipher_suites); !set)
    return fail(set.error());
  if (!options.client_ca_pem.empty()) {
    if (auto trusted = trust(context, options.client_ca_pem); !trusted)
      return fail(Errc::invalid, "tls: client {}", trusted.error().detail);
    auto* names = sk_X509_NAME_new_null();
    auto* objects = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
    for (int i = 0; i < sk_X509_OBJECT_num(objects); ++i)
      if (auto* root = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i)))
        sk_X509_NAME_push(names, X509_NAME_dup(X509_get_subject_name(root)));
    SSL_CTX_set_client_CA_list(context, names);
  }
  SSL_CTX_set_verify(context, verify_mode(options.client_auth), nullptr);
  TlsVerification::install(context, {!options.client_ca_pem.empty(), options.verify,
                                     options.client_auth == ClientAuth::requested});

  // Sessions of one context are worth nothing in another one, unless both were given the same
  // ticket keys: then they are one server, on several workers.
  std::array<unsigned char, 32> id{};
  if (options.ticket_keys.empty()) {
    RAND_bytes(id.data(), id.size());
  } else {
    SSL_CTX_set_tlsext_ticket_keys(context, options.ticket_keys.data(), ticket_keys_bytes);
    std::string rules = options.client_ca_pem + '\0' + options.ticket_keys +
                        static_cast<char>(options.client_auth) + options.session_scope + '\0';
    if (options.certificate) {
      std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
      unsigned size = 0;
      X509_digest(options.certificate->leaf(), EVP_sha256(), digest.data(), &size);
      rules.append(reinterpret_cast<char*>(digest.data()), size);
    }
    EVP_Digest(rules.data(), rules.size(), id.data(), nullptr, EVP_sha256(), nullptr);
  }
  SSL_CTX_set_session_id_context(context, id.data(), id.size());
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); // Tickets hold the state.
  if (!options.session_tickets) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
  }
  SSL_CTX_set_alpn_select_cb(context, on_alpn, nullptr);
  SSL_CTX_set_client_hello_cb(context, on_client_hello, nullptr);
  SSL_CTX_set_ex_data(context, settings_index(),
                      new Settings{std::move(options), std::move(*alpn)});
  return out;
}

TlsServerContext::~TlsServerContext() { SSL_CTX_free(context_); }

Result<std::shared_ptr<const TlsClientContext>> TlsClientContext::create(TlsClientOptions options) {
  if (options.version_min > options.version_max)
    return fail(Errc::invalid, "tls: the minimum version is above the maximum version");
  bool roots = !options.ca_pem.empty() || options.system_roots;
  if (!roots && !options.insecure && !options.verify)
    return fail(Errc::invalid, "tls: no CA bundle says which servers to trust");
  auto alpn = alpn_wire(options.alpn);
  if (!alpn)
    return fail(alpn.error());
  std::shared_ptr<TlsClientContext> out{new TlsClientContext};
  out->context_ = SSL_CTX_new(TLS_client_method());
  auto* context = out->context_;
  if (!context)
    return fail(Errc::unavailable, "tls: {}", openssl_error("no context"));
  set_common(context, options.version_min, options.version_max);
  if (!options.ca_pem.empty())
    if (auto trusted = trust(context, options.ca_pem); !trusted)
      return fail(trusted.error());
  if (options.system_roots && SSL_CTX_set_default_verify_paths(context) != 1)
    return fail(Errc::unavailable, "tls: this machine's roots: {}", openssl_error("unreadable"));
  if (options.certificate)
    if (auto used = use_certificate(context, *options.certificate); !used)
      return fail(used.error());
  if (!alpn->empty())
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(alpn->data()),
                            static_cast<unsigned>(alpn->size()));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  TlsVerification::install(context, {roots && !options.insecure, std::move(options.verify), false});
  return out;
}

TlsClientContext::~TlsClientContext() { SSL_CTX_free(context_); }

} // namespace strait::net
