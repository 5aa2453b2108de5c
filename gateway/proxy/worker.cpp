#include "gateway/proxy/worker.hpp"

#include "gateway/proxy/tls_front.hpp"

#include <random>

namespace strait::gateway::proxy {

namespace {
constexpr Millis tick_interval{100};
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
      key_sets_{options.limits.jwks_max},
      context_{*loop_,   buffers_,  retirement_, counters_,        options_,
               routing_, sessions_, access_log,  spare_exchanges_, random_,
               mirrors_, key_sets_},
      mirrors_{context_},
      tick_{*loop_, [this] { tick(); }} {}

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
  served_ = served;
  const auto& wanted = served->snapshot->ports;
  if (!draining_) {
    std::vector<PortKey> gone;
    for (const auto& [key, port] : ports_) {
      const auto* table = wanted.find(std::get<0>(key));
      if (!table || (*table)->address != std::get<1>(key) || (*table)->protocol != std::get<2>(key))
        gone.push_back(key);
    }
    for (const auto& key : gone)
      close_port(key);
    for (const auto& [port, table] : wanted)
      open_port({port, table->address, table->protocol}, table);
  }
  epoch_.store(served->snapshot->epoch(), std::memory_order_release);
  serving_.store(true, std::memory_order_release);
  observer_.on_epoch();
}

void Worker::open_port(const PortKey& key, std::shared_ptr<const PortTable> table) {
  if (auto found = ports_.find(key); found != ports_.end()) {
    auto& state = *found->second->state();
    state.served = served_;
    state.table = std::move(table);
    return;
  }
  auto state = std::make_shared<PortState>();
  std::tie(state->port, state->address, state->protocol) = key;
  state->served = served_;
  state->table = std::move(table);
  if (state->protocol == Protocol::https || state->protocol == Protocol::peering) {
    auto front = TlsFront::create(*state, counters_, options_, ticket_keys_);
    if (!front) {
      counters_.add(Counter::bind_failures);
      return observer_.on_bind(state->address, state->port, number_, fail(front.error()));
    }
    state->tls = std::move(*front);
  }
  ports_.emplace(key, std::make_unique<ListeningPort>(context_, std::move(state)));
  listen(key);
}

void Worker::listen(const PortKey& key) {
  auto& port = *ports_.at(key);
  auto outcome = port.listen();
  if (!outcome)
    counters_.add(Counter::bind_failures);
  observer_.on_bind(port.state()->address, port.state()->port, number_, outcome);
}

void Worker::close_port(const PortKey& key) {
  auto found = ports_.find(key);
  auto state = found->second->state();
  found->second->close();
  ports_.erase(found);
  state->closing = true;
  closing_.push_back(state);
  sessions_.each([&](Session& session) {
    if (&session.port() == state.get())
      session.wind_down(draining_ ? Millis{0} : options_.timeouts.listener_retired);
  });
  observer_.on_unbound(state->address, state->port, number_);
}

void Worker::tick() {
  constexpr unsigned ticks_per_sweep = 10;
  static_assert(tick_interval * ticks_per_sweep == Millis{1'000});
  tick_.start(tick_interval);
  drained_.store(draining_ && sessions_.size() == 0, std::memory_order_release);
  for (const auto& [key, port] : ports_)
    port->resume();
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

void Worker::drain() {
  loop_->post([this] { begin_drain(); });
}

void Worker::begin_drain() {
  if (draining_)
    return;
  draining_ = true;
  while (!ports_.empty())
    close_port(ports_.begin()->first);
  // Of ports that were closed before.
  sessions_.each([](Session& session) { session.wind_down(Millis{0}); });
  drained_.store(sessions_.size() == 0, std::memory_order_release);
}

} // namespace strait::gateway::proxy
