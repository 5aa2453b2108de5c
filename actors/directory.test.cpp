#include "actors/directory.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::actors;

namespace {
Directory::RoutePtr route_to(std::vector<std::string> gateways) {
  auto route = std::make_shared<gateway::resolve::ResolvedRoute>();
  for (auto& name : gateways)
    route->parents.push_back({.ns = "default", .name = name});
  return route;
}
} // namespace

TEST_CASE("a route's answer goes to the gateways that it names, and null to those it left") {
  Directory directory;
  model::ObjectKey web{model::Kind::http_route, {"default", "web"}};
  model::Name a{"default", "a"}, b{"default", "b"}, c{"default", "c"};
  CHECK(directory.route(web, route_to({"a", "b"})).size() == 2);
  auto tell = directory.route(web, route_to({"b", "c"}));
  CHECK(tell.at(a) == nullptr);
  CHECK(tell.at(b) != nullptr);
  CHECK(tell.at(c) != nullptr);
  CHECK(directory.routes_of(a).empty());
  CHECK(directory.routes_of(c).size() == 1);
  CHECK(directory.route(web, nullptr).at(c) == nullptr);
  CHECK(directory.routes_of(c).empty());
}

TEST_CASE("a cluster's actor lives as long as some gateway uses it") {
  Directory directory;
  model::Name a{"default", "a"}, b{"default", "b"};
  CHECK(directory.use(a, {"x", "y"}).started == std::set<std::string>{"x", "y"});
  auto x = std::make_shared<gateway::Cluster>(gateway::Cluster{.id = "x"});
  CHECK(directory.cluster(x) == std::set{a});
  auto usage = directory.use(b, {"x"});
  CHECK(usage.started.empty());
  CHECK(usage.known.size() == 1);
  CHECK(directory.cluster(x).size() == 2);
  CHECK(directory.use(a, {}).ended == std::set<std::string>{"y"});
  CHECK(directory.use(b, {}).ended == std::set<std::string>{"x"});
  CHECK(directory.cluster(x).empty());
}

TEST_CASE("an actor that keeps failing is restarted ever later, up to a bound") {
  Restarts restarts;
  Instant now{};
  CHECK(restarts.failed(now, now) == Restarts::delay_min);
  CHECK(restarts.failed(now, now) == 2 * Restarts::delay_min);
  for (int i = 0; i < 20; ++i)
    restarts.failed(now, now);
  CHECK(restarts.failed(now, now) == Restarts::delay_max);
  CHECK(restarts.failed(now + Restarts::healthy_after, now) == Restarts::delay_min);
}

TEST_CASE("a route that names a ListenerSet goes to the set's Gateway, wherever that is") {
  Directory directory;
  model::ObjectKey web{model::Kind::http_route, {"default", "web"}};
  model::Name set{"team", "set"}, a{"default", "a"}, b{"default", "b"};
  auto route = std::make_shared<gateway::resolve::ResolvedRoute>();
  route->parents.push_back({.kind = "ListenerSet", .ns = "team", .name = "set"});
  CHECK(directory.route(web, route).empty());
  CHECK(directory.listener_set(set, a).at(web).at(a) == route);
  CHECK(directory.routes_of(a).size() == 1);
  CHECK(directory.listener_set(set, a).empty());
  auto moved = directory.listener_set(set, b).at(web);
  CHECK(moved.at(a) == nullptr);
  CHECK(moved.at(b) == route);
  CHECK(directory.listener_set(set, std::nullopt).at(web).at(b) == nullptr);
  CHECK(directory.routes_of(b).empty());
  CHECK(directory.route(web, nullptr).empty());
  CHECK(directory.listener_set(set, a).empty());
}
