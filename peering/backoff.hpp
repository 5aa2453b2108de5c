#pragma once

#include "base/time.hpp"
#include "peering/message.hpp"

#include <random>

namespace strait::peering {

struct BackoffOptions {
  Millis first{500}; ///< Then twice as long each time.
  Millis max{64'000};
  /// After FAILED_PRECONDITION (another server of the datacenter owns the stream): soon again, with
  /// the next address.
  Millis fast{8};
  int fast_tries = 5;
  Millis fast_max{8192};
  Millis exhausted{8192}; ///< After RESOURCE_EXHAUSTED.
  int jitter_percent = 25;
  std::uint64_t seed = 0;
};

/// How long to wait before the next dial. Never zero, never growing beyond its maximum.
class Backoff {
public:
  explicit Backoff(BackoffOptions options) : options_{options}, random_{options.seed} {}

  Millis next(Code why);
  /// The stream has proved healthy.
  void reset() { fast_failures_ = 0, failures_ = 0; }

private:
  Millis jittered(Millis wait);

  BackoffOptions options_;
  std::mt19937_64 random_;
  int fast_failures_ = 0;
  int failures_ = 0;
};

} // namespace strait::peering
