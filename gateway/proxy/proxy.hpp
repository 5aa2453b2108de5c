#pragma once

// gateway/proxy: serves snapshots on worker threads. Uses net and gateway/snapshot; knows neither
// how a snapshot came about nor actors.
//
//   Proxy            the worker threads, the access log's thread (proxy.hpp)
//   Worker           one loop; its ports, sessions, clusters, weights: shares nothing (worker.hpp)
//   AcceptingPort    accepts for one port ─► HttpSession or TcpSession, one per connection; where
//                    TLS routes are, a TlsRouteSession until the ClientHello tells
//   UdpPort          a UDP listener's socket ─► UdpSession, one per client
//   Exchange         one HTTP request and its answer; a session lends it its channel
//   Routing          rule ─► backend (weights) ─► UpstreamCluster ─► UpstreamEndpoint (health)
//   FailoverPath     how far a request has come along its cluster and those that stand in for it
//   UpstreamConnection   leased to an exchange, or idle in its endpoint
//   TlsFront         what to present by SNI; admission of peers
//
// A snapshot goes to each worker as one pointer. A request keeps the snapshot under which it began;
// connections, health and weights' state are the worker's and outlive it.

#include "base/result.hpp"
#include "gateway/proxy/counters.hpp"
#include "gateway/proxy/options.hpp"
#include "gateway/snapshot/snapshot.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace strait::gateway::proxy {

/// Why a port is not served: what Programmed=False says.
struct ListenerError {
  std::uint16_t port = 0;
  std::string address;
  Error error;
  bool udp = false; ///< Of a UDP port; TCP ports may have the same number.
  friend bool operator==(const ListenerError&, const ListenerError&) = default;
};

/// Serves the traffic of one gateway. Owns its threads; any thread may call.
class Proxy {
public:
  /// Threads run; nothing is bound before the first snapshot. Fails if the process lacks
  /// descriptors.
  static Result<std::unique_ptr<Proxy>> start(ProxyOptions options);
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  /// Drops every connection: drain() first.
  ~Proxy();

  /// Serves it from now on; the latest wins. Ports that stay keep their sockets and connections;
  /// ports that are gone stop accepting, and their connections end after one more answer.
  void publish(SnapshotPtr snapshot);

  /// The lowest epoch that every worker serves; 0 before the first snapshot.
  std::uint64_t served_epoch() const;
  /// Called with it when it grew, on a worker's thread; must not block nor call the proxy. Set
  /// before publish().
  void on_served(std::function<void(std::uint64_t epoch)> callback);

  /// Ports that some worker cannot bind now, tried again every bind_retry. Others serve on.
  std::vector<ListenerError> listener_errors() const;
  /// Called when that list changed, on a worker's thread; must not block nor call the proxy. Set
  /// before publish().
  void on_listener_errors(std::function<void(std::vector<ListenerError>)> callback);

  Counters counters() const;

  /// The end is near: serves on, new connections as well, but each connection of HTTP ends with its
  /// next answer, which says so (Connection: close, RFC 9112 §9.6; GOAWAY, RFC 9113 §6.8). So that
  /// clients have gone elsewhere, without a lost request, when drain() closes what is idle.
  /// Bytes of TCP, TLS and UDP routes and upgraded connections go on until then.
  void wind_down();

  /// Listens no more, lets requests under way end, closes idle connections; returns when none is
  /// left or after `within`. What is left then, ~Proxy drops.
  void drain(Millis within);

  struct State;

private:
  explicit Proxy(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

} // namespace strait::gateway::proxy
