#include "gateway/proxy/retry.hpp"

#include <algorithm>

namespace strait::gateway::proxy {

bool idempotent(net::http1::Method method) {
  using net::http1::Method;
  switch (method) {
  case Method::get:
  case Method::head:
  case Method::put:
  case Method::delete_:
  case Method::options:
  case Method::trace:
    return true;
  default:
    return false;
  }
}

bool wants_retry(const Retry& policy, const FailedAttempt& attempt, unsigned attempts_max) {
  if (!attempt.replayable || attempt.retries >= std::min(policy.attempts, attempts_max))
    return false;
  const auto named = [&](int status) {
    return std::find(policy.codes.begin(), policy.codes.end(), status) != policy.codes.end();
  };
  const bool harmless = attempt.sent_nothing || attempt.idempotent;
  switch (attempt.how) {
  case FailedAttempt::How::status:
    return named(attempt.status);
  case FailedAttempt::How::not_connected:
    return policy.on_connection_error;
  case FailedAttempt::How::ended:
    return policy.on_connection_error && harmless;
  case FailedAttempt::How::timed_out:
    return harmless && (policy.on_connection_error || named(504));
  }
  return false;
}

Millis retry_delay(Millis backoff, unsigned retries, std::uint64_t random) {
  constexpr unsigned doublings_max = 3;
  const auto base = (backoff > Millis{0} ? backoff : retry_backoff_default).count()
                    << std::min(retries, doublings_max);
  const auto jitter = static_cast<std::uint64_t>(base) / 2;
  return Millis{base + static_cast<Millis::rep>(random % (jitter + 1))};
}

} // namespace strait::gateway::proxy
