#pragma once

#include "gateway/proxy/session.hpp"
#include "net/udp.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace strait::gateway::proxy {

class UdpPort;
class UdpSessions;

/// What makes datagrams belong together: who sent them, to which of our addresses, on which port.
struct UdpFlow {
  const UdpPort* port = nullptr;
  net::Address client, local;
  friend bool operator==(const UdpFlow&, const UdpFlow&) = default;
};
struct UdpFlowHash {
  std::size_t operator()(const UdpFlow& flow) const;
};

/// Where the datagrams of a session go; nowhere (no descriptor) for a refused share.
struct UdpDestination {
  net::Fd fd;
  std::shared_ptr<const BoundRoute> route;
  std::string listener;
  std::string own; ///< The cluster of the route's backend; `cluster` may stand in for it.
  std::string cluster;
  Endpoint endpoint;
  std::string endpoint_name;
};

/// The datagrams of one client, carried to the endpoint that was chosen by its first one, and what
/// comes back from there.
class UdpSession final : public Retirable, public net::EventHandler {
public:
  UdpSession(UdpSessions& sessions, UdpPort& port, const UdpFlow& flow, UdpDestination destination);
  ~UdpSession() override;

  const UdpFlow& flow() const { return flow_; }
  const UdpDestination& destination() const { return destination_; }
  bool refused() const { return !destination_.fd; }
  /// One datagram of the client.
  net::Udp send(std::string_view bytes);

private:
  friend class UdpSessions;
  void on_ready(net::Ready ready) override;
  bool watch();

  UdpSessions& sessions_;
  UdpPort& port_;
  UdpFlow flow_;
  UdpDestination destination_;
  UdpSession *older_ = nullptr, *newer_ = nullptr; // In the order of their last datagrams.
  Instant used_{}, began_{};
  WallTime began_wall_{};
  std::uint64_t bytes_in_ = 0, bytes_out_ = 0;
  bool watched_ = false, answered_ = false;
};

/// The UDP sessions of one worker, over all of its ports: at most udp_sessions_max, the one that
/// was silent for longest ends for a new one; each ends after udp_idle without a datagram. A
/// datagram of a session allocates nothing. One thread.
class UdpSessions {
public:
  explicit UdpSessions(WorkerContext& worker);
  ~UdpSessions();

  UdpSession* find(const UdpFlow& flow);
  /// Null if its descriptor cannot be watched.
  UdpSession* begin(UdpPort& port, const UdpFlow& flow, UdpDestination destination);
  /// A datagram of it passed.
  void touch(UdpSession& session);
  /// `failure`: why, if it is one. Not to be touched afterwards.
  void end(UdpSession& session, std::string_view failure = {});
  /// Those of which this holds.
  template <class F>
  void end_if(F holds);

  /// No new ones; those that are wait no longer than `linger` for another datagram.
  void drain();
  bool draining() const { return draining_; }
  std::size_t size() const { return sessions_.size(); }
  /// For one datagram at a time.
  std::span<char> space();
  WorkerContext& worker() { return worker_; }

private:
  Millis idle() const;
  void link(UdpSession& session);
  void unlink(UdpSession& session);
  void expire();
  void log(const UdpSession& session, std::string_view failure);

  WorkerContext& worker_;
  net::Timer timer_;
  std::unordered_map<UdpFlow, std::unique_ptr<UdpSession>, UdpFlowHash> sessions_;
  UdpSession *oldest_ = nullptr, *newest_ = nullptr;
  std::vector<char> space_;
  bool draining_ = false;
};

template <class F>
void UdpSessions::end_if(F holds) {
  for (auto* session = oldest_; session;) {
    auto* next = session->newer_;
    if (holds(*session))
      end(*session);
    session = next;
  }
}

} // namespace strait::gateway::proxy
