#include "gateway/proxy/tls_route_session.hpp"

#include "gateway/proxy/http_session.hpp"
#include "gateway/proxy/tcp_session.hpp"

#include <algorithm>
#include <array>

namespace strait::gateway::proxy {

TlsRouteSession::TlsRouteSession(WorkerContext& worker, std::shared_ptr<PortState> port,
                                 net::Address peer)
    : Session{worker, std::move(port), peer}, timer_{worker.loop, [this] { on_timer(); }} {}

TlsRouteSession::~TlsRouteSession() {
  if (fd_)
    worker_.loop.remove(fd_.get());
}

void TlsRouteSession::start(net::Fd fd) {
  if (!worker_.loop.add(fd.get(), net::Watch::edge, *this))
    return end();
  fd_ = std::move(fd);
  timer_.start(worker_.options.timeouts.handshake);
  look();
}

void TlsRouteSession::on_ready(net::Ready ready) {
  look();
  // What is there will not become more.
  if (!finished() && (ready.hung_up() || ready.failed()))
    end();
}

void TlsRouteSession::look() {
  std::array<char, hello_bytes_max> bytes;
  const auto waiting = net::peek(fd_, bytes);
  if (!waiting)
    return;
  if (*waiting == 0)
    return end();
  using State = net::ClientHello::State;
  const auto hello = net::peek_client_hello({bytes.data(), *waiting});
  switch (hello.state) {
  case State::complete:
    return choose(hello);
  case State::need_more:
    if (*waiting == bytes.size())
      return refuse(Counter::tls_hello_refused, "its ClientHello is too large");
    return;
  case State::too_large:
    return refuse(Counter::tls_hello_refused, "its ClientHello is too large");
  case State::not_tls:
    return refuse(Counter::tls_hello_refused, "it does not speak TLS");
  case State::malformed:
    return refuse(Counter::tls_hello_refused, "its ClientHello is malformed");
  }
}

void TlsRouteSession::choose(const net::ClientHello& hello) {
  const auto* table = port_->table->find(hello.server_name);
  if (!table)
    return refuse(Counter::tls_unknown_name, "no listener for its server name");
  if (table->listener->protocol == Protocol::https)
    return go_on_as<HttpSession>();
  go_on_as<TcpSession>(hello.server_name);
}

template <class Next, class... Arguments>
void TlsRouteSession::go_on_as(Arguments&&... arguments) {
  timer_.cancel();
  worker_.loop.remove(fd_.get());
  auto next = std::make_unique<Next>(worker_, port_, peer_, std::forward<Arguments>(arguments)...);
  auto& started = *next;
  auto fd = std::move(fd_);
  hand_over(std::move(next));
  started.start(std::move(fd));
}

void TlsRouteSession::refuse(Counter reason, std::string_view why) {
  worker_.counters.add(reason);
  worker_.options.log.info("port {}: {} refused: {}", port_->port, peer_.to_string(), why);
  net::throw_away(fd_, hello_bytes_max);
  end();
}

void TlsRouteSession::on_timer() {
  worker_.counters.add(Counter::tls_hello_refused);
  end();
}

void TlsRouteSession::wind_down(std::optional<Millis> within) {
  if (within)
    timer_.start(std::min(*within, worker_.options.timeouts.handshake));
}

void TlsRouteSession::end() {
  if (finished())
    return;
  timer_.cancel();
  if (fd_)
    worker_.loop.remove(fd_.get());
  fd_.close();
  finish();
}

} // namespace strait::gateway::proxy
