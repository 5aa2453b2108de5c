#pragma once

#include "gateway/proxy/access_log.hpp"
#include "gateway/proxy/channel.hpp"
#include "gateway/proxy/random.hpp"
#include "gateway/proxy/routing.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace strait::gateway::proxy {

class Session;
class Exchange;
class KeySets;
class Mirrors;
class SessionKeys;
class TlsFront;

/// Every downstream connection of one worker. Owns them.
class SessionList {
public:
  explicit SessionList(Retirement& retirement) : retirement_{retirement} {}
  Session& add(std::unique_ptr<Session> session);
  void remove(Session& session);
  /// The same connection as another session; the one before is retired.
  Session& replace(Session& session, std::unique_ptr<Session> by);
  std::size_t size() const { return sessions_.size(); }
  /// Called for each; it may remove itself, but no other.
  template <class F>
  void each(F visit) {
    for (std::size_t i = sessions_.size(); i-- > 0;)
      visit(*sessions_[i]);
  }

private:
  Retirement& retirement_;
  std::vector<std::unique_ptr<Session>> sessions_;
};

/// What a session stands on; one per worker.
struct WorkerContext {
  net::EventLoop& loop;
  net::BufferPool& buffers;
  Retirement& retirement;
  WorkerCounters& counters;
  const ProxyOptions& options;
  Routing& routing;
  SessionList& sessions;
  AccessBuffer* access_log = nullptr; ///< Null: off.
  /// Exchanges that wait for their next request: an idle connection has none.
  std::vector<std::unique_ptr<Exchange>>& spare_exchanges;
  Random& random;
  Mirrors& mirrors;
  KeySets& key_sets;
  const SessionKeys& session_keys;
};

/// A port as its connections see it. Shared by the listener and by the connections that it
/// accepted, which may outlive it.
struct PortState {
  std::uint16_t port = 0;
  std::string address;
  /// What its socket is for: https also stands for TLS listeners, see by_server_name.
  Protocol protocol = Protocol::http;
  /// Some of its listeners speak TLS but not HTTPS: the ClientHello says what a connection is for.
  bool by_server_name = false;
  /// The snapshot to serve under: the current one, or, once the port is gone, the last that had it.
  ServedPtr served;
  std::shared_ptr<const PortTable> table;
  bool closing = false; ///< One more answer each: it is closed, or the proxy winds down.
  bool closed = false;  ///< It accepts no more: idle connections end soon.
  std::unique_ptr<TlsFront> tls;

  PortState();
  ~PortState();
};

/// One downstream connection.
class Session : public Retirable {
public:
  /// The port is closing: end after the answer under way, or after the next one, but no later than
  /// `within` if idle; nothing: as late as it would anyway. Tunnels go on.
  virtual void wind_down(std::optional<Millis> within) = 0;
  /// Ends it now.
  virtual void abort() = 0;
  const PortState& port() const { return *port_; }

protected:
  Session(WorkerContext& worker, std::shared_ptr<PortState> port, net::Address peer)
      : worker_{worker}, port_{std::move(port)}, peer_{peer} {}
  /// Hands it to retirement; not to be touched afterwards by its own code than to return.
  void finish() {
    if (!finished_)
      worker_.sessions.remove(*this);
    finished_ = true;
  }
  bool finished() const { return finished_; }
  /// Goes on as another session; otherwise like finish().
  void hand_over(std::unique_ptr<Session> to) {
    finished_ = true;
    worker_.sessions.replace(*this, std::move(to));
  }

  WorkerContext& worker_;
  std::shared_ptr<PortState> port_;
  net::Address peer_;

private:
  friend class SessionList;
  std::size_t index_ = 0;
  bool finished_ = false;
};

} // namespace strait::gateway::proxy
