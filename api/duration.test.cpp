#include "api/duration.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace std::chrono_literals;
using api::parse_duration;

TEST_CASE("durations are read as Go writes them") {
  CHECK(parse_duration("10s") == Millis{10s});
  CHECK(parse_duration("1m30s") == Millis{90s});
  CHECK(parse_duration("1.5h") == Millis{90min});
  CHECK(parse_duration("300000ms") == Millis{5min});
  CHECK(parse_duration("0") == Millis{0});
  CHECK(parse_duration("-3s") == Millis{-3s});
  CHECK(parse_duration("+3s") == Millis{3s});
  CHECK(parse_duration("1\u00b5s") == Millis{1});
  CHECK(parse_duration(".5s") == Millis{500});
}

TEST_CASE("what is no duration is refused") {
  for (auto* text : {"", "10", "s", "abc", "1s2", "1 s", "1d", ".s", "--1s", "1e3s", "1..5s",
                     "99999999999999999999h", "-", "+"}) {
    INFO(text);
    CHECK(!parse_duration(text));
  }
  CHECK(!parse_duration(std::string(70, '1') + "ns"));
}

TEST_CASE("durations are written as Go writes them, and read back") {
  CHECK(api::to_go_text(90s) == "1m30s");
  CHECK(api::to_go_text(10s) == "10s");
  CHECK(api::to_go_text(Millis{500}) == "500ms");
  CHECK(api::to_go_text(Millis{1500}) == "1.5s");
  CHECK(api::to_go_text(Millis{0}) == "0s");
  CHECK(api::to_go_text(1h) == "1h0m0s");
  for (std::int64_t count : {1, 999, 1000, 61'001, 3'600'000, 86'461'250})
    CHECK(parse_duration(api::to_go_text(Millis{count})) == Millis{count});
}
