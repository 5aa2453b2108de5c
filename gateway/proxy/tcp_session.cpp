#include "gateway/proxy/tcp_session.hpp"

#include "gateway/proxy/tls_front.hpp"

namespace strait::gateway::proxy {

namespace {

/// Refusals that the TLS front counted by itself.
std::uint64_t refusals(const WorkerCounters& counters) {
  std::uint64_t sum = 0;
  for (auto reason : {Counter::peering_unknown_name, Counter::peering_bad_certificate,
                      Counter::peering_foreign_identity, Counter::peering_denied})
    sum += counters.values[static_cast<std::size_t>(reason)].value();
  return sum;
}

/// Whose turn it is among a TCP route's backends is kept by the route's name, not by its content:
/// connections are few, and a change of weights just goes on from where it stands.
std::uint64_t rule_id(const BoundRoute& route) {
  return std::hash<std::string>{}(route.id) ^ 0x7463702d726f7574U;
}

} // namespace

TcpSession::TcpSession(WorkerContext& worker, std::shared_ptr<PortState> port, net::Address peer)
    : Session{worker, std::move(port), peer}, channel_{worker.loop, worker.buffers,
                                                       worker.buffers.block_bytes()},
      timer_{worker.loop, [this] { on_timer(); }}, resume_{worker.loop, [this] { relay(); }},
      to_client_{worker.buffers}, to_upstream_{worker.buffers}, ticket_{worker.loop, *this},
      served_{port_->served}, began_{worker.loop.now()}, began_wall_{now_wall()} {}

TcpSession::~TcpSession() = default;

void TcpSession::start(net::Fd fd) {
  worker_.counters.add(Counter::tcp_connections);
  const int number = fd.get();
  if (port_->protocol == Protocol::peering) {
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
  handshake();
}

void TcpSession::on_channel(Channel&) {
  switch (state_) {
  case State::handshake:
    return handshake();
  case State::connecting:
    if (channel_.broken())
      end();
    return;
  case State::relaying:
    return relay();
  case State::dead:
    return;
  }
}

void TcpSession::handshake() {
  auto& counters = worker_.counters;
  const auto before = refusals(counters);
  switch (channel_.handshake()) {
  case Channel::Flow::moved:
    break;
  case Channel::Flow::blocked:
    return;
  default:
    counters.add(Counter::tls_handshake_failures);
    // What neither the name nor the identity explains, and the client did not leave by itself.
    if (!channel_.ended() && refusals(counters) == before)
      counters.add(Counter::peering_bad_certificate);
    worker_.options.log.info("port {}: {} refused: {}", port_->port, peer_.to_string(),
                             channel_.stream().failure());
    return end();
  }
  timer_.cancel();
  served_ = port_->served;
  if (channel_.stream().is_tls()) {
    counters.add(Counter::tls_handshakes);
    counters.add(Counter::peering_accepted);
  }
  cluster_ = destination();
  if (!cluster_)
    return refuse();
  cluster_->counts().requests.add();
  state_ = State::connecting;
  connect(nullptr);
}

UpstreamCluster* TcpSession::destination() {
  const auto& config = served_->snapshot->config;
  if (channel_.stream().is_tls()) {
    const auto sni = static_cast<net::TlsStream&>(channel_.stream()).sni();
    const auto* exported = config.exports.find(sni);
    return exported ? worker_.routing.cluster((*exported)->cluster, *served_) : nullptr;
  }
  const auto* table = port_->table->find("");
  if (!table)
    return nullptr;
  listener_ = table->listener->name;
  worker_.counters.listeners.find_or_add(listener_).requests.add();
  if (!table->tcp)
    return nullptr;
  const auto* route = std::get_if<TcpRoute>(&table->tcp->route);
  return route ? worker_.routing.choose(rule_id(*table->tcp), route->backends, *served_).cluster
               : nullptr;
}

void TcpSession::connect(const UpstreamEndpoint* avoid) {
  auto* endpoint = cluster_->pick(avoid);
  if (!endpoint) {
    worker_.counters.add(Counter::no_endpoint);
    return refuse();
  }
  attempted_ = endpoint;
  endpoint_ = endpoint->name();
  UpstreamConnection* connection = nullptr;
  if (endpoint->lease(ticket_, true, connection) == UpstreamEndpoint::Leased::overflow)
    refuse();
}

void TcpSession::on_upstream(UpstreamConnection& connection) {
  upstream_ = &connection;
  connection.endpoint().succeeded();
  connection.channel.set_owner(*this);
  state_ = State::relaying;
  relay_.emplace(channel_, connection.channel, to_client_, to_upstream_);
  timer_.start(worker_.options.timeouts.stream_idle);
  relay();
}

void TcpSession::on_upstream_failed(bool timed_out, std::string_view) {
  if (!timed_out && retries_++ == 0 && cluster_->endpoints() > 1)
    connect(attempted_);
  else
    refuse();
}

void TcpSession::relay() {
  const auto state = relay_->advance(worker_.options.limits.reads_per_turn_max);
  if (state != Relay::State::running)
    return end();
  if (relay_->more())
    resume_.start(Millis{0});
  if (relay_->moved())
    timer_.start(worker_.options.timeouts.stream_idle);
}

void TcpSession::on_timer() {
  if (state_ == State::handshake)
    worker_.counters.add(Counter::tls_handshake_failures);
  end();
}

void TcpSession::refuse() {
  worker_.counters.add(Counter::tcp_refused);
  if (cluster_)
    cluster_->counts().failures.add();
  end();
}

void TcpSession::end() {
  if (state_ == State::dead)
    return;
  const bool relayed = state_ == State::relaying;
  state_ = State::dead;
  timer_.cancel();
  resume_.cancel();
  ticket_.cancel();
  to_client_.clear();
  to_upstream_.clear();
  relay_.reset();
  if (upstream_)
    std::exchange(upstream_, nullptr)->discard();
  worker_.counters.add(Counter::downstream_bytes_in, channel_.bytes_in());
  worker_.counters.add(Counter::downstream_bytes_out, channel_.bytes_out());
  if (worker_.access_log) {
    const auto client = peer_.ip();
    AccessEntry entry;
    entry.began = began_wall_;
    entry.took = worker_.loop.now() - began_;
    entry.client = client;
    entry.method = port_->protocol == Protocol::peering ? "PEERING" : "TCP";
    entry.listener = listener_;
    entry.cluster = cluster_ ? std::string_view{cluster_->id()} : std::string_view{};
    entry.endpoint = endpoint_;
    entry.status = relayed ? 200 : 503;
    entry.bytes_in = channel_.bytes_in();
    entry.bytes_out = channel_.bytes_out();
    if (!worker_.access_log->add(entry))
      worker_.counters.add(Counter::access_log_dropped);
  }
  channel_.close();
  finish();
}

} // namespace strait::gateway::proxy
