#pragma once

#include "gateway/proxy/relay.hpp"
#include "gateway/proxy/session.hpp"

#include <optional>
#include <unordered_map>

namespace strait::gateway::proxy {

/// A client's connection whose bytes go to one endpoint as they are: of a TCP listener, by its
/// oldest route and the weights of its backends; or of the peering listener, decrypted, to the
/// cluster of the export that its SNI names, once its certificate was admitted.
class TcpSession final : public Session, public Channel::Owner, public UpstreamTicket::User {
public:
  TcpSession(WorkerContext& worker, std::shared_ptr<PortState> port, net::Address peer);
  ~TcpSession() override;
  void start(net::Fd fd);

  void wind_down(Millis) override {}
  void abort() override { end(); }

private:
  enum class State : std::uint8_t { handshake, connecting, relaying, dead };

  void on_channel(Channel& channel) override;
  void on_upstream(UpstreamConnection& connection) override;
  void on_upstream_failed(bool timed_out, std::string_view why) override;
  void on_timer();

  void handshake();
  /// Where the bytes go; null, and the reason is counted, if nowhere.
  UpstreamCluster* destination();
  void connect(const UpstreamEndpoint* avoid);
  void relay();
  void refuse();
  void end();

  Channel channel_;
  net::Timer timer_, resume_;
  net::OutputQueue to_client_, to_upstream_;
  UpstreamTicket ticket_;
  UpstreamCluster* cluster_ = nullptr;
  const UpstreamEndpoint* attempted_ = nullptr; // Compared, never looked into.
  UpstreamConnection* upstream_ = nullptr;
  std::optional<Relay> relay_;
  ServedPtr served_;
  State state_ = State::handshake;
  unsigned retries_ = 0;
  Instant began_{};
  WallTime began_wall_{};
  std::string listener_, endpoint_;
};

} // namespace strait::gateway::proxy
