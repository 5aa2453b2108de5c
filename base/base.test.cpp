#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

#include <catch2/catch.hpp>

#include <regex>

using namespace strait;

TEST_CASE("an error carries its code and a text that names the thing") {
  Result<int> result = fail(Errc::invalid, "port {}: must be 1..65535", 70000);
  REQUIRE_FALSE(result);
  CHECK(result.error() == Error{Errc::invalid, "port 70000: must be 1..65535"});
  CHECK(to_string(Errc::exhausted) == "exhausted");
}

TEST_CASE("times are written and read as RFC 3339") {
  auto time = from_rfc3339("2026-11-23T12:34:56Z");
  CHECK(to_rfc3339(time) == "2026-11-23T12:34:56Z");
  CHECK(to_rfc3339(from_rfc3339("never")) == "1970-01-01T00:00:00Z");
  for (std::string far : {"9999-12-31T23:59:59Z", "3881-11-23T12:00:00Z", "1000-01-01T00:00:00Z"})
    CHECK(to_rfc3339(from_rfc3339(far)) == far);
  CHECK(from_rfc3339("9999-12-31T23:59:59Z") > time);
}

TEST_CASE("a uuid is of version 4, and no two are equal") {
  std::regex shape{"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"};
  auto a = random_uuid(), b = random_uuid();
  CHECK(std::regex_match(a, shape));
  CHECK(a != b);
  CHECK(equal_constant_time(a, a));
  CHECK_FALSE(equal_constant_time(a, b));
  CHECK_FALSE(equal_constant_time(a, ""));
}
