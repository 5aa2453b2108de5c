#pragma once

#include "net/http_server.hpp"

#include <memory>
#include <optional>
#include <thread>

namespace strait::net {

/// An HttpServer with a loop and a thread of its own. Owns them. Any thread but its own may start
/// and destroy it.
class HttpThread {
public:
  /// How long one that is destroyed lets answers under way end.
  static constexpr Millis stop_grace{5'000};

  /// Serves the address; the handler is called on the new thread.
  static Result<std::unique_ptr<HttpThread>> start(const Address& address,
                                                   HttpServer::Handler handler);
  HttpThread(const HttpThread&) = delete;
  HttpThread& operator=(const HttpThread&) = delete;
  ~HttpThread();

  /// Where it listens: the port chosen, if 0 was asked for.
  const Address& address() const { return address_; }

private:
  explicit HttpThread(std::unique_ptr<EventLoop> loop) : loop_{std::move(loop)} {}
  std::unique_ptr<EventLoop> loop_;
  std::optional<HttpServer> server_;
  Address address_;
  std::thread thread_;
};

} // namespace strait::net
