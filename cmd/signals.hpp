#pragma once

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

private:
  sigset_t set_{};
};

} // namespace strait::cmd
