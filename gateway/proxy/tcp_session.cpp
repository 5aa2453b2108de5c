#include "gateway/proxy/tcp_session.hpp"

#include "gateway/proxy/tls_front.hpp"
#include "net/client_hello.hpp"

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
      to_client_{worker.buffers}, to_upstream_{worker.buffers}, ticket_{worker.loop, *this,
                                                                        UpstreamProtocol::opaque},
      served_{port_->served}, kind_{port_->protocol == Protocol::peering ? Kind::peering
                                                                         : Kind::tcp},
      began_{worker.loop.now()}, began_wall_{now_wall()} {}

TcpSession::TcpSession(WorkerContext& worker, std::shared_ptr<PortState> port, net::Address peer,
                       std::string server_name)
    : TcpSession{worker, std::move(port), peer} {
  kind_ = Kind::tls_passthrough;
  server_name_ = std::move(server_name);
}

TcpSession::~TcpSession() = default;

void TcpSession::start(net::Fd fd) {
  worker_.counters.add(Counter::tcp_connections);
  // A TLS route is chosen before the handshake: whom nobody serves is not to take an accepted
  // handshake for an answer.
  if (of_tls_route() && !(cluster_ = destination())) {
    net::throw_away(fd, net::client_hello_wire_bytes_max);
    fd.close();
    return refuse();
  }
  if (!attach(std::move(fd)))
    return end();
  timer_.start(worker_.options.timeouts.handshake);
  handshake();
}

Status TcpSession::attach(net::Fd fd) {
  const int number = fd.get();
  if (kind_ == Kind::peering || kind_ == Kind::tls_terminate) {
    auto stream = port_->tls->accept(std::move(fd));
    if (!stream)
      return fail(stream.error());
    channel_.attach(std::move(*stream));
  } else {
    channel_.attach(std::make_unique<net::TcpStream>(std::move(fd)));
  }
  return channel_.watch(number, *this);
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
    if (kind_ == Kind::peering && !channel_.ended() && refusals(counters) == before)
      counters.add(Counter::peering_bad_certificate);
    worker_.options.log.info("port {}: {} refused: {}", port_->port, peer_.to_string(),
                             channel_.stream().failure());
    return end();
  }
  timer_.cancel();
  if (channel_.stream().is_tls())
    counters.add(Counter::tls_handshakes);
  if (kind_ == Kind::peering)
    counters.add(Counter::peering_accepted);
  if (!of_tls_route()) {
    served_ = port_->served;
    cluster_ = destination();
  } else { // Nothing held it during the handshake.
    cluster_ = worker_.routing.cluster(*cluster_id_, *served_);
  }
  if (!cluster_)
    return refuse();
  cluster_->counts().requests.add();
  state_ = State::connecting;
  connect(pick(nullptr));
}

UpstreamCluster* TcpSession::destination() {
  auto* cluster = kind_ == Kind::tcp       ? by_tcp_route()
                  : kind_ == Kind::peering ? by_export()
                                           : by_tls_route();
  return cluster && !cluster->cluster()->refused ? cluster : nullptr;
}

UpstreamCluster* TcpSession::by_export() {
  const auto* exported = served_->snapshot->config.exports.find(channel_.stream().sni());
  if (!exported)
    return nullptr;
  cluster_id_ = &(*exported)->cluster;
  return worker_.routing.cluster(*cluster_id_, *served_);
}

UpstreamCluster* TcpSession::by_tcp_route() {
  const auto* table = port_->table->find("");
  if (!table)
    return nullptr;
  listener_ = table->listener->name;
  worker_.counters.listeners.find_or_add(listener_).requests.add();
  const auto* route = table->tcp ? std::get_if<TcpRoute>(&table->tcp->route) : nullptr;
  return route ? choose(*table->tcp, route->backends) : nullptr;
}

UpstreamCluster* TcpSession::by_tls_route() {
  const auto choice = find_tls(*port_->table, server_name_);
  if (!choice.listener)
    return nullptr;
  listener_ = choice.listener->listener->name;
  worker_.counters.listeners.find_or_add(listener_).requests.add();
  if (!choice.route)
    return nullptr;
  kind_ = choice.listener->listener->passthrough ? Kind::tls_passthrough : Kind::tls_terminate;
  auto* cluster = choose(*choice.bound, choice.route->backends);
  if (!cluster || worker_.routing.has_endpoint(*cluster, *served_))
    return cluster;
  worker_.counters.add(Counter::no_endpoint);
  return nullptr;
}

UpstreamCluster* TcpSession::choose(const BoundRoute& route,
                                    const std::vector<strait::gateway::Backend>& backends) {
  route_ = route.id;
  const auto choice = worker_.routing.choose(rule_id(route), backends, *served_);
  cluster_id_ = choice.backend ? &choice.backend->cluster : nullptr;
  return choice.cluster;
}

Pick TcpSession::pick(const UpstreamEndpoint* avoid) {
  auto* own = path_.place() == 0 ? cluster_ : worker_.routing.cluster(*cluster_id_, *served_);
  return own ? worker_.routing.pick(*own, *served_, avoid, path_.passed_over()) : Pick{};
}

void TcpSession::connect(const Pick& pick) {
  if (!pick.endpoint) {
    worker_.counters.add(Counter::no_endpoint);
    return refuse();
  }
  path_.go_to(pick.place);
  cluster_ = &pick.endpoint->cluster();
  attempted_ = pick.endpoint;
  endpoint_ = pick.endpoint->name();
  UpstreamConnection* connection = nullptr;
  if (pick.endpoint->lease(ticket_, UpstreamEndpoint::Reuse::none, connection) ==
      UpstreamEndpoint::Leased::overflow)
    refuse();
}

void TcpSession::on_upstream(UpstreamConnection& connection) {
  if (of_tls_route())
    worker_.counters.add(kind_ == Kind::tls_passthrough ? Counter::tls_passed_through
                                                        : Counter::tls_terminated);
  upstream_ = &connection;
  connection.endpoint().succeeded();
  connection.channel.set_owner(*this);
  state_ = State::relaying;
  relay_.emplace(channel_, connection.channel, to_client_, to_upstream_);
  timer_.start(worker_.options.timeouts.stream_idle);
  relay();
}

void TcpSession::on_upstream_failed(bool timed_out, std::string_view why) {
  failure_ = why;
  path_.not_connected(timed_out);
  const auto next = pick(attempted_);
  if (next.endpoint)
    connect(next);
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
  worker_.counters.add(of_tls_route() ? Counter::tls_refused : Counter::tcp_refused);
  if (!listener_.empty())
    worker_.counters.listeners.find_or_add(listener_).failures.add();
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
    entry.method = kind_ == Kind::peering ? "PEERING" : kind_ == Kind::tcp ? "TCP" : "TLS";
    entry.host = server_name_;
    entry.listener = listener_;
    entry.route = route_;
    entry.failure = failure_;
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
