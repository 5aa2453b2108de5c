#pragma once

#include "gateway/proxy/channel.hpp"
#include "gateway/proxy/counters.hpp"
#include "gateway/proxy/endpoint_health.hpp"
#include "gateway/proxy/http2_connection.hpp"
#include "gateway/proxy/options.hpp"
#include "gateway/proxy/upstream_tls.hpp"
#include "gateway/proxy/weights.hpp"
#include "gateway/snapshot/config.hpp"
#include "net/address.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace strait::net {
class Resolver;
}

namespace strait::gateway::proxy {

class UpstreamCluster;
class UpstreamEndpoint;
class UpstreamTicket;

/// What upstream connections stand on; one per worker.
struct UpstreamEnvironment {
  net::EventLoop& loop;
  net::BufferPool& buffers;
  Retirement& retirement;
  WorkerCounters& counters;
  const ProxyOptions& options;
  std::unique_ptr<net::Resolver>& resolver; ///< Made when the first host name is met.
};

/// One connection to an endpoint: connecting, leased to one exchange or tunnel, or kept idle. In
/// HTTP/2 there are two kinds: those that carry streams, and the streams, each of them leased to
/// one exchange, for which it is a connection like any other. Owned by its endpoint.
class UpstreamConnection final : public Retirable,
                                 public Channel::Owner,
                                 public Http2Connection::User {
public:
  UpstreamConnection(UpstreamEndpoint& endpoint, UpstreamTicket& ticket);
  /// A stream of an HTTP/2 connection that has room.
  UpstreamConnection(UpstreamEndpoint& endpoint, UpstreamConnection& carrier);

  Channel channel;
  UpstreamEndpoint& endpoint() { return endpoint_; }
  /// Whether it has served a request before: it may have been closed meanwhile, and what is sent on
  /// it may be lost unread.
  bool reused() const { return leases_ > 1; }
  /// The endpoint said that it did not process what was sent (RFC 9113 §8.7).
  bool unprocessed() const;

  /// Gives it back for the next request; its owner must have read all of its answer.
  void release();
  /// Ends it. Not to be touched afterwards.
  void discard();

private:
  friend class UpstreamEndpoint;
  friend class UpstreamTicket;
  enum class State : std::uint8_t { connecting, handshaking, leased, idle, refused, carrying };
  bool dialing() const {
    return state_ == State::connecting || state_ == State::handshaking || state_ == State::refused;
  }

  void on_channel(Channel& channel) override;
  void on_request(Http2Stream&) override {}
  void on_streams() override;
  void on_finished(std::string_view why) override;
  void on_timer();
  void start();
  void go_on();
  void carry();
  void fail(std::string why);
  void lease_to(UpstreamTicket& ticket);
  bool ended_meanwhile();

  UpstreamEndpoint& endpoint_;
  UpstreamTicket* ticket_;
  net::Timer timer_;
  net::Fd fd_;
  net::Address address_;
  State state_ = State::connecting;
  std::size_t index_ = 0;
  std::uint64_t leases_ = 0;
  UpstreamProtocol protocol_;
  std::uint64_t secured_ =
      0; // The generation of the cluster's TLS settings that it was made under.
  std::string why_;
  std::unique_ptr<Http2Connection> http2_; // If it carries streams.
  bool is_stream_ = false;
};

/// One wait for a connection to an endpoint; part of whoever waits. Cancels itself when it dies.
class UpstreamTicket {
public:
  class User {
  public:
    /// The connection is the user's until it is released or discarded.
    virtual void on_upstream(UpstreamConnection& connection) = 0;
    virtual void on_upstream_failed(bool timed_out, std::string_view why) = 0;

  protected:
    ~User() = default;
  };

  /// `protocol`: what the user will speak. Only connections for HTTP/1.1 are kept and used again.
  UpstreamTicket(net::EventLoop& loop, User& user,
                 UpstreamProtocol protocol = UpstreamProtocol::http1)
      : user_{user}, timer_{loop, [this] { time_out(); }}, protocol_{protocol} {}
  ~UpstreamTicket() { cancel(); }
  /// For the next lease.
  void speak(UpstreamProtocol protocol) { protocol_ = protocol; }
  UpstreamTicket(const UpstreamTicket&) = delete;
  UpstreamTicket& operator=(const UpstreamTicket&) = delete;
  void cancel();
  /// The user has waited long enough: it is told so, as if the time for connecting were over.
  void time_out();

private:
  friend class UpstreamEndpoint;
  friend class UpstreamConnection;

  User& user_;
  net::Timer timer_;
  UpstreamProtocol protocol_;
  bool fresh_ = false;                       // Wants a connection that nobody used before.
  UpstreamEndpoint* endpoint_ = nullptr;     // While it waits in a line.
  UpstreamConnection* connection_ = nullptr; // While one is being made for it.
};

/// One endpoint of a cluster: its connections, its health, and who waits for it.
class UpstreamEndpoint final : public Retirable {
public:
  enum class Leased : std::uint8_t { now, later, overflow };
  /// Which kept connections will do.
  enum class Reuse : std::uint8_t {
    any,
    checked, ///< Only one that its endpoint has not ended, as far as can be known by now.
    none,    ///< One that nobody used before.
  };

