#include "peering/backoff.hpp"

#include <algorithm>

namespace strait::peering {
namespace {

/// wait * 2^times, without overflow.
Millis doubled(Millis wait, int times, Millis max) {
  for (; times > 0 && wait < max; --times)
    wait *= 2;
  return std::min(wait, max);
}

int counted(int failures) { return std::min(failures + 1, 64); }

} // namespace

Millis Backoff::next(Code why) {
  if (why == Code::failed_precondition) {
    fast_failures_ = counted(fast_failures_);
    return doubled(options_.fast, fast_failures_ - options_.fast_tries, options_.fast_max);
  }
  if (why == Code::resource_exhausted)
    return jittered(options_.exhausted);
  auto wait = doubled(options_.first, failures_, options_.max);
  failures_ = counted(failures_);
  return jittered(wait);
}

/// Shorter by up to the given part, so that the maximum stays one.
Millis Backoff::jittered(Millis wait) {
  auto most = wait.count() * options_.jitter_percent / 100;
  if (most <= 0)
    return wait;
  return wait - Millis{static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(most + 1))};
}

} // namespace strait::peering
