#include "gateway/proxy/proxy.hpp"

#include "base/random.hpp"
#include "gateway/proxy/access_log.hpp"
#include "gateway/proxy/worker.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>

namespace strait::gateway::proxy {

struct Proxy::State final : WorkerObserver {
  explicit State(ProxyOptions o) : options{std::move(o)}, access_log{options.access_log} {}
  ~State();

  void on_epoch() override;
  void on_bind(const PortState& port, unsigned worker, const Status& outcome) override;
  void on_unbound(const PortState& port, unsigned worker) override;
  std::uint64_t lowest_epoch() const;
  std::vector<ListenerError> errors() const; // With the mutex held.
  void tell_errors();                        // With the mutex held.

  const ProxyOptions options;
  std::string ticket_keys = random_bytes(net::TlsServerContext::ticket_keys_bytes);
  AccessLog access_log;
  std::vector<std::unique_ptr<Worker>> workers;

  mutable std::mutex mutex; // Of what follows.
  std::function<void(std::uint64_t)> served_callback;
  std::function<void(std::vector<ListenerError>)> errors_callback;
  std::uint64_t told_epoch = 0;
  using Binding = std::tuple<std::uint16_t, bool, std::string, unsigned>; // bool: UDP.
  static Binding binding(const PortState& port, unsigned worker) {
    return {port.port, port.protocol == Protocol::udp, port.address, worker};
  }
  std::map<Binding, Error> failures;
  std::vector<ListenerError> told_errors;
};

Proxy::State::~State() {
  for (auto& worker : workers)
    worker->stop();
}

std::uint64_t Proxy::State::lowest_epoch() const {
  std::uint64_t lowest = UINT64_MAX;
  for (const auto& worker : workers)
    lowest = std::min(lowest, worker->epoch());
  return lowest;
}

void Proxy::State::on_epoch() {
  // Under the mutex, so that epochs are told in order.
  std::lock_guard lock{mutex};
  const auto lowest = lowest_epoch();
  if (lowest <= told_epoch)
    return;
  told_epoch = lowest;
  if (served_callback)
    served_callback(lowest);
}

void Proxy::State::on_bind(const PortState& port, unsigned worker, const Status& outcome) {
  std::lock_guard lock{mutex};
  if (outcome)
    failures.erase(binding(port, worker));
  else
    failures.insert_or_assign(binding(port, worker), outcome.error());
  tell_errors();
}

void Proxy::State::on_unbound(const PortState& port, unsigned worker) {
  std::lock_guard lock{mutex};
  failures.erase(binding(port, worker));
  tell_errors();
}

std::vector<ListenerError> Proxy::State::errors() const {
  std::vector<ListenerError> list;
  for (const auto& [where, error] : failures) {
    const auto& [port, udp, address, worker] = where;
    if (list.empty() || list.back().port != port || list.back().address != address ||
        list.back().udp != udp)
      list.push_back({port, address, error, udp});
  }
  return list;
}

void Proxy::State::tell_errors() {
  auto now = errors();
  if (now == told_errors)
    return;
  told_errors = now;
  for (const auto& failed : now)
    options.log.warn("port {}: {}", failed.port, failed.error.detail);
  if (errors_callback)
    errors_callback(std::move(now));
}

Proxy::Proxy(std::unique_ptr<State> state) : state_{std::move(state)} {}
Proxy::~Proxy() = default;

Result<std::unique_ptr<Proxy>> Proxy::start(ProxyOptions options) {
  auto state = std::make_unique<State>(std::move(options));
  const auto& o = state->options;
  const unsigned count = o.workers ? o.workers : std::max(1U, std::thread::hardware_concurrency());
  const bool logs = o.access_log.format != AccessLogFormat::off && o.access_log.sink;
  for (unsigned i = 0; i < count; ++i) {
    auto worker = Worker::create(i, o, state->ticket_keys,
                                 logs ? &state->access_log.add_worker() : nullptr, *state);
    if (!worker)
      return fail(worker.error());
    state->workers.push_back(std::move(*worker));
  }
  for (auto& worker : state->workers)
    worker->start();
  return std::unique_ptr<Proxy>{new Proxy{std::move(state)}};
}

void Proxy::publish(SnapshotPtr snapshot) {
  for (auto& worker : state_->workers)
    worker->publish(snapshot);
}

std::uint64_t Proxy::served_epoch() const { return state_->lowest_epoch(); }

void Proxy::on_served(std::function<void(std::uint64_t)> callback) {
  std::lock_guard lock{state_->mutex};
  state_->served_callback = std::move(callback);
}

std::vector<ListenerError> Proxy::listener_errors() const {
  std::lock_guard lock{state_->mutex};
  return state_->errors();
}

void Proxy::on_listener_errors(std::function<void(std::vector<ListenerError>)> callback) {
  std::lock_guard lock{state_->mutex};
  state_->errors_callback = std::move(callback);
}

Counters Proxy::counters() const {
  Counters sum;
  for (const auto& worker : state_->workers)
    worker->counters().add_to(sum);
  return sum;
}

void Proxy::wind_down() {
  for (auto& worker : state_->workers)
    worker->wind_down();
}

void Proxy::drain(Millis within) {
  constexpr Millis look_interval{10};
  for (auto& worker : state_->workers)
    worker->drain();
  const auto until = now_instant() + within;
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock{mutex};
  while (now_instant() < until) {
    const bool drained = std::all_of(state_->workers.begin(), state_->workers.end(),
                                     [](const auto& worker) { return worker->drained(); });
    if (drained)
      return;
    never.wait_for(lock, look_interval);
  }
}

} // namespace strait::gateway::proxy
