#pragma once

#include "gateway/proxy/options.hpp"

#include <algorithm>

namespace strait::gateway::proxy {

/// Whether an endpoint gets requests: after `failures` in a row it is ejected, longer each time;
/// once the time is over it is tried again, and the first failure ejects it anew. A pure machine.
class EndpointHealth {
public:
  bool available(Instant now) const { return now >= ejected_until_; }

  void succeeded() {
    failures_ = 0;
    next_ = Millis{0};
  }

  /// Whether this failure ejects it.
  bool failed(Instant now, const EjectionOptions& options) {
    if (!available(now))
      return false; // Of a request that was under way when it was ejected.
    if (++failures_ < options.failures)
      return false;
    next_ = next_.count() == 0 ? options.first : std::min(next_ * 2, options.longest);
    ejected_until_ = now + next_;
    failures_ = options.failures - 1;
    return true;
  }

  Instant ejected_until() const { return ejected_until_; }

private:
  unsigned failures_ = 0;
  Millis next_{0};
  Instant ejected_until_{};
};

} // namespace strait::gateway::proxy
