#include "gateway/proxy/ready.hpp"

namespace strait::gateway::proxy {

Result<std::unique_ptr<ReadyPort>> ReadyPort::start(const ReadyOptions& options,
                                                    std::function<bool()> is_ready) {
  auto where = net::Address::from_ip(options.address, options.port);
  if (!where)
    return fail(Errc::invalid, "readiness port: {}", where.error().detail);
  auto loop = net::EventLoop::create();
  if (!loop)
    return fail(loop.error());
  auto ready = std::unique_ptr<ReadyPort>{new ReadyPort};
  ready->loop_ = std::move(*loop);
  ready->server_ = std::make_unique<net::HttpServer>(
      *ready->loop_, net::HttpServerOptions{},
      [is_ready = std::move(is_ready)](const net::HttpRequest& request, const net::HttpPeer&,
                                       const net::HttpResponder& responder) {
        if (request.path() != "/ready")
          return responder.respond(
              {404, {{"content-type", "text/plain"}}, "only /ready is here\n"});
        if (request.method != "GET" && request.method != "HEAD")
          return responder.respond(
              {405, {{"content-type", "text/plain"}, {"allow", "GET, HEAD"}}, "GET only\n"});
        const bool yes = is_ready();
        responder.respond(
            {yes ? 200 : 503, {{"content-type", "text/plain"}}, yes ? "ready\n" : "not ready\n"});
      });
  if (auto listening = ready->server_->listen(*where); !listening)
    return fail(listening.error());
  ready->thread_ = std::thread{[&self = *ready] {
    self.loop_->run();
    self.server_.reset();
  }};
  return ready;
}

ReadyPort::~ReadyPort() {
  if (!thread_.joinable())
    return;
  loop_->stop();
  thread_.join();
}

} // namespace strait::gateway::proxy
