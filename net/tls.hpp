#pragma once

#include "net/stream.hpp"
#include "net/tls_certificate.hpp"

#include <openssl/ossl_typ.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace strait::net {

enum class TlsVersion : std::uint8_t { tls1_0, tls1_1, tls1_2, tls1_3 };

enum class ClientAuth : std::uint8_t {
  none,
  optional, ///< Asked for; without one the handshake goes on. One that fails still ends it.
  required,
  requested, ///< Asked for; none, or one that does not verify, is let in too.
};

/// Decides on the peer's certificate once its chain was found valid (or unconditionally when no CA
/// bundle was given: then this decision is all there is). The error's text ends up in
/// TlsStream::failure(). Called on the thread that runs the handshake.
using VerifyPeer = std::function<Status(const PeerIdentity&)>;

class TlsServerContext;
/// Chooses by the SNI in lower case ("" when the client sent none) what the handshake goes on with;
/// null refuses it (unrecognized_name). Called on the thread that runs the handshake.
using SelectTls = std::function<std::shared_ptr<const TlsServerContext>(std::string_view sni)>;

struct TlsServerOptions {
  std::shared_ptr<const TlsCertificate> certificate; ///< None only if `select` never yields this.
  TlsVersion version_min = TlsVersion::tls1_2;
  TlsVersion version_max = TlsVersion::tls1_3;
  /// OpenSSL's or IANA's names, for TLS 1.2 and below; empty: OpenSSL's default list.
  std::vector<std::string> cipher_suites;
  /// In order of preference. A client that offers ALPN but none of these is refused; one that
  /// offers no ALPN is served.
  std::vector<std::string> alpn;
  ClientAuth client_auth = ClientAuth::none;
  std::string client_ca_pem; ///< Roots for clients; empty: `verify` alone decides.
  VerifyPeer verify;
  /// Always off beside `verify`: a resumed session would not ask it again.
  bool session_tickets = true;
  /// Sessions are resumed only by contexts that were given the same text, beside the same rules.
  std::string session_scope;
  /// 80 random bytes shared by the contexts of all workers, so that a ticket of one is good for
  /// the others. Empty: each context has its own.
  std::string ticket_keys;
  SelectTls select;
};

/// What a TLS server presents and demands. Immutable once made; make one per worker, so that
/// handshakes of different workers share no lock.
class TlsServerContext {
public:
  static constexpr std::size_t ticket_keys_bytes = 80;

  /// invalid: names the option and what was expected.
  static Result<std::shared_ptr<const TlsServerContext>> create(TlsServerOptions options);
  TlsServerContext(const TlsServerContext&) = delete;
  TlsServerContext& operator=(const TlsServerContext&) = delete;
  ~TlsServerContext();

  SSL_CTX* get() const { return context_; }
  struct Settings; ///< Of tls_context.cpp.

private:
  TlsServerContext() = default;
  SSL_CTX* context_ = nullptr;
};

struct TlsClientOptions {
  std::string ca_pem;        ///< Roots for the server; see `system_roots`.
  bool system_roots = false; ///< Trust this machine's roots too.
  /// Accept any chain: only beside a `verify` that decides by itself, or for a test.
  bool insecure = false;
  std::shared_ptr<const TlsCertificate> certificate; ///< Ours, if the server asks.
  std::vector<std::string> alpn;
  TlsVersion version_min = TlsVersion::tls1_2;
  TlsVersion version_max = TlsVersion::tls1_3;
  VerifyPeer verify;
};

class TlsClientContext {
public:
  static Result<std::shared_ptr<const TlsClientContext>> create(TlsClientOptions options);
  TlsClientContext(const TlsClientContext&) = delete;
  TlsClientContext& operator=(const TlsClientContext&) = delete;
  ~TlsClientContext();

  SSL_CTX* get() const { return context_; }

private:
  TlsClientContext() = default;
  SSL_CTX* context_ = nullptr;
};

/// Whom a client wants to reach.
struct TlsServerName {
  std::string sni;       ///< Sent to the server; empty: none.
  std::string host;      ///< DNS name or IP that the certificate must be for; empty: not checked.
  std::string spiffe_id; ///< URI that the certificate must carry; empty: not checked.
};

/// TLS over a connected descriptor. Shares its contexts; see Stream for the rest. Record buffers
/// are released while the connection idles.
class TlsStream final : public Stream {
public:
  /// Never fails later for lack of memory: unavailable if OpenSSL cannot make a connection.
  static Result<std::unique_ptr<TlsStream>> server(Fd fd,
                                                   std::shared_ptr<const TlsServerContext> context);
  static Result<std::unique_ptr<TlsStream>>
  client(Fd fd, std::shared_ptr<const TlsClientContext> context, const TlsServerName& name);
  ~TlsStream() override;

  IoResult handshake() override;
  IoResult read_some(std::span<char> space) override;
  IoResult write_some(std::span<const iovec> slices) override;
  /// Sends close_notify and ends our side of the TCP connection.
  IoResult shutdown() override;
  void close() override;
  int fd() const override { return fd_.get(); }
  bool drained() const override { return drained_; }
  std::string failure() const override { return failure_; }
  std::string_view alpn() const override;
  bool is_tls() const override { return true; }

  /// As the client sent it; empty if it sent none.
  std::string_view sni() const override;
  /// "TLSv1.3"
  std::string_view version() const;
  std::string_view cipher() const;
  bool resumed() const;
  /// Whether the peer presented a certificate; peer() is empty without one.
  bool has_peer_certificate() const;
  PeerIdentity peer() const;

  /// For the verify callback of the contexts: what the failure will say.
  void refuse(std::string why) { failure_ = std::move(why); }

private:
  TlsStream(Fd fd, SSL* ssl, std::shared_ptr<const void> context);
  IoResult outcome(int returned);

  Fd fd_;
  SSL* ssl_;
  std::shared_ptr<const void> context_;
  std::string failure_;
  std::string expected_spiffe_;
  bool drained_ = false;
  friend struct TlsVerification;
};

} // namespace strait::net
