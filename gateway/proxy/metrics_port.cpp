#include "gateway/proxy/metrics_port.hpp"

namespace strait::gateway::proxy {

Result<std::unique_ptr<MetricsPort>> MetricsPort::start(const MetricsOptions& options,
                                                        std::function<std::string()> text) {
  auto where = net::Address::from_ip(options.address, options.port);
  if (!where)
    return fail(Errc::invalid, "metrics port: {}", where.error().detail);
  auto loop = net::EventLoop::create();
  if (!loop)
    return fail(loop.error());
  auto port = std::unique_ptr<MetricsPort>{new MetricsPort};
  port->loop_ = std::move(*loop);
  port->server_ = std::make_unique<net::HttpServer>(
      *port->loop_, net::HttpServerOptions{},
      [text = std::move(text), path = options.path](const net::HttpRequest& request,
                                                    const net::HttpPeer&,
                                                    const net::HttpResponder& responder) {
        if (request.path() != path)
          return responder.respond(
              {404, {{"content-type", "text/plain"}}, "only " + path + " is here\n"});
        if (request.method != "GET" && request.method != "HEAD")
          return responder.respond(
              {405, {{"content-type", "text/plain"}, {"allow", "GET, HEAD"}}, "GET only\n"});
        responder.respond({200, {{"content-type", "text/plain; version=0.0.4"}}, text()});
      });
  auto listening = port->server_->listen(*where);
  if (!listening)
    return fail(listening.error().code, "metrics port: {}", listening.error().detail);
  port->address_ = *listening;
  port->thread_ = std::thread{[&self = *port] {
    self.loop_->run();
    self.server_.reset();
  }};
  return port;
}

MetricsPort::~MetricsPort() {
  if (!thread_.joinable())
    return;
  loop_->stop();
  thread_.join();
}

} // namespace strait::gateway::proxy
