#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <memory>
#include <string>
#include <vector>

namespace strait::peering {

struct TunnelOptions {
  std::string address;              ///< host:port
  std::vector<std::string> ca_pems; ///< The only anchors of trust.
  std::string server_name;          ///< SNI, and what the certificate must be for.
  Millis connect_timeout{5'000};    ///< For the connection and the handshake together.
};

/// Carries the plain bytes of a local socket to a server over TLS 1.2 or later. gRPC 1.51 insists
/// that a server answers ALPN, and Consul's peering port does not; so TLS to peers is ours. It
/// offers "h2" and accepts a server that does not answer.
///
/// Each tunnel has a thread, which ends with the connection. Any thread may call.
class TlsTunnel {
public:
  /// Returns at once; the connection is made behind it. Errc::invalid: no CA certificate can be
  /// read. Errc::exhausted: no more sockets.
  static Result<std::unique_ptr<TlsTunnel>> open(TunnelOptions options);
  /// Cuts the connection.
  ~TlsTunnel();
  TlsTunnel(const TlsTunnel&) = delete;
  TlsTunnel& operator=(const TlsTunnel&) = delete;

  /// The local end, non-blocking; the caller closes it. Once.
  int take_socket();
  /// Why it failed; empty while it has not.
  std::string failure() const;
  /// Whether it failed because the server's certificate is not to be trusted.
  bool distrusted() const;

private:
  struct State;
  explicit TlsTunnel(std::shared_ptr<State> state) : state_{std::move(state)} {}
  std::shared_ptr<State> state_; // Shared with the thread.
};

} // namespace strait::peering
