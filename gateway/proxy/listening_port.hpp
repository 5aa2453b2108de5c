#pragma once

#include "gateway/proxy/session.hpp"
#include "net/socket.hpp"

#include <memory>

namespace strait::gateway::proxy {

/// One worker's socket of one port.
class ListeningPort {
public:
  explicit ListeningPort(std::shared_ptr<PortState> state) : state_{std::move(state)} {}
  ListeningPort(const ListeningPort&) = delete;
  ListeningPort& operator=(const ListeningPort&) = delete;
  virtual ~ListeningPort() = default;

  /// Binds with SO_REUSEPORT, so that every worker has a socket of its own.
  virtual Status listen() = 0;
  virtual bool listening() const = 0;
  /// Takes what waits already, then listens no more.
  virtual void close() = 0;
  /// A tick has passed.
  virtual void tick() {}
  /// The state's table is another one.
  virtual void renew() {}

  const std::shared_ptr<PortState>& state() const { return state_; }

protected:
  std::shared_ptr<PortState> state_;
};

/// Accepts connections; the sessions do the rest.
class AcceptingPort final : public ListeningPort, public net::EventHandler {
public:
  AcceptingPort(WorkerContext& worker, std::shared_ptr<PortState> state)
      : ListeningPort{std::move(state)}, worker_{worker} {}
  ~AcceptingPort() override;

  Status listen() override;
  bool listening() const override { return static_cast<bool>(fd_); }
  void close() override;
  /// Accepting goes on, after it was paused for connections_max.
  void tick() override;

private:
  void on_ready(net::Ready ready) override;
  /// At most so many; whether none waits any more.
  bool accept(std::size_t max);
  template <class Kind>
  void begin(net::Accepted accepted);
  void pause();

  WorkerContext& worker_;
  net::Fd fd_;
  bool paused_ = false;
};

/// Where a port's socket is bound.
inline Result<net::Address> bound_address(const PortState& state) {
  return state.address.empty() ? Result<net::Address>{net::Address::any(state.port)}
                               : net::Address::from_ip(state.address, state.port);
}

} // namespace strait::gateway::proxy
