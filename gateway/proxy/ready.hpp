#pragma once

#include "base/result.hpp"
#include "net/event_loop.hpp"
#include "net/http_server.hpp"

#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace strait::gateway::proxy {

/// GET /ready: 200 if the proxy serves, 503 if it does not; for probes. A thread of its own, so
/// that it answers before any worker has something to serve. Owns it.
class ReadyPort {
public:
  /// `is_ready` is called on that thread.
  static Result<std::unique_ptr<ReadyPort>> start(const std::string& address, std::uint16_t port,
                                                  std::function<bool()> is_ready);
  ReadyPort(const ReadyPort&) = delete;
  ReadyPort& operator=(const ReadyPort&) = delete;
  ~ReadyPort();

private:
  ReadyPort() = default;
  std::unique_ptr<net::EventLoop> loop_;
  std::unique_ptr<net::HttpServer> server_;
  std::thread thread_;
};

} // namespace strait::gateway::proxy
