#pragma once

#include "gateway/proxy/proxy_fixture.test.hpp"
#include "net/test_certificates.hpp"
#include "net/tls.hpp"

#include <memory>
#include <string>

namespace strait::gateway::proxy::testing {

using net::testing::Identity;
using net::testing::issue;

/// One end of a TLS connection that waits, for at most 10 s.
class TlsWire {
public:
  /// Dials and shakes hands.
  TlsWire(std::uint16_t port, const std::string& sni, net::TlsClientOptions options);
  /// The server's end of an accepted connection; shakes hands.
  TlsWire(Wire& accepted, std::shared_ptr<const net::TlsServerContext> context);

  bool ok() const { return ok_; }
  bool send(std::string text);
  /// What comes next; empty at the end or on a failure.
  std::string some();
  std::string rest();
  /// Up to a line end twice.
  std::string head();
  /// Whether the server let us in: with TLS 1.3 a refusal shows only now.
  std::string ask(const std::string& request) {
    return ok_ && send(request) ? some() : std::string{};
  }
  void end_sending() { stream_->shutdown(); }
  net::TlsStream& stream() { return *stream_; }

private:
  template <class Step>
  net::IoResult patiently(Step step);
  void shake();

  std::unique_ptr<net::TlsStream> stream_;
  bool ok_ = false;
  std::shared_ptr<void> lent_; // By a backend; given back before the stream closes.
};

/// A certificate authority with names of its own.
struct Authority {
  Identity root = issue({.common_name = "root", .authority = true});
  Certificate leaf(std::string id, const std::string& names) const {
    auto made = issue({.common_name = "leaf", .alternative_names = names}, &root);
    return {std::move(id), made.certificate, made.key};
  }
};

net::TlsClientOptions trusting(const Authority& authority);
/// Trusting it, and presenting a certificate.
net::TlsClientOptions presenting(const Authority& authority, const Certificate& ours);
std::shared_ptr<const net::TlsCertificate> loaded(const Certificate& certificate);
std::string first_dns_name(TlsWire& wire);

Listener https(std::string name, std::uint16_t port, std::string hostname,
               std::vector<std::string> certificates);

/// A server that speaks HTTP/1.1 over TLS and answers every request with
/// "NAME sni=… alpn=… client=DNS NAME|none"; counts requests, and handshakes that failed in
/// `refused`.
struct TlsBackend {
  TlsBackend(std::string name, net::TlsServerOptions options);
  std::uint16_t port() const { return backend.port(); }
  Endpoint endpoint() const { return backend.endpoint(); }
  std::atomic<int> refused{0};
  std::shared_ptr<const net::TlsServerContext> context;
  Backend backend;
};

} // namespace strait::gateway::proxy::testing
