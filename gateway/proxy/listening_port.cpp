#include "gateway/proxy/listening_port.hpp"

#include "gateway/proxy/http_session.hpp"
#include "gateway/proxy/tcp_session.hpp"

namespace strait::gateway::proxy {

ListeningPort::~ListeningPort() {
  if (fd_ && !paused_)
    worker_.loop.remove(fd_.get());
}

Status ListeningPort::listen() {
  auto address = state_->address.empty() ? Result<net::Address>{net::Address::any(state_->port)}
                                         : net::Address::from_ip(state_->address, state_->port);
  if (!address)
    return fail(address.error());
  auto fd = net::listen_tcp(*address, {.reuse_port = true});
  if (!fd)
    return fail(fd.error());
  if (auto added = worker_.loop.add(fd->get(), net::Watch::level_read, *this); !added)
    return added;
  fd_ = std::move(*fd);
  return {};
}

void ListeningPort::close() {
  if (!fd_)
    return;
  constexpr std::size_t last_accepts_max = 4'096; ///< As many as the backlog can hold.
  accept(last_accepts_max);
  if (!paused_)
    worker_.loop.remove(fd_.get());
  fd_.close();
}

void ListeningPort::pause() {
  if (paused_)
    return;
  worker_.counters.add(Counter::accept_paused);
  worker_.loop.remove(fd_.get());
  paused_ = true;
}

void ListeningPort::resume() {
  if (!paused_ || !fd_ || worker_.sessions.size() >= worker_.options.limits.connections_max)
    return;
  if (worker_.loop.add(fd_.get(), net::Watch::level_read, *this))
    paused_ = false;
}

void ListeningPort::on_ready(net::Ready) { accept(worker_.options.limits.accepts_per_turn_max); }

bool ListeningPort::accept(std::size_t max) {
  for (std::size_t i = 0; i < max; ++i) {
    if (worker_.sessions.size() >= worker_.options.limits.connections_max) {
      pause();
      return false;
    }
    auto accepted = net::accept_tcp(fd_);
    if (!accepted) {
      worker_.counters.add(Counter::accept_errors);
      pause(); // Out of descriptors: the next tick tries again.
      return false;
    }
    if (!*accepted)
      return true;
    worker_.counters.add(Counter::downstream_connections);
    auto& [fd, peer] = **accepted;
    if (state_->protocol == Protocol::http || state_->protocol == Protocol::https) {
      auto session = std::make_unique<HttpSession>(worker_, state_, peer);
      auto& started = *session;
      worker_.sessions.add(std::move(session));
      started.start(std::move(fd));
    } else {
      auto session = std::make_unique<TcpSession>(worker_, state_, peer);
      auto& started = *session;
      worker_.sessions.add(std::move(session));
      started.start(std::move(fd));
    }
  }
  return false;
}

} // namespace strait::gateway::proxy
