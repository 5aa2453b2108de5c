#pragma once

#include "gateway/proxy/listening_port.hpp"
#include "gateway/proxy/udp_sessions.hpp"

namespace strait::gateway::proxy {

/// One worker's socket of a UDP listener. The kernel gives all datagrams of a client to the same
/// worker, by the hash of their addresses. The first one of a client chooses an endpoint, by the
/// weights of the listener's route, for as long as the session lasts.
class UdpPort final : public ListeningPort, public net::EventHandler {
public:
  UdpPort(UdpSessions& sessions, std::shared_ptr<PortState> state)
      : ListeningPort{std::move(state)}, sessions_{sessions}, worker_{sessions.worker()} {}
  ~UdpPort() override { close(); }

  Status listen() override;
  bool listening() const override { return static_cast<bool>(fd_); }
  /// Its sessions end with it.
  void close() override;
  /// Sessions whose backend or endpoint is gone end; the others go on.
  void renew() override;

  /// An answer to the client of a flow.
  void send(std::string_view bytes, const UdpFlow& flow);
  void endpoint_failed(const UdpSession& session);
  void endpoint_answered(const UdpSession& session);

private:
  void on_ready(net::Ready ready) override;
  void take(std::string_view bytes, const net::Datagram& datagram);
  UdpSession* begin(const UdpFlow& flow, const UpstreamEndpoint* avoid = nullptr);
  std::shared_ptr<const BoundRoute> route() const;
  bool still_served(const UdpDestination& destination) const;
  UpstreamEndpoint* endpoint_of(const UdpSession& session);

  UdpSessions& sessions_;
  WorkerContext& worker_;
  net::Fd fd_;
  // What sessions were last compared with: the route, the clusters of its backends, and those that
  // may stand in for them.
  std::shared_ptr<const BoundRoute> route_;
  std::vector<std::shared_ptr<const Cluster>> clusters_;
};

} // namespace strait::gateway::proxy
