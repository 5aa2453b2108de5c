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

/// A gateway without routes.
void begin(Datacenter& datacenter) {
  model::GatewayClass gateway_class;
  gateway_class.meta.name = {"", "strait"};
  gateway_class.controller_name = model::strait_controller;
  datacenter.write(catalog::Put{gateway_class, {}});
  model::Gateway gateway;
  gateway.meta.name = {"default", "edge"};
  gateway.class_name = "strait";
  gateway.listeners.push_back({.name = "http", .port = 8000, .protocol = "HTTP"});
  datacenter.write(catalog::Put{gateway, {}});
}

model::Service service(const std::string& name) {
  model::Service service;
  service.meta.name = {"default", name};
  service.ports.push_back({.name = "http", .port = 80});
  return service;
}

/// What changing one route costs where `routes` exist.
Cost change_one_of(std::size_t routes) {
  Datacenter datacenter{1, {}};
  begin(datacenter);
  datacenter.write(catalog::Put{service("web"), {}});
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

/// How many turns it takes until one of `services`, each with a route of its own, has a stand-in.
std::size_t turns_to_resolve_one_of(std::size_t services) {
  Datacenter datacenter{1, {}};
  begin(datacenter);
  for (std::size_t i = 0; i < services; ++i) {
    auto name = "web-" + std::to_string(i);
    datacenter.write(catalog::Put{service(name), {}});
    auto to = route(i, "/");
    to.rules[0].backends[0].name = name;
    datacenter.write(catalog::Put{to, {}});
    model::ServiceResolver resolver;
    resolver.meta.name = {"default", name};
    datacenter.write(catalog::Put{resolver, {}});
  }
  datacenter.quiet();
  model::ServiceResolver resolver;
  resolver.meta.name = {"default", "web-7"};
  resolver.failover = {{"web-8", "", ""}};
  datacenter.write(catalog::Put{resolver, {}});
  auto turns = datacenter.fixture.settle();
  auto& config = datacenter.recorder.snapshots.at({"default", "edge"})->config;
  REQUIRE(config.clusters.size() == services);
  CHECK((*config.clusters.find("service/default/web-7/80"))->failover ==
        std::vector<std::string>{"service/default/web-8/80"});
  return turns;
}

} // namespace

TEST_CASE("one changed ServiceResolver costs the same turns, of 10 or 1,000") {
  // Storage, catalog, the service's, the resolver's, root, its gateway's, status, proxy.
  constexpr std::size_t turns_max = 30;
  auto few = turns_to_resolve_one_of(10);
  CHECK(few == turns_to_resolve_one_of(1'000));
  CHECK(few <= turns_max);
}

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
