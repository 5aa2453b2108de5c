#include "gateway/proxy/upstream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace strait::gateway::proxy {

UpstreamConnection::UpstreamConnection(UpstreamEndpoint& endpoint, UpstreamTicket& ticket)
    : channel{endpoint.cluster_.environment_.loop, endpoint.cluster_.environment_.buffers,
              endpoint.cluster_.environment_.options.limits.head.head_bytes_max + 1},
      endpoint_{endpoint}, ticket_{&ticket}, timer_{endpoint.cluster_.environment_.loop,
                                                    [this] { on_timer(); }},
      protocol_{ticket.protocol_} {}

UpstreamConnection::UpstreamConnection(UpstreamEndpoint& endpoint, UpstreamConnection& carrier)
    : channel{endpoint.cluster_.environment_.loop, endpoint.cluster_.environment_.buffers,
              endpoint.cluster_.environment_.options.limits.head.head_bytes_max + 1},
      endpoint_{endpoint}, ticket_{nullptr}, timer_{endpoint.cluster_.environment_.loop,
                                                    [this] { on_timer(); }},
      state_{State::leased}, protocol_{UpstreamProtocol::http2}, is_stream_{true} {
  channel.attach(carrier.http2_->open(channel), *this);
}

bool UpstreamConnection::unprocessed() const {
  return is_stream_ && static_cast<const Http2Pipe&>(channel.stream()).refused();
}

void UpstreamConnection::start() {
  endpoint_.cluster_.environment_.counters.add(Counter::upstream_connects);
  address_ = *endpoint_.address_;
  auto fd = net::connect_tcp(address_);
  if (!fd)
    return fail(fd.error().detail);
  fd_ = std::move(*fd);
  channel.expect_writable();
  if (auto watched = channel.watch(fd_.get(), *this); !watched)
    return fail(watched.error().detail);
}

void UpstreamConnection::on_channel(Channel&) {
  if (state_ == State::carrying)
    return http2_->advance();
  if (state_ == State::idle) {
    // What comes on an idle connection is its end, an answer that nobody asked for, or nothing (a
    // TLS record that carries no bytes).
    if (channel.broken() || channel.fill() != Channel::Flow::blocked)
      discard();
    else
      channel.in.release_if_empty();
    return;
  }
  go_on();
}

void UpstreamConnection::go_on() {
  if (state_ == State::connecting) {
    if (!channel.writable() && !channel.broken())
      return;
    if (auto outcome = net::connect_outcome(fd_, address_); !outcome)
      return fail(outcome.error().detail);
    auto stream = endpoint_.cluster_.tls_.wrap(std::move(fd_), protocol_);
    if (!stream) {
      endpoint_.cluster_.environment_.options.log.warn("{}", stream.error().detail);
      return fail(stream.error().detail);
    }
    secured_ = endpoint_.cluster_.tls_.generation();
    channel.attach(std::move(*stream));
    state_ = State::handshaking;
  }
  if (state_ == State::handshaking) {
    switch (channel.handshake()) {
    case Channel::Flow::moved:
      break;
    case Channel::Flow::blocked:
      return;
    default:
      return fail(channel.stream().failure());
    }
    if (protocol_ == UpstreamProtocol::http2)
      return carry();
    auto& ticket = *ticket_;
    lease_to(ticket);
    ticket.user_.on_upstream(*this);
  }
}

/// Carries streams from now on: one for whom it was made, then for those who wait.
void UpstreamConnection::carry() {
  auto& cluster = endpoint_.cluster_;
  auto& environment = cluster.environment_;
  if (cluster.cluster_->backend_tls && channel.stream().alpn() != "h2")
    return fail("the endpoint does not speak HTTP/2 (ALPN)");
  --endpoint_.http2_dialing_;
  state_ = State::carrying;
  // Many requests would wait for an endpoint that is gone without a word until each timed out.
  constexpr unsigned unacknowledged_ms_max = 30'000;
  ::setsockopt(channel.stream().fd(), IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms_max,
               sizeof unacknowledged_ms_max);
  auto& ticket = *std::exchange(ticket_, nullptr);
  http2_ = std::make_unique<Http2Connection>(environment.loop, environment.buffers,
                                             environment.counters, environment.options.limits,
                                             channel, net::http2::Role::client, *this);
  environment.counters.add(Counter::http2_upstreams);
  endpoint_.carriers_.push_back(this);
  ticket.user_.on_upstream(endpoint_.open_stream(*this, ticket));
  endpoint_.serve_waiting();
  if (endpoint_.departed_ || secured_ != cluster.tls_.generation())
    http2_->end();
  http2_->advance();
}

