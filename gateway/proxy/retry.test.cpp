#include "gateway/proxy/retry.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy {

using How = FailedAttempt::How;

TEST_CASE("a status is tried again if the policy names it, a connection if that does no harm") {
  struct Row {
    How how;
    int status;
    bool on_connection_error, sent_nothing, idempotent, expected;
  };
  const Row rows[]{
      {How::status, 503, false, false, false, true},
      {How::status, 500, true, false, true, false},
      {How::not_connected, 0, true, true, false, true},
      {How::not_connected, 0, false, true, true, false},
      {How::ended, 0, true, false, true, true},
      {How::ended, 0, true, true, false, true},
      {How::ended, 0, true, false, false, false},
      {How::ended, 0, false, true, true, false},
      {How::timed_out, 0, true, false, true, true},
      {How::timed_out, 0, true, false, false, false},
      {How::timed_out, 0, false, false, true, false},
  };
  Retry policy;
  policy.codes = {503};
  policy.attempts = 2;
  for (const auto& row : rows) {
    CAPTURE(static_cast<int>(row.how), row.status, row.sent_nothing, row.idempotent);
    policy.on_connection_error = row.on_connection_error;
    FailedAttempt attempt{.how = row.how,
                          .status = row.status,
                          .replayable = true,
                          .sent_nothing = row.sent_nothing,
                          .idempotent = row.idempotent};
    CHECK(wants_retry(policy, attempt, 10) == row.expected);
    attempt.replayable = false;
    CHECK_FALSE(wants_retry(policy, attempt, 10));
    attempt.replayable = true;
    attempt.retries = 2;
    CHECK_FALSE(wants_retry(policy, attempt, 10));
  }
  policy.codes = {504};
  policy.on_connection_error = false;
  CHECK(wants_retry(policy, {.how = How::timed_out, .replayable = true, .idempotent = true}, 10));
}

TEST_CASE("no policy gets more attempts than the maximum") {
  Retry policy;
  policy.codes = {503};
  policy.attempts = 1'000'000;
  FailedAttempt attempt{.status = 503, .retries = 4, .replayable = true};
  CHECK(wants_retry(policy, attempt, 5));
  attempt.retries = 5;
  CHECK_FALSE(wants_retry(policy, attempt, 5));
}

TEST_CASE("the wait before a retry is at least the backoff, grows, and is bounded") {
  for (unsigned retries = 0; retries < 40; ++retries)
    for (std::uint64_t random : {0ULL, 1ULL, 77ULL, ~0ULL}) {
      const auto delay = retry_delay(Millis{100}, retries, random);
      const auto base = Millis{100} * (1 << std::min(retries, 3U));
      CHECK(delay >= base);
      CHECK(delay <= base * 3 / 2);
    }
  CHECK(retry_delay(Millis{0}, 0, 0) == retry_backoff_default);
}

} // namespace strait::gateway::proxy
