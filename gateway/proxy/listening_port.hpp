#pragma once

#include "gateway/proxy/session.hpp"
#include "net/socket.hpp"

#include <functional>

namespace strait::gateway::proxy {

/// One worker's listening socket of one port. Accepts; the sessions do the rest.
class ListeningPort final : public net::EventHandler {
public:
  ListeningPort(WorkerContext& worker, std::shared_ptr<PortState> state)
      : worker_{worker}, state_{std::move(state)} {}
  ~ListeningPort();
  ListeningPort(const ListeningPort&) = delete;
  ListeningPort& operator=(const ListeningPort&) = delete;

  /// Binds with SO_REUSEPORT, so that every worker has a socket of its own.
  Status listen();
  bool listening() const { return static_cast<bool>(fd_); }
  /// Takes what waits already, then listens no more.
  void close();
  /// Accepting goes on, after it was paused for connections_max.
  void resume();

  const std::shared_ptr<PortState>& state() const { return state_; }

private:
  void on_ready(net::Ready ready) override;
  /// At most so many; whether none waits any more.
  bool accept(std::size_t max);
  void pause();

  WorkerContext& worker_;
  std::shared_ptr<PortState> state_;
  net::Fd fd_;
  bool paused_ = false;
};

} // namespace strait::gateway::proxy
