#pragma once

#include "base/result.hpp"
#include "net/event_loop.hpp"
#include "net/http_server.hpp"

#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace strait::gateway::proxy {

struct MetricsOptions {
  std::string address = "0.0.0.0";
  std::uint16_t port = 0; ///< 0: none; Consul's is 20200.
  std::string path = "/metrics";
};

/// GET of one path, for Prometheus. A thread of its own, like ReadyPort. Owns it.
class MetricsPort {
public:
  /// `text` is called on that thread.
  static Result<std::unique_ptr<MetricsPort>> start(const MetricsOptions& options,
                                                    std::function<std::string()> text);
  MetricsPort(const MetricsPort&) = delete;
  MetricsPort& operator=(const MetricsPort&) = delete;
  ~MetricsPort();

  const net::Address& address() const { return address_; }

private:
  MetricsPort() = default;
  std::unique_ptr<net::EventLoop> loop_;
  std::unique_ptr<net::HttpServer> server_;
  net::Address address_;
  std::thread thread_;
};

} // namespace strait::gateway::proxy
