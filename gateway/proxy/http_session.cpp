#include "gateway/proxy/http_session.hpp"

#include "gateway/proxy/spare_exchanges.hpp"
#include "gateway/proxy/tls_front.hpp"

namespace strait::gateway::proxy {

HttpSession::HttpSession(WorkerContext& worker, std::shared_ptr<PortState> port, net::Address peer)
    : Session{worker, std::move(port), peer}, channel_{worker.loop, worker.buffers,
                                                       worker.options.limits.head.head_bytes_max +
                                                           1},
      timer_{worker.loop, [this] { on_timer(); }}, resume_{worker.loop, [this] { advance(); }},
      ip_{peer.ip()} {}

HttpSession::~HttpSession() = default;

void HttpSession::start(net::Fd fd) {
  const int number = fd.get();
  if (port_->protocol == Protocol::https) {
    auto stream = port_->tls->accept(std::move(fd));
    if (!stream)
      return end();
    channel_.attach(std::move(*stream));
  } else {
    channel_.attach(std::make_unique<net::TcpStream>(std::move(fd)));
  }
  if (!channel_.watch(number, *this))
    return end();
  timer_.start(worker_.options.timeouts.handshake);
  advance();
}

void HttpSession::on_channel(Channel&) { advance(); }

void HttpSession::expect(std::optional<Millis> within) {
  if (within)
    timer_.start(*within);
  else
    timer_.cancel();
}

void HttpSession::advance() {
  if (advancing_) {
    again_ = true;
    return;
  }
  advancing_ = true;
  unsigned requests = 0;
  do {
    again_ = false;
    if (state_ == State::idle && ++requests > worker_.options.limits.requests_per_turn_max) {
      go_on_later();
      break;
    }
  } while (!finished() && (step() || again_));
  advancing_ = false;
}

/// Does what can be done now; whether there may be more.
bool HttpSession::step() {
  switch (state_) {
  case State::handshake:
    return handshake();
  case State::idle:
    return await_request();
  case State::busy:
    return carry_on(exchange_->advance());
  case State::http2:
    http2_->advance();
    return false;
  case State::closing:
    return close_softly();
  case State::lingering:
    return throw_away();
  case State::dead:
    break;
  }
  return false;
}

bool HttpSession::handshake() {
  switch (channel_.handshake()) {
  case Channel::Flow::moved:
    if (channel_.stream().is_tls())
      worker_.counters.add(Counter::tls_handshakes);
    state_ = State::idle;
    timer_.start(worker_.options.timeouts.request_head);
    if (channel_.stream().alpn() == "h2")
      start_http2();
    return true;
  case Channel::Flow::blocked:
    return false;
  default:
    worker_.counters.add(Counter::tls_handshake_failures);
    end();
    return false;
  }
}

/// The first bytes of a plain connection say what it speaks: whether they leave it open.
bool HttpSession::may_be_preface() const {
  const auto bytes = channel_.in.bytes();
  return first_ && !channel_.stream().is_tls() && bytes.size() < net::http2::preface.size() &&
         net::http2::preface.starts_with(bytes);
}

bool HttpSession::await_request() {
  if (channel_.in.empty() || may_be_preface()) {
    switch (channel_.fill()) {
    case Channel::Flow::moved:
      break;
    case Channel::Flow::blocked:
      channel_.in.release_if_empty();
      return false;
    default:
      end();
      return false;
    }
    if (may_be_preface())
      return true;
  }
  if (std::exchange(first_, false) && !channel_.stream().is_tls() &&
      channel_.in.bytes().starts_with(net::http2::preface)) {
    start_http2();
    return true;
  }
  exchange_ = take_exchange(worker_);
  state_ = State::busy;
  exchange_->begin(*this, channel_, *port_, ip_);
  return true;
}

void HttpSession::start_http2() {
  timer_.cancel();
  state_ = State::http2;
  http2_ = std::make_unique<Http2Server>(worker_, channel_, *port_, ip_, *this);
}

bool HttpSession::carry_on(Exchange::Outcome outcome) {
  switch (outcome) {
  case Exchange::Outcome::waiting:
    return false;
  case Exchange::Outcome::next:
    return_exchange();
    state_ = State::idle;
    timer_.start(port_->closed ? worker_.options.timeouts.linger
                               : worker_.options.timeouts.downstream_idle);
    return true;
  case Exchange::Outcome::close:
    return_exchange();
    // That it ends may be news to the client, whose next request may be on its way.
    close_soon(port_->closing);
    return true;
  case Exchange::Outcome::linger:
    return_exchange();
    close_soon(true);
    return true;
  case Exchange::Outcome::abort:
    return_exchange();
    end();
    return false;
  }
  return false;
}

void HttpSession::return_exchange() { proxy::return_exchange(worker_, std::move(exchange_)); }

void HttpSession::close_soon(bool linger) {
  state_ = State::closing;
  // What the client has sent and nobody read would make the kernel reset the connection, and the
  // client lose the answer.
  lingers_ = linger || !channel_.in.empty();
  timer_.start(worker_.options.timeouts.linger);
}

bool HttpSession::close_softly() {
  const auto flow = channel_.shut_down();
  if (flow == Channel::Flow::blocked)
    return false;
  if (flow == Channel::Flow::failed || !lingers_) {
    end();
    return false;
  }
  state_ = State::lingering;
  return true;
}

bool HttpSession::throw_away() {
  thrown_away_ += channel_.in.size();
  channel_.in.consume(channel_.in.size());
  const auto flow = channel_.fill();
  if (flow == Channel::Flow::blocked)
    return false;
  if (flow == Channel::Flow::moved && thrown_away_ <= worker_.options.limits.linger_bytes_max)
    return true;
  end();
  return false;
}

void HttpSession::on_timer() {
  switch (state_) {
  case State::handshake:
    worker_.counters.add(Counter::tls_handshake_failures);
    return end();
  case State::busy:
    if (carry_on(exchange_->time_out()))
      advance();
    return;
  case State::idle:
    if (!port_->closing)
      return end();
    advance(); // A request that is here already is served …
    if (state_ != State::idle)
      return;
    close_soon(true); // … and one that is on its way finds an end in order.
    return advance();
  default:
    return end();
  }
}

void HttpSession::wind_down(std::optional<Millis> within) {
  if (http2_)
    http2_->wind_down();
  else if (within && (state_ == State::idle || state_ == State::handshake))
    timer_.start(*within);
}

void HttpSession::abort() { end(); }

void HttpSession::end() {
  if (state_ == State::dead)
    return;
  state_ = State::dead;
  timer_.cancel();
  resume_.cancel();
  if (exchange_)
    return_exchange();
  if (http2_)
    http2_->abort();
  worker_.counters.add(Counter::downstream_bytes_in, channel_.bytes_in());
  worker_.counters.add(Counter::downstream_bytes_out, channel_.bytes_out());
  channel_.close();
  finish();
}

} // namespace strait::gateway::proxy
