// links: strait_actors
#include "datacenter.hpp"

using namespace strait;
using simulation::Datacenter;

namespace {

model::HttpRoute route(std::size_t number, const std::string& path) {
  auto name = std::to_string(number);
  model::HttpRoute route;
  route.meta.name = {"default", "route-" + name};
  route.parents.push_back({.ns = "default", .name = "edge"});
  route.hostnames.push_back("host-" + name + ".example.com");
  model::HttpRule rule;
  rule.matches.push_back({.path = {model::PathMatchType::prefix, path}});
  rule.backends.push_back({.name = "web", .port = 80});
  route.rules.push_back(std::move(rule));
  return route;
}

struct Cost {
  std::size_t turns = 0; ///< Of all actors, for one change.
  std::size_t snapshot_bytes = 0;
};

/// What changing one route costs where `routes` exist.
Cost change_one_of(std::size_t routes) {
  Datacenter datacenter{1, {}};
  model::GatewayClass gateway_class;
  gateway_class.meta.name = {"", "strait"};
  gateway_class.controller_name = model::strait_controller;
  datacenter.write(catalog::Put{gateway_class, {}});
  model::Gateway gateway;
  gateway.meta.name = {"default", "edge"};
  gateway.class_name = "strait";
  gateway.listeners.push_back({.name = "http", .port = 8000, .protocol = "HTTP"});
  datacenter.write(catalog::Put{gateway, {}});
  model::Service service;
  service.meta.name = {"default", "web"};
  service.ports.push_back({.name = "http", .port = 80});
  datacenter.write(catalog::Put{service, {}});
  for (std::size_t i = 0; i < routes; ++i)
    datacenter.write(catalog::Put{route(i, "/"), {}});
  datacenter.quiet();
  auto& recorder = datacenter.recorder;
  REQUIRE(recorder.snapshots.at({"default", "edge"})->config.routes.size() == routes);

  Cost cost;
  auto bytes_before = recorder.bytes_allocated({"default", "edge"});
  datacenter.write(catalog::Put{route(routes / 2, "/changed"), {}});
  cost.turns = datacenter.fixture.settle();
  cost.snapshot_bytes = recorder.bytes_allocated({"default", "edge"}) - bytes_before;
  auto served =
      recorder.snapshots.at({"default", "edge"})
          ->config.routes.find("http/HTTPRoute default/route-" + std::to_string(routes / 2));
  REQUIRE(served);
  CHECK(std::get<gateway::HttpRoute>((*served)->route).rules[0].matches[0].path == "/changed");
  return cost;
}

} // namespace

TEST_CASE(
    "one changed route costs the same turns and a bounded number of bytes, of 100 or 10,000") {
  // The actors that take part: storage, catalog, the route's, root, its gateway's, status, proxy.
  constexpr std::size_t turns_max = 24;
  constexpr std::size_t snapshot_bytes_max = 16'384;
  auto few = change_one_of(100);
  auto many = change_one_of(10'000);
  CHECK(few.turns == many.turns);
  CHECK(many.turns <= turns_max);
  CHECK(few.snapshot_bytes <= snapshot_bytes_max);
  CHECK(many.snapshot_bytes <= snapshot_bytes_max);
  CHECK(many.snapshot_bytes > 0);
}
