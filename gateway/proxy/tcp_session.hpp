#pragma once

#include "gateway/proxy/failover_path.hpp"
#include "gateway/proxy/relay.hpp"
#include "gateway/proxy/session.hpp"

#include <optional>
#include <unordered_map>

namespace strait::gateway::proxy {

/// A client's connection whose bytes go to one endpoint as they are: of a TCP listener, by its
/// oldest route and the weights of its backends; of a TLS listener, as they are or decrypted, by
/// the route for its server name; or of the peering listener, decrypted, to the cluster of the
/// export that its SNI names, once its certificate was admitted.
class TcpSession final : public Session, public Channel::Owner, public UpstreamTicket::User {
public:
  TcpSession(WorkerContext& worker, std::shared_ptr<PortState> port, net::Address peer);
  /// Of a TLS listener; the name is the ClientHello's, in lower case, and no byte was read yet.
  TcpSession(WorkerContext& worker, std::shared_ptr<PortState> port, net::Address peer,
             std::string server_name);
  ~TcpSession() override;
  void start(net::Fd fd);

  void wind_down(std::optional<Millis>) override {}
  void abort() override { end(); }

private:
  enum class State : std::uint8_t { handshake, connecting, relaying, dead };
  enum class Kind : std::uint8_t { tcp, tls_passthrough, tls_terminate, peering };
  bool of_tls_route() const {
    return kind_ == Kind::tls_passthrough || kind_ == Kind::tls_terminate;
  }

  void on_channel(Channel& channel) override;
  void on_upstream(UpstreamConnection& connection) override;
  void on_upstream_failed(bool timed_out, std::string_view why) override;
  void on_timer();

  Status attach(net::Fd fd);
  void handshake();
  /// Where the bytes go; null, and the reason is counted, if nowhere.
  UpstreamCluster* destination();
  UpstreamCluster* by_tcp_route();
  UpstreamCluster* by_tls_route();
  UpstreamCluster* by_export();
  UpstreamCluster* choose(const BoundRoute& route,
                          const std::vector<strait::gateway::Backend>& backends);
  Pick pick(const UpstreamEndpoint* avoid);
  void connect(const Pick& pick);
  void relay();
  void refuse();
  void end();

  Channel channel_;
  net::Timer timer_, resume_;
  net::OutputQueue to_client_, to_upstream_;
  UpstreamTicket ticket_;
  UpstreamCluster* cluster_ = nullptr;          // The one that is being tried.
  const std::string* cluster_id_ = nullptr;     // Its own; in the snapshot that is served.
  const UpstreamEndpoint* attempted_ = nullptr; // Compared, never looked into.
  UpstreamConnection* upstream_ = nullptr;
  std::optional<Relay> relay_;
  ServedPtr served_;
  State state_ = State::handshake;
  Kind kind_;
  FailoverPath path_;
  Instant began_{};
  WallTime began_wall_{};
  std::string server_name_, listener_, route_, endpoint_, failure_;
};

} // namespace strait::gateway::proxy
