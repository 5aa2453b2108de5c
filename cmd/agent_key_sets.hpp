#pragma once

#include "actors/key_set_fetcher.hpp"

#include <thread>

namespace strait::cmd {

/// Fetches key sets, on a loop and a thread of its own. Ends what is under way when it ends.
class KeySetThread {
public:
  static Result<std::unique_ptr<KeySetThread>> start() {
    auto loop = net::EventLoop::create();
    if (!loop)
      return fail(loop.error());
    auto fetcher = actors::KeySetFetcher::create(**loop);
    if (!fetcher)
      return fail(fetcher.error());
    auto thread =
        std::unique_ptr<KeySetThread>{new KeySetThread{std::move(*loop), std::move(*fetcher)}};
    thread->thread_ = std::thread{[it = thread.get()] { it->loop_->run(); }};
    return thread;
  }
  KeySetThread(const KeySetThread&) = delete;
  KeySetThread& operator=(const KeySetThread&) = delete;
  ~KeySetThread() {
    if (!thread_.joinable())
      return;
    (void)loop_->post([this] {
      fetcher_->close();
      loop_->stop();
    });
    thread_.join();
  }

  const std::shared_ptr<actors::KeySetFetcher>& fetcher() const { return fetcher_; }

private:
  KeySetThread(std::unique_ptr<net::EventLoop> loop, std::shared_ptr<actors::KeySetFetcher> fetcher)
      : loop_{std::move(loop)}, fetcher_{std::move(fetcher)} {}
  std::unique_ptr<net::EventLoop> loop_;
  std::shared_ptr<actors::KeySetFetcher> fetcher_;
  std::thread thread_;
};

} // namespace strait::cmd
