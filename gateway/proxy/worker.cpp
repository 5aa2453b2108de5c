#include "gateway/proxy/worker.hpp"

#include "gateway/proxy/tls_front.hpp"
#include "gateway/proxy/udp_port.hpp"

#include <random>

namespace strait::gateway::proxy {

namespace {
constexpr Millis tick_interval{100};

/// What a port's socket is for: one with TLS listeners may turn into one with HTTPS listeners too,
/// and back, and keeps its socket.
Protocol socket_of(const PortTable& table) {
  return table.begins_with_tls() ? Protocol::https : table.protocol;
}

bool goes_by_server_name(const PortTable& table) {
  if (table.protocol == Protocol::tls)
    return true;
  bool found = false;
  if (table.protocol == Protocol::https)
    for (const auto& [hostname, listener] : table.by_hostname)
      found = found || listener->listener->protocol == Protocol::tls;
  return found;
}
} // namespace

Result<std::unique_ptr<Worker>> Worker::create(unsigned number, const ProxyOptions& options,
                                               const std::string& ticket_keys,
                                               AccessBuffer* access_log, WorkerObserver& observer) {
  auto loop = net::EventLoop::create();
  if (!loop)
    return fail(loop.error());
  return std::unique_ptr<Worker>{
      new Worker{number, options, ticket_keys, access_log, observer, std::move(*loop)}};
}

Worker::Worker(unsigned number, const ProxyOptions& options, const std::string& ticket_keys,
               AccessBuffer* access_log, WorkerObserver& observer,
               std::unique_ptr<net::EventLoop> loop)
    : number_{number}, options_{options}, ticket_keys_{ticket_keys}, observer_{observer},
      loop_{std::move(loop)}, counters_{options.limits.named_counters_max}, retirement_{*loop_},
      environment_{*loop_, buffers_, retirement_, counters_, options_, resolver_},
      routing_{environment_}, sessions_{retirement_},
      random_{(options.seed ? options.seed : std::random_device{}()) + number},
      key_sets_{options.limits.jwks_max}, session_keys_{options.session_key},
      context_{*loop_,   buffers_,  retirement_,  counters_,        options_,
               routing_, sessions_, access_log,   spare_exchanges_, random_,
               mirrors_, key_sets_, session_keys_},
      mirrors_{context_}, udp_sessions_{context_}, tick_{*loop_, [this] { tick(); }} {}

Worker::~Worker() {
  stop();
  // The thread is gone: what it served is taken down here, in the order that lends to borrows.
  ports_.clear();
  sessions_.each([](Session& session) { session.abort(); });
  mirrors_.cancel_all();
  resolver_.reset();
  routing_.close_idle();
  loop_->run_once(Millis{0}); // Destroys what was retired.
  spare_exchanges_.clear();
}

void Worker::start() {
  thread_ = std::thread{[this] {
    tick_.start(tick_interval);
    loop_->run();
  }};
}

void Worker::stop() {
  if (!thread_.joinable())
    return;
  loop_->stop();
  thread_.join();
}

void Worker::publish(SnapshotPtr snapshot) {
  {
    std::lock_guard lock{inbox_mutex_};
    const bool told = inbox_ != nullptr;
    inbox_ = std::move(snapshot);
    if (told)
      return;
  }
  loop_->post([this] { take_snapshot(); });
}

void Worker::take_snapshot() {
  SnapshotPtr snapshot;
  {
    std::lock_guard lock{inbox_mutex_};
    snapshot.swap(inbox_);
  }
  if (snapshot)
    serve(std::move(snapshot));
}

void Worker::serve(SnapshotPtr snapshot) {
  counters_.add(Counter::snapshots);
  auto served = std::make_shared<const Served>(Served{std::move(snapshot)});
  routing_.serve(served);
  session_keys_.serve(served->snapshot->config);
  served_ = served;
  if (!draining_) {
    std::vector<PortKey> gone;
    for (const auto& [key, port] : ports_)
      if (!wanted(key))
        gone.push_back(key);
    for (const auto& key : gone)
      close_port(key);
    for (const auto* tables : {&served->snapshot->ports, &served->snapshot->udp_ports})
      for (const auto& [port, table] : *tables)
        open_port(table);
  }
  epoch_.store(served->snapshot->epoch(), std::memory_order_release);
  observer_.on_epoch();
}

const PortTable* Worker::wanted(const PortKey& key) const {
  const auto& [port, address, protocol] = key;
  const auto& snapshot = *served_->snapshot;
  const auto* table = (protocol == Protocol::udp ? snapshot.udp_ports : snapshot.ports).find(port);
  const bool same = table && (*table)->address == address && socket_of(**table) == protocol;
  return same ? table->get() : nullptr;
}

void Worker::open_port(const std::shared_ptr<const PortTable>& table) {
  const PortKey key{table->port, table->address, socket_of(*table)};
  const auto found = ports_.find(key);
  auto state = found != ports_.end() ? found->second->state() : std::make_shared<PortState>();
  state->served = served_;
  if (state->table != table)
    state->by_server_name = goes_by_server_name(*table);
  state->table = table;
  if (found != ports_.end())
    return found->second->renew();
  std::tie(state->port, state->address, state->protocol) = key;
  state->closing = winding_down_;
  if (state->protocol == Protocol::https || state->protocol == Protocol::peering) {
    auto front = TlsFront::create(*state, counters_, options_, ticket_keys_);
    if (!front) {
      counters_.add(Counter::bind_failures);
      return observer_.on_bind(*state, number_, fail(front.error()));
    }
    state->tls = std::move(*front);
  }
  if (state->protocol == Protocol::udp)
    ports_.emplace(key, std::make_unique<UdpPort>(udp_sessions_, std::move(state)));
  else
    ports_.emplace(key, std::make_unique<AcceptingPort>(context_, std::move(state)));
  listen(key);
}

void Worker::listen(const PortKey& key) {
  auto& port = *ports_.at(key);
  auto outcome = port.listen();
  if (!outcome)
    counters_.add(Counter::bind_failures);
  observer_.on_bind(*port.state(), number_, outcome);
}

void Worker::close_port(const PortKey& key) {
  auto found = ports_.find(key);
  auto state = found->second->state();
  found->second->close();
  ports_.erase(found);
  state->closing = state->closed = true;
  closing_.push_back(state);
  sessions_.each([&](Session& session) {
    if (&session.port() == state.get())
      session.wind_down(draining_ ? Millis{0} : options_.timeouts.listener_retired);
  });
  observer_.on_unbound(*state, number_);
}

void Worker::tick() {
  constexpr unsigned ticks_per_sweep = 10;
  static_assert(tick_interval * ticks_per_sweep == Millis{1'000});
  tick_.start(tick_interval);
  drained_.store(draining_ && sessions_.size() == 0 && udp_sessions_.size() == 0,
                 std::memory_order_release);
  for (const auto& [key, port] : ports_)
    port->tick();
  if (++ticks_ % ticks_per_sweep != 0)
    return;
  routing_.sweep();
  std::erase_if(closing_, [](const auto& state) { return state.expired(); });
  for (const auto& [key, port] : ports_)
    if (port->state()->tls)
      port->state()->tls->prune();
  if (loop_->now() - bound_at_ < options_.timeouts.bind_retry)
    return;
  bound_at_ = loop_->now();
  for (const auto& [key, port] : ports_)
    if (!port->listening())
      listen(key);
}

void Worker::wind_down() {
  loop_->post([this] { begin_wind_down(); });
}

void Worker::begin_wind_down() {
  if (winding_down_ || draining_)
    return;
  winding_down_ = true;
  for (const auto& [key, port] : ports_)
    port->state()->closing = true;
  sessions_.each([](Session& session) { session.wind_down(std::nullopt); });
}

void Worker::drain() {
  loop_->post([this] { begin_drain(); });
}

void Worker::begin_drain() {
  if (draining_)
    return;
  draining_ = true;
  // Answers on UDP are sent from the sockets that the questions came to.
  for (auto next = ports_.begin(); next != ports_.end();)
    if (const auto key = (next++)->first; std::get<Protocol>(key) != Protocol::udp)
      close_port(key);
  udp_sessions_.drain();
  // Of ports that were closed before.
  sessions_.each([](Session& session) { session.wind_down(Millis{0}); });
  drained_.store(sessions_.size() == 0 && udp_sessions_.size() == 0, std::memory_order_release);
}

} // namespace strait::gateway::proxy
