#pragma once

#include "cmd/cli/run.hpp"
#include "net/http_server.hpp"

#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

namespace strait::cli {

/// For tests: an HTTP server in a thread of its own that answers as it was told and keeps what it
/// was asked.
class FakeAgent {
public:
  FakeAgent() {
    loop_ = std::move(*net::EventLoop::create());
    // Shared: setting it ends after whoever waits for it has gone on.
    auto port = std::make_shared<std::promise<std::uint16_t>>();
    thread_ = std::thread{[this, port] { serve(*port); }};
    port_ = port->get_future().get();
  }
  ~FakeAgent() {
    loop_->stop();
    thread_.join();
  }

  /// The answers to requests for that method and target, one after the other; the last one stays.
  void answer(const std::string& method_and_target, net::HttpResponse response) {
    std::lock_guard lock{mutex_};
    answers_[method_and_target].push_back(std::move(response));
  }
  std::vector<net::HttpRequest> requests() const {
    std::lock_guard lock{mutex_};
    return requests_;
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

private:
  void serve(std::promise<std::uint16_t>& port) {
    net::HttpServer server{*loop_, {}, [this](auto request, auto&, auto responder) {
                             responder.respond(take(std::move(request)));
                           }};
    port.set_value(server.listen(net::Address::loopback(0))->port());
    loop_->run();
  }

  net::HttpResponse take(net::HttpRequest request) {
    std::lock_guard lock{mutex_};
    auto found = answers_.find(request.method + " " + request.target);
    requests_.push_back(std::move(request));
    if (found == answers_.end())
      return {404, {{"Content-Type", "text/plain"}}, "not prepared"};
    auto out = found->second.front();
    if (found->second.size() > 1)
      found->second.pop_front();
    return out;
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::deque<net::HttpResponse>> answers_;
  std::vector<net::HttpRequest> requests_;
  std::unique_ptr<net::EventLoop> loop_; // Outlives the thread that runs it.
  std::thread thread_;
  std::uint16_t port_ = 0;
};

/// What one run of `strait` said and ended with.
struct Ran {
  int code = 0;
  std::string out, err;
};

struct RunOptions {
  std::string input{};
  std::map<std::string, std::string> environment{};
  std::function<int(const cmd::AgentOptions&)> run_agent{};
};

inline Ran strait(std::vector<std::string> arguments, RunOptions options = {}) {
  std::istringstream in{options.input};
  std::ostringstream out, err;
  Context context{.in = in,
                  .out = out,
                  .err = err,
                  .environment =
                      [&](const std::string& name) {
                        auto found = options.environment.find(name);
                        return found == options.environment.end() ? "" : found->second;
                      },
                  .run_agent = options.run_agent};
  int code = run(std::move(arguments), context);
  return {code, out.str(), err.str()};
}

} // namespace strait::cli
