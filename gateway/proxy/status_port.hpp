#pragma once

#include "net/http_thread.hpp"

#include <functional>
#include <memory>
#include <string>

namespace strait::gateway::proxy {

/// Where a process tells how it is.
struct StatusPortOptions {
  std::string what; ///< For errors: "readiness port".
  std::string address = "0.0.0.0";
  std::uint16_t port = 0; ///< 0: any that is free.
  std::string path;
};

/// GET of one path, for probes or Prometheus. For whoever runs proxies: a process has one of each,
/// whatever the number of its proxies. On a thread of its own, so that it answers before any worker
/// has something to serve; `answer` is called on that thread. Errors name the port as options.what.
Result<std::unique_ptr<net::HttpThread>>
open_status_port(StatusPortOptions options, std::function<net::HttpResponse()> answer);
/// The same for what cannot be answered at once.
Result<std::unique_ptr<net::HttpThread>> open_status_port(StatusPortOptions options,
                                                          net::HttpServer::Handler answer);

/// 200, or 503 of what is not ready.
net::HttpResponse readiness(bool ready);
/// In the text format of Prometheus, version 0.0.4.
net::HttpResponse prometheus_text(std::string text);

} // namespace strait::gateway::proxy
