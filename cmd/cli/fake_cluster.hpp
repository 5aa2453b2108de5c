#pragma once

#include "cmd/cli/fake_agent.hpp"
#include "kubernetes/fake_api_server.test.hpp"

#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace strait::cli {

/// For tests: an API server in a thread of its own, and a kubeconfig that leads there.
class FakeCluster {
public:
  FakeCluster() {
    loop_ = std::move(*net::EventLoop::create());
    auto ready = std::make_shared<std::promise<void>>(); // See FakeAgent.
    thread_ = std::thread{[this, ready] {
      kubernetes::FakeApiServer server{*loop_};
      server_ = &server;
      ready->set_value();
      loop_->run();
    }};
    ready->get_future().get();
    std::ofstream{config_} << "kind: Config\ncurrent-context: c\n"
                              "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
                              "clusters: [{name: k, cluster: {server: \""
                           << server_->url << "\"}}]\nusers: [{name: u, user: {token: t}}]\n";
  }
  ~FakeCluster() {
    std::filesystem::remove(config_);
    loop_->stop();
    thread_.join();
  }

  /// Runs it on the server's thread; returns what it returns.
  template <class Work>
  auto with(Work work) {
    using T = decltype(work(*server_));
    auto done = std::make_shared<std::promise<T>>();
    (void)loop_->post([this, done, work = std::move(work)]() mutable {
      if constexpr (std::is_void_v<T>) {
        work(*server_);
        done->set_value();
      } else {
        done->set_value(work(*server_));
      }
    });
    return done->get_future().get();
  }
  void put(const std::string& path, const std::string& json) {
    with([=](kubernetes::FakeApiServer& it) { it.put(path, json); });
  }
  std::set<std::string> paths() {
    return with([](kubernetes::FakeApiServer& it) { return it.paths(); });
  }
  kubernetes::Node object(const std::string& path) {
    return with([=](kubernetes::FakeApiServer& it) { return it.object(path); });
  }
  std::vector<std::string> asked() {
    return with([](kubernetes::FakeApiServer& it) { return it.asked; });
  }

  Ran strait(std::vector<std::string> arguments) {
    arguments.push_back("--kubeconfig=" + config_.string());
    return cli::strait(std::move(arguments));
  }

private:
  std::unique_ptr<net::EventLoop> loop_; // Outlives the thread that runs it.
  kubernetes::FakeApiServer* server_ = nullptr;
  std::filesystem::path config_ =
      std::filesystem::temp_directory_path() / fmt::format("strait-kubeconfig-{}", ::getpid());
  std::thread thread_;
};

} // namespace strait::cli