void UpstreamConnection::on_streams() {
  const auto& timeouts = endpoint_.cluster_.environment_.options.timeouts;
  if (http2_->streams() > 0)
    timer_.cancel();
  else
    timer_.start(http2_->retiring() ? timeouts.linger : timeouts.upstream_idle);
  if (http2_->retiring())
    std::erase(endpoint_.carriers_, this);
  endpoint_.serve_waiting();
}

void UpstreamConnection::on_finished(std::string_view why) {
  auto& cluster = endpoint_.cluster_;
  if (!why.empty())
    cluster.environment_.options.log.debug("{} {}: {}", cluster.id(), endpoint_.name(), why);
  discard();
}

void UpstreamConnection::lease_to(UpstreamTicket& ticket) {
  timer_.cancel();
  ticket.timer_.cancel();
  ticket.connection_ = nullptr;
  ticket.endpoint_ = nullptr;
  ticket_ = nullptr;
  state_ = State::leased;
  ++leases_;
}

/// Of an idle one. The loop has not said so yet: this asks the kernel.
bool UpstreamConnection::ended_meanwhile() {
  return channel.broken() || channel.fill_now() != Channel::Flow::blocked;
}

void UpstreamConnection::fail(std::string why) {
  // Told from the loop, never from within lease().
  channel.close();
  state_ = State::refused;
  why_ = std::move(why);
  timer_.start(Millis{0});
}

void UpstreamConnection::on_timer() {
  if (state_ == State::carrying && !http2_->retiring()) {
    timer_.start(endpoint_.cluster_.environment_.options.timeouts.linger);
    return http2_->end();
  }
  if (state_ != State::refused)
    return discard(); // Idle for too long.
  endpoint_.cluster_.environment_.counters.add(Counter::upstream_connect_failures);
  endpoint_.failed();
  auto* ticket = ticket_;
  const auto why = std::move(why_);
  discard();
  if (ticket) {
    ticket->timer_.cancel();
    ticket->user_.on_upstream_failed(false, why);
  }
}

void UpstreamConnection::release() {
  auto& environment = endpoint_.cluster_.environment_;
  if (endpoint_.departed_ || protocol_ != UpstreamProtocol::http1 ||
      secured_ != endpoint_.cluster_.tls_.generation() || channel.broken() || channel.ended() ||
      !channel.in.empty() || endpoint_.idle_.size() >= environment.options.limits.endpoint_idle_max)
    return discard();
  channel.in.release_if_empty();
  channel.set_owner(*this);
  state_ = State::idle;
  endpoint_.idle_.push_back(this);
  timer_.start(environment.options.timeouts.upstream_idle);
  endpoint_.serve_waiting();
}

void UpstreamConnection::discard() {
  timer_.cancel();
  if (ticket_)
    ticket_->connection_ = nullptr;
  ticket_ = nullptr;
  channel.close();
  endpoint_.remove(*this);
}

void UpstreamTicket::cancel() {
  timer_.cancel();
  if (endpoint_)
    endpoint_->forget(*this);
  endpoint_ = nullptr;
  if (connection_)
    connection_->discard();
  connection_ = nullptr;
}

void UpstreamTicket::time_out() {
  UpstreamEndpoint* endpoint = endpoint_;
  if (connection_) {
    endpoint = &connection_->endpoint();
    endpoint->cluster_.environment_.counters.add(Counter::upstream_connect_timeouts);
    endpoint->failed();
  }
  cancel();
  user_.on_upstream_failed(true, "no connection in time");
}

} // namespace strait::gateway::proxy
