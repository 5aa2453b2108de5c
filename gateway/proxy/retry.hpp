#pragma once

#include "gateway/snapshot/config.hpp"
#include "net/http1_names.hpp"

#include <cstdint>

namespace strait::gateway::proxy {

/// How an attempt to have a request answered ended.
struct FailedAttempt {
  enum class How : std::uint8_t {
    status,        ///< The backend answered with `status`.
    not_connected, ///< There was no connection: nothing was sent.
    ended,         ///< The connection ended before the answer.
    timed_out,     ///< The time for one attempt passed.
  };
  How how = How::status;
  int status = 0;
  unsigned retries = 0;      ///< Made before.
  bool replayable = false;   ///< The whole of what was sent is still at hand.
  bool sent_nothing = false; ///< No byte of it went out.
  bool idempotent = false;   ///< The method is.
};

/// RFC 9110 §9.2.2: sending it twice does no more than sending it once.
bool idempotent(net::http1::Method method);

/// Whether a rule's policy wants another attempt. Statuses that it names are tried again whatever
/// the method: the operator said so. A connection that failed, or a time-out, is tried again only
/// if nothing can have been acted on twice. `attempts_max` bounds what a policy may ask for.
bool wants_retry(const Retry& policy, const FailedAttempt& attempt, unsigned attempts_max);

/// The time to wait before the next attempt: never below the policy's backoff (or, without one,
/// `retry_backoff_default`), doubled with each retry up to eight times, with up to half of it
/// again as jitter drawn from `random`.
Millis retry_delay(Millis backoff, unsigned retries, std::uint64_t random);
inline constexpr Millis retry_backoff_default{25};

} // namespace strait::gateway::proxy
