#pragma once

#include <cerrno>
#include <chrono>
#include <csignal>
#include <pthread.h>

namespace strait::cmd {

/// SIGINT and SIGTERM, taken by whoever waits instead of by a handler. Make it before the first
/// thread, so that all threads leave these signals alone.
class StopSignals {
public:
  StopSignals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN); // A peer that is gone is told by the write's result.
  }
  /// Returns when one of them came.
  void wait() const {
    int signal = 0;
    sigwait(&set_, &signal);
  }

  /// The same, but at most for so long: for a second one that is in a hurry.
  void wait_at_most(std::chrono::seconds limit) const {
    timespec time{.tv_sec = limit.count(), .tv_nsec = 0};
    while (sigtimedwait(&set_, nullptr, &time) < 0 && errno == EINTR)
      ; // Stopped and continued: waiting longer does no harm.
  }

private:
  sigset_t set_{};
};

} // namespace strait::cmd
