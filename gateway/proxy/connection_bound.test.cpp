#include "gateway/proxy/connection_bound.hpp"

#include "gateway/proxy/proxy_fixture.test.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::gateway::proxy;
using namespace strait::gateway::proxy::testing;

TEST_CASE("there is room again for what was given back") {
  ConnectionBound bound{2};
  CHECK(bound.take());
  CHECK(bound.take());
  CHECK_FALSE(bound.take());
  CHECK_FALSE(bound.take());
  bound.give();
  CHECK(bound.take());
  CHECK_FALSE(bound.take());
}

TEST_CASE("clients past the bound of the process are let go at once, until another ends") {
  ProxyOptions options{.workers = 2};
  options.connection_bound = std::make_shared<ConnectionBound>(2);
  World world{options};
  auto a = Backend::named("a");
  const auto port = world.serve({a->endpoint()});
  auto first = Wire::dial(port);
  auto second = Wire::dial(port);
  CHECK(ask(first, get("/")).status == 200);
  CHECK(ask(second, get("/")).status == 200);
  auto third = Wire::dial(port);
  CHECK(world.reaches(Counter::connections_refused, 1));
  CHECK(world.counted(Counter::downstream_connections) == 2);
  first.close();
  CHECK(world.reaches(Counter::downstream_closed, 1));
  auto fourth = Wire::dial(port);
  CHECK(ask(fourth, get("/")).status == 200);
}