  UpstreamEndpoint(UpstreamCluster& cluster, Endpoint endpoint);
  ~UpstreamEndpoint() override;

  const Endpoint& endpoint() const { return endpoint_; }
  /// "10.0.0.1:80"
  const std::string& name() const { return name_; }
  /// As tokens of session persistence name it.
  std::uint64_t session() const { return session_; }
  /// Null while its host name is not resolved; then that begins.
  const net::Address* address();
  EndpointHealth& health() { return health_; }
  UpstreamCluster& cluster() { return cluster_; }

  /// A connection: now (`connection` is set), later (the ticket's user is told) or not at all
  /// (endpoint_pending_max).
  Leased lease(UpstreamTicket& ticket, Reuse reuse, UpstreamConnection*& connection);
  void succeeded() { health_.succeeded(); }
  void failed();

  std::size_t idle() const { return idle_.size(); }
  std::size_t connections() const { return connections_.size(); }
  std::size_t waiting() const { return waiting_.size(); }
  /// HTTP/2 connections ended in order: once their streams have.
  void close_idle();

private:
  friend class UpstreamConnection;
  friend class UpstreamTicket;
  friend class UpstreamCluster;

  bool room() const;
  UpstreamConnection* carrier_with_room() const;
  bool may_dial_http2() const;
  UpstreamConnection& open_stream(UpstreamConnection& carrier, UpstreamTicket& ticket);
  void connect(UpstreamTicket& ticket);
  void resolve();
  void serve_waiting();
  void remove(UpstreamConnection& connection);
  void forget(UpstreamTicket& ticket) { std::erase(waiting_, &ticket); }

  UpstreamCluster& cluster_;
  Endpoint endpoint_;
  std::string name_;
  std::uint64_t session_ = 0;
  EndpointHealth health_;
  std::optional<net::Address> address_;
  bool literal_ = false, resolving_ = false, departed_ = false;
  Instant resolved_at_{};
  std::shared_ptr<UpstreamEndpoint*> self_; // Null once this died: for the resolver's answer.
  std::vector<std::unique_ptr<UpstreamConnection>> connections_;
  std::vector<UpstreamConnection*> idle_;     // The last used one is used next.
  std::vector<UpstreamConnection*> carriers_; // HTTP/2, live.
  std::size_t http2_dialing_ = 0;
  std::vector<UpstreamTicket*> waiting_; // The first came first.
};

/// What a worker knows of a cluster beyond the snapshot, over all snapshots: connections, health,
/// whose turn it is.
class UpstreamCluster {
public:
  UpstreamCluster(UpstreamEnvironment& environment, std::string id);

  const std::string& id() const { return id_; }
  /// The cluster as the snapshot has it now, with its upstream_certificate(). Costs nothing if both
  /// are the same as before. Endpoints that stay keep their health, and their connections unless
  /// these are secured otherwise now.
  void update(const std::shared_ptr<const Cluster>& cluster,
              const std::shared_ptr<const Certificate>& certificate);

  /// Whose turn it is: by weight, without ejected ones and without `avoid`. Null: nobody's.
  UpstreamEndpoint* pick(const UpstreamEndpoint* avoid = nullptr);
  /// When there is no other: any of them but `avoid`, ejected or not. Null: there is none.
  UpstreamEndpoint* pick_any(const UpstreamEndpoint* avoid = nullptr);
  /// Whether an endpoint, another one than `besides`, is not ejected.
  bool available(const UpstreamEndpoint* besides = nullptr) const;
  /// By UpstreamEndpoint::name(); null if there is none now.
  UpstreamEndpoint* find(std::string_view name);
  /// The endpoint of a session; null if it is gone or ejected.
  UpstreamEndpoint* find(std::uint64_t session);

  /// Nothing is connected and nobody waits.
  bool quiet() const;
  void close_idle();
  std::size_t endpoints() const { return endpoints_.size(); }
  NamedCount& counts() { return counts_; }
  const std::shared_ptr<const Cluster>& cluster() const { return cluster_; }

private:
  friend class UpstreamEndpoint;
  friend class UpstreamConnection;
  friend class UpstreamTicket;
  void drop_departed(UpstreamEndpoint& endpoint);

  UpstreamEnvironment& environment_;
  std::string id_;
  NamedCount& counts_;
  std::shared_ptr<const Cluster> cluster_;
  std::shared_ptr<const Certificate> certificate_;
  UpstreamTls tls_;
  std::vector<std::unique_ptr<UpstreamEndpoint>> endpoints_, departed_;
  SmoothWeights turns_;
  std::size_t next_ = 0;
  bool uniform_ = true;
};

} // namespace strait::gateway::proxy
