#pragma once

#include "gateway/proxy/exchange.hpp"
#include "gateway/proxy/jwt.hpp"
#include "gateway/proxy/listening_port.hpp"
#include "gateway/proxy/mirrors.hpp"
#include "gateway/proxy/proxy.hpp"
#include "gateway/proxy/session_keys.hpp"
#include "gateway/proxy/udp_sessions.hpp"
#include "net/dns.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>

namespace strait::gateway::proxy {

/// What workers tell their proxy. Called on the workers' threads.
class WorkerObserver {
public:
  virtual void on_epoch() = 0;
  virtual void on_bind(const PortState& port, unsigned worker, const Status& outcome) = 0;
  /// The port is not wanted any more.
  virtual void on_unbound(const PortState& port, unsigned worker) = 0;

protected:
  ~WorkerObserver() = default;
};

/// One thread with its loop and everything it serves with; nothing of it is shared but the
/// counters, which others read, and the inbox.
class Worker {
public:
  static Result<std::unique_ptr<Worker>> create(unsigned number, const ProxyOptions& options,
                                                const std::string& ticket_keys,
                                                AccessBuffer* access_log, WorkerObserver& observer);
  ~Worker();

  void start();
  /// Ends the loop and waits for the thread.
  void stop();

  // Any thread.
  void publish(SnapshotPtr snapshot);
  void wind_down();
  void drain();
  net::EventLoop& loop() { return *loop_; }
  /// 0 before the first snapshot.
  std::uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }
  /// It was told to drain, and nothing is connected any more.
  bool drained() const { return drained_.load(std::memory_order_acquire); }
  const WorkerCounters& counters() const { return counters_; }

private:
  using PortKey = std::tuple<std::uint16_t, std::string, Protocol>; // Of its socket: PortState.

  Worker(unsigned number, const ProxyOptions& options, const std::string& ticket_keys,
         AccessBuffer* access_log, WorkerObserver& observer, std::unique_ptr<net::EventLoop> loop);
  void take_snapshot();
  void serve(SnapshotPtr snapshot);
  const PortTable* wanted(const PortKey& key) const;
  void open_port(const std::shared_ptr<const PortTable>& table);
  void close_port(const PortKey& key);
  void listen(const PortKey& key);
  void tick();
  void begin_wind_down();
  void begin_drain();

  const unsigned number_;
  const ProxyOptions& options_;
  const std::string& ticket_keys_;
  WorkerObserver& observer_;

  std::unique_ptr<net::EventLoop> loop_;
  net::BufferPool buffers_;
  WorkerCounters counters_;
  Retirement retirement_;
  std::unique_ptr<net::Resolver> resolver_;
  UpstreamEnvironment environment_;
  Routing routing_;
  std::vector<std::unique_ptr<Exchange>> spare_exchanges_;
  SessionList sessions_;
  Random random_;
  KeySets key_sets_;
  SessionKeys session_keys_;
  WorkerContext context_;
  Mirrors mirrors_;
  UdpSessions udp_sessions_;
  std::map<PortKey, std::unique_ptr<ListeningPort>> ports_;
  std::vector<std::weak_ptr<PortState>> closing_;
  ServedPtr served_;
  net::Timer tick_;
  bool winding_down_ = false, draining_ = false;
  unsigned ticks_ = 0;
  Instant bound_at_{};

  std::mutex inbox_mutex_;
  SnapshotPtr inbox_; // The latest that was not taken yet.
  std::atomic<std::uint64_t> epoch_{0};
  std::atomic<bool> drained_{false};
  std::thread thread_;
};

} // namespace strait::gateway::proxy
