#include "gateway/snapshot/snapshot.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::gateway;
TEST_CASE("a first snapshot serves a route") {
  SnapshotBuilder builder;
  Delta delta;
  delta.epoch = 1;
  delta.listeners.emplace_back("http",
                               std::make_shared<Listener>(Listener{.name = "http", .port = 80}));
  delta.routes.emplace_back(
      "http/a",
      std::make_shared<BoundRoute>(BoundRoute{
          .id = "a", .route = HttpRoute{.rules = {HttpRule{.matches = {Match{.path = "/foo"}}}}}}));
  auto s = builder.apply(delta);
  REQUIRE(s);
  auto* table = (*(*s)->ports.find(80))->find("x.y");
  REQUIRE(table);
  CHECK(match(*table, {.method = "GET", .host = "x.y", .path = "/foo/bar"}));
  CHECK_FALSE(match(*table, {.method = "GET", .host = "x.y", .path = "/foobar"}));
}
