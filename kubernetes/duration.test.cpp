#include "kubernetes/duration.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace strait;
using namespace strait::kubernetes;
using namespace std::chrono_literals;

TEST_CASE("durations are read as the Gateway API writes them") {
  CHECK(parse_duration("10s") == 10s);
  CHECK(parse_duration("1h30m") == 90min);
  CHECK(parse_duration("500ms") == 500ms);
  CHECK(parse_duration("1h1m1s1ms") == 3661001ms);
  CHECK(parse_duration("0s") == 0s);
  CHECK(parse_duration("99999h") == duration_max);
  for (auto wrong : {"", "10", "s", "1.5s", "-1s", "1d", "100000s", "1h1m1s1ms1ms", "1s ", " 1s",
                     "99999h1ms", "1us", "0"})
    CHECK_FALSE(parse_duration(wrong));
}

TEST_CASE("durations of Consul's kinds are read as Go writes them") {
  CHECK(parse_go_duration("1h0m0s") == 1h);
  CHECK(parse_go_duration("1.5s") == 1500ms);
  CHECK(parse_go_duration("0") == 0ms);
  CHECK(parse_go_duration(".5s") == 500ms);
  CHECK(parse_go_duration("1us") == 1ms); // Rounded up: a time-out must not become none.
  CHECK(parse_go_duration("3\xc2\xb5s") == 1ms);
  CHECK(parse_go_duration("0.1s") == 100ms);
  CHECK(parse_go_duration("2000000us") == 2s);
  for (auto wrong : {"", "10", ".s", "1.2.3s", "-1s", "1d", "100000h", "1e3s", "nan", "1s ",
                     "1234567890123456789s"})
    CHECK_FALSE(parse_go_duration(wrong));
}

TEST_CASE("a duration that is written reads back as it was, by either reader") {
  std::mt19937_64 prng{20261123};
  for (int i = 0; i < 2000; ++i) {
    Millis duration{static_cast<std::int64_t>(
        prng() % static_cast<std::uint64_t>(i % 2 == 0 ? duration_max.count() : 100'000))};
    CHECK(parse_duration(duration_text(duration)) == duration);
    CHECK(parse_go_duration(duration_text(duration)) == duration);
  }
  CHECK(duration_text(90min) == "1h30m");
  CHECK(duration_text(0ms) == "0s");
}
