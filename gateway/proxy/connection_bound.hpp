#pragma once

#include <atomic>
#include <cstddef>

namespace strait::gateway::proxy {

/// How many connections of clients there may be at once, over all workers. Any thread.
class ConnectionBound {
public:
  explicit ConnectionBound(std::size_t max) : max_{max} {}

  /// Room for one more, to be given back when it ends; false: there is none.
  bool take() {
    if (open_.fetch_add(1, std::memory_order_relaxed) < max_)
      return true;
    give();
    return false;
  }
  void give() { open_.fetch_sub(1, std::memory_order_relaxed); }

private:
  const std::size_t max_;
  std::atomic<std::size_t> open_{0};
};

} // namespace strait::gateway::proxy
