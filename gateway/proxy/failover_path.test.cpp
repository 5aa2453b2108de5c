#include "gateway/proxy/failover_path.hpp"

#include <catch2/catch.hpp>

using strait::gateway::proxy::FailoverPath;

TEST_CASE("a cluster is passed over after its tries without a connection, or one that timed out") {
  FailoverPath path;
  for (unsigned i = 1; i < FailoverPath::tries_max; ++i) {
    path.go_to(0);
    CHECK(path.passed_over() == 0);
    path.not_connected(false);
    CHECK(path.passed_over() == 0);
  }

  SECTION("the last one") {
    path.go_to(0);
    path.not_connected(false);
    CHECK(path.passed_over() == 1);
  }
  SECTION("a time-out is long enough") {
    path.not_connected(true);
    CHECK(path.passed_over() == 1);
  }
  SECTION("tries in another cluster are its own") {
    path.go_to(2);
    CHECK(path.passed_over() == 2); // There is no way back.
    for (unsigned i = 0; i < FailoverPath::tries_max; ++i) {
      CHECK(path.passed_over() == 2);
      path.go_to(2);
      path.not_connected(false);
    }
    CHECK(path.passed_over() == 3);
    CHECK(path.place() == 2);
  }
}
