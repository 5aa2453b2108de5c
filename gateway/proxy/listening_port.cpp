#include "gateway/proxy/listening_port.hpp"

#include "gateway/proxy/http_session.hpp"
#include "gateway/proxy/tcp_session.hpp"
#include "gateway/proxy/tls_route_session.hpp"

namespace strait::gateway::proxy {

AcceptingPort::~AcceptingPort() {
  if (fd_ && !paused_)
    worker_.loop.remove(fd_.get());
}

Status AcceptingPort::listen() {
  auto address = bound_address(*state_);
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

void AcceptingPort::close() {
  if (!fd_)
    return;
  constexpr std::size_t last_accepts_max = 4'096; ///< As many as the backlog can hold.
  accept(last_accepts_max);
  if (!paused_)
    worker_.loop.remove(fd_.get());
  fd_.close();
}

void AcceptingPort::pause() {
  if (paused_)
    return;
  worker_.counters.add(Counter::accept_paused);
  worker_.loop.remove(fd_.get());
  paused_ = true;
}

void AcceptingPort::tick() {
  if (!paused_ || !fd_ || worker_.sessions.size() >= worker_.options.limits.connections_max)
    return;
  if (worker_.loop.add(fd_.get(), net::Watch::level_read, *this))
    paused_ = false;
}

void AcceptingPort::on_ready(net::Ready) { accept(worker_.options.limits.accepts_per_turn_max); }

bool AcceptingPort::accept(std::size_t max) {
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
    if (auto& bound = worker_.options.connection_bound; bound && !bound->take()) {
      worker_.counters.add(Counter::connections_refused);
      continue;
    }
    worker_.counters.add(Counter::downstream_connections);
    const bool http = state_->protocol == Protocol::http || state_->protocol == Protocol::https;
    if (state_->by_server_name)
      begin<TlsRouteSession>(std::move(**accepted));
    else if (http)
      begin<HttpSession>(std::move(**accepted));
    else
      begin<TcpSession>(std::move(**accepted));
  }
  return false;
}

template <class Kind>
void AcceptingPort::begin(net::Accepted accepted) {
  auto session = std::make_unique<Kind>(worker_, state_, accepted.peer);
  auto& started = *session;
  worker_.sessions.add(std::move(session));
  started.start(std::move(accepted.fd));
}

} // namespace strait::gateway::proxy
