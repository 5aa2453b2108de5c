#pragma once

#include "gateway/proxy/proxy.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace strait::gateway::proxy::testing {

class Backend;

/// A blocking TCP connection on loopback, for tests. Reads give up after 10 s.
class Wire {
public:
  explicit Wire(int fd) : fd_{fd} {}
  /// A connection of the backend's, which closes the descriptor.
  Wire(int fd, Backend& backend) : fd_{fd}, backend_{&backend} {}
  /// Connects; -1 inside if that is refused.
  static Wire dial(std::uint16_t port);
  Wire(Wire&& other) noexcept : fd_{std::exchange(other.fd_, -1)}, backend_{other.backend_} {}
  Wire& operator=(Wire&&) = delete;
  ~Wire() { close(); }

  bool ok() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  /// False: the connection is gone.
  bool send(std::string_view text);
  /// Up to a line end twice (a head), without what follows.
  std::string head();
  std::string exactly(std::size_t bytes);
  /// At least one byte; empty at the end of the stream.
  std::string some();
  /// Until the end of the stream.
  std::string rest();
  /// Content of a message whose head this was; chunks are put together.
  std::string body(const std::string& head);
  /// Whether the other side has ended (waits for it).
  bool ended();
  void end_sending();
  void reset();
  void close();
  /// The descriptor is the caller's from now on. Of a backend's connection: once the second is
  /// gone, and until then the backend may shut it down.
  std::pair<int, std::shared_ptr<void>> release();
  /// What was read and not asked for yet.
  const std::string& pending() const { return buffer_; }

private:
  bool more();
  int fd_;
  Backend* backend_ = nullptr;
  std::string buffer_;
};

struct Answer {
  int status = 0;
  std::string head, body;
  /// The value of a field; empty if absent.
  std::string field(std::string_view name) const;
};
/// Sends one request and reads its answer.
Answer ask(Wire& wire, std::string_view request);
Answer read_answer(Wire& wire, bool head_request = false);
/// On a connection of its own.
Answer ask(std::uint16_t port, std::string_view request);
std::string get(std::string_view path, std::string_view host = "example.com");
std::string field_of(const std::string& head, std::string_view name);

/// A server on loopback: each connection is served by a thread of its own.
class Backend {
public:
  using Serve = std::function<void(Wire&, Backend&)>;
  /// On a free port, or on one that was another backend's.
  explicit Backend(Serve serve, std::uint16_t port = 0);
  /// Answers every request with its name as body, and counts.
  static std::unique_ptr<Backend> named(std::string name, std::uint16_t port = 0);
  ~Backend();
  std::uint16_t port() const { return port_; }
  Endpoint endpoint() const { return {"127.0.0.1", port_, 1}; }

  std::atomic<int> connections{0}, requests{0};

private:
  friend class Wire;
  /// Whoever serves the connection closes it.
  void forget(int fd);

  int fd_ = -1;
  std::uint16_t port_ = 0;
  Serve serve_;
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  bool stopping_ = false;
  std::thread accept_;
};

/// A port that nobody listens on now.
std::uint16_t free_port();

/// A proxy with a configuration that tests change by hand.
class World {
public:
  explicit World(ProxyOptions options = {.workers = 1});

  World& listener(Listener listener);
  World& no_listener(const std::string& name);
  World& cluster(std::string id, std::vector<Endpoint> endpoints, std::optional<PeerTls> tls = {});
  World& route(const std::string& listener, const std::string& id, HttpRoute route);
  World& tcp_route(const std::string& listener, const std::string& id, TcpRoute route);
  /// Everything under "/" to one cluster.
  World& all_to(const std::string& listener, const std::string& cluster);
  World& certificate(Certificate certificate);
  /// An HTTP listener "web" whose requests all go to these endpoints; returns its port.
  std::uint16_t serve(std::vector<Endpoint> endpoints);
  /// Publishes what was set and waits until every worker serves it.
  void apply();
  std::uint64_t counted(Counter counter) const { return proxy->counters()[counter]; }
  /// Waits until it was counted so often; false after 10 s.
  bool reaches(Counter counter, std::uint64_t value) const;

  Config config;
  SnapshotBuilder builder;
  std::unique_ptr<Proxy> proxy;

private:
  std::mutex mutex_;
  std::condition_variable served_;
  std::uint64_t epoch_ = 0;
};

inline strait::gateway::Backend share(std::string cluster, std::uint32_t weight = 1) {
  strait::gateway::Backend backend;
  backend.cluster = std::move(cluster);
  backend.weight = weight;
  return backend;
}
inline strait::gateway::Backend refused(std::uint16_t status, std::uint32_t weight = 1) {
  strait::gateway::Backend backend;
  backend.refusal = status;
  backend.weight = weight;
  return backend;
}
/// Clients that ask without pause, on kept connections, until stopped; every answer must be 200.
class Load {
public:
  Load(std::uint16_t port, int clients) {
    for (int i = 0; i < clients; ++i)
      threads_.emplace_back([this, port] {
        auto wire = std::make_unique<Wire>(Wire::dial(port));
        while (!stop_) {
          const auto answer = ask(*wire, get("/"));
          ++(answer.status == 200 ? good : bad);
          const bool told = answer.field("connection") == "close";
          told_to_close += told;
          if (answer.status == 0 || told)
            wire = std::make_unique<Wire>(Wire::dial(port));
        }
      });
  }
  ~Load() { stop(); }
  void stop() {
    stop_ = true;
    for (auto& thread : threads_)
      if (thread.joinable())
        thread.join();
  }
  void at_least(int more) {
    const int until = good + more;
    while (good < until && bad == 0)
      std::this_thread::yield();
  }
  std::atomic<int> good{0}, bad{0}, told_to_close{0};

private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

HttpRule rule(std::string prefix, std::vector<strait::gateway::Backend> backends);

} // namespace strait::gateway::proxy::testing
