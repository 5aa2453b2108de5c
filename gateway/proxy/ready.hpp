#pragma once

#include "base/result.hpp"
#include "net/event_loop.hpp"
#include "net/http_server.hpp"

#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace strait::gateway::proxy {

struct ReadyOptions {
  std::string address = "0.0.0.0";
  std::uint16_t port = 20'000; ///< 0: none.
};

/// GET /ready: 200 if its process serves, 503 if it does not; for probes. For whoever runs proxies:
/// a process has one of them, whatever the number of its proxies. A thread of its own, so that it
/// answers before any worker has something to serve. Owns it.
class ReadyPort {
public:
  /// `is_ready` is called on that thread.
  static Result<std::unique_ptr<ReadyPort>> start(const ReadyOptions& options,
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
