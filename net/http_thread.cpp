#include "net/http_thread.hpp"

namespace strait::net {

Result<std::unique_ptr<HttpThread>> HttpThread::start(const Address& address,
                                                      HttpServer::Handler handler) {
  auto loop = EventLoop::create();
  if (!loop)
    return fail(loop.error());
  auto thread = std::unique_ptr<HttpThread>{new HttpThread{std::move(*loop)}};
  thread->server_.emplace(*thread->loop_, HttpServerOptions{}, std::move(handler));
  auto listening = thread->server_->listen(address);
  if (!listening)
    return fail(listening.error());
  thread->address_ = *listening;
  thread->thread_ = std::thread{[&self = *thread] {
    self.loop_->run();
    self.server_.reset();
  }};
  return thread;
}

HttpThread::~HttpThread() {
  if (!thread_.joinable())
    return;
  loop_->post([this] { server_->stop(stop_grace, [this] { loop_->stop(); }); });
  thread_.join();
}

} // namespace strait::net
