#pragma once

#include "gateway/snapshot/config.hpp"
#include "net/tls.hpp"

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace strait::gateway::proxy {

/// What will be spoken on a connection to an endpoint: what ALPN offers (RFC 7301).
enum class UpstreamProtocol : std::uint8_t {
  http1,
  opaque, ///< Bytes as they come: no ALPN.
  http2,
};
inline constexpr std::size_t upstream_protocol_count = 3;

/// How one worker secures the connections to one cluster: its PeerTls, its BackendTls, or not at
/// all. Contexts are made when first needed and kept until the settings change.
class UpstreamTls {
public:
  /// Whether something changed, so that connections made before are not to be used any more.
  /// `certificate`: what we present, null if there is none.
  bool update(const Cluster& cluster, const std::shared_ptr<const Certificate>& certificate);
  /// The stream over a connected descriptor, before its handshake. The error names the cluster.
  Result<std::unique_ptr<net::Stream>> wrap(net::Fd fd, UpstreamProtocol protocol);
  /// Grows with every change of the settings.
  std::uint64_t generation() const { return generation_; }
  bool plain() const { return !peer_ && !backend_; }

private:
  using Context = std::shared_ptr<const net::TlsClientContext>;
  Result<Context> make_context(UpstreamProtocol protocol) const;

  std::string cluster_;
  std::optional<PeerTls> peer_;
  std::optional<BackendTls> backend_;
  std::shared_ptr<const Certificate> certificate_;
  std::uint64_t generation_ = 0;
  std::array<Context, upstream_protocol_count> contexts_;
};

/// The certificate that connections to the cluster present, out of the Config's; null: none.
std::shared_ptr<const Certificate> upstream_certificate(const Cluster& cluster,
                                                        const Resources<Certificate>& certificates);

/// Whether a server's certificate is one that the policy expects: any of its DNS names, as
/// RFC 6125 §6.4.3 compares them (a wildcard on either side stands for one label), or of its URIs.
Status expect_names(const BackendTls& policy, const net::PeerIdentity& server);

} // namespace strait::gateway::proxy
