#include "gateway/proxy/proxy_fixture.test.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy::testing {

TEST_CASE("a request goes to its backend, and the connection serves the next one") {
  auto backend = Backend::named("one");
  World world;
  const auto port = world.serve({backend->endpoint()});
  auto wire = Wire::dial(port);
  for (int i = 0; i < 3; ++i) {
    const auto answer = ask(wire, get("/"));
    CHECK(answer.status == 200);
    CHECK(answer.body == "one");
    CHECK(answer.field("connection").empty());
  }
  CHECK(backend->connections == 1);
  CHECK(world.counted(Counter::requests) == 3);
  CHECK(world.counted(Counter::upstream_connects) == 1);
  CHECK(world.counted(Counter::upstream_reuses) == 2);
}

} // namespace strait::gateway::proxy::testing
