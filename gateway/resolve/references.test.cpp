#include "gateway/resolve/references.hpp"

#include "gateway/resolve/listener_checks.hpp"
#include "gateway/resolve/plan.hpp"
#include "gateway/resolve/test_catalog.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::gateway::resolve;

namespace {

const Referrer route{gateway_group, "HTTPRoute", "default"};

bool permits(const model::ReferenceGrant& grant, const Referrer& from, const Referent& to) {
  TestCatalog catalog;
  catalog.put(grant);
  return permitted(catalog.view(), from, to);
}

} // namespace

TEST_CASE("within a namespace no grant is needed, across one is") {
  TestCatalog catalog;
  CHECK(permitted(catalog.view(), route, {"", "Service", "default", "web"}));
  CHECK_FALSE(permitted(catalog.view(), route, {"", "Service", "shop", "web"}));
}

TEST_CASE("a grant must fit in group, kind and namespace of both ends, and in the name it gives") {
  auto grant = grant_in("shop");
  grant.to = {{"", "Service", "web"}, {"consul.hashicorp.com", "MeshService", ""}};
  CHECK(permits(grant, route, {"", "Service", "shop", "web"}));
  CHECK_FALSE(permits(grant, route, {"", "Service", "shop", "api"}));
  CHECK_FALSE(permits(grant, route, {"", "Secret", "shop", "web"}));
  CHECK_FALSE(permits(grant, route, {"example.com", "Service", "shop", "web"}));
  CHECK(permits(grant, route, {"consul.hashicorp.com", "MeshService", "shop", "anything"}));
  CHECK_FALSE(permits(grant, {gateway_group, "HTTPRoute", "team"}, {"", "Service", "shop", "web"}));
  CHECK_FALSE(
      permits(grant, {gateway_group, "TCPRoute", "default"}, {"", "Service", "shop", "web"}));
  CHECK_FALSE(
      permits(grant, {"example.com", "HTTPRoute", "default"}, {"", "Service", "shop", "web"}));
}

TEST_CASE("a grant counts in its own namespace only, and several add up") {
  TestCatalog catalog;
  catalog.put(grant_in("shop"));
  catalog.put(grant_in("shops"));
  CHECK_FALSE(permitted(catalog.view(), route, {"", "Service", "sho", "web"}));
  CHECK_FALSE(permitted(catalog.view(), route, {"", "Service", "team", "web"}));
  auto second = named<model::ReferenceGrant>("shop", "second");
  second.from = {{"gateway.networking.k8s.io", "TCPRoute", "default"}};
  second.to = {{"", "Service", "db"}};
  catalog.put(second);
  CHECK(permitted(catalog.view(), {gateway_group, "TCPRoute", "default"},
                  {"", "Service", "shop", "db"}));
  CHECK(permitted(catalog.view(), route, {"", "Service", "shop", "db"}));
  catalog.remove(model::Kind::reference_grant, {"shop", "let-in"});
  CHECK_FALSE(permitted(catalog.view(), route, {"", "Service", "shop", "db"}));
}

TEST_CASE("of each pair of hostnames the more specific one is served") {
  using Names = std::vector<std::string>;
  CHECK(intersect("", {}).matches);
  CHECK(intersect("", {}).hostnames.empty());
  CHECK(intersect("A.Example.com", {}).hostnames == Names{"a.example.com"});
  CHECK(intersect("", {"b", "a", "b"}).hostnames == Names{"a", "b"});
  CHECK(intersect("*.example.com", {"a.b.example.com", "example.com", "x.org"}).hostnames ==
        Names{"a.b.example.com"});
  CHECK(intersect("*.example.com", {"*.a.example.com", "*.com"}).hostnames ==
        Names{"*.a.example.com", "*.example.com"});
  CHECK(intersect("a.example.com", {"*.example.com", "*.com"}).hostnames == Names{"a.example.com"});
  CHECK_FALSE(intersect("*.example.com", {"example.com"}).matches);
  CHECK_FALSE(intersect("*.example.com", {"badexample.com"}).matches);
  CHECK_FALSE(intersect("a.example.com", {"b.example.com"}).matches);
}

TEST_CASE("only privileged ports are moved, and only to ports") {
  CHECK(container_port(80, 2000) == 2080);
  CHECK(container_port(1024, 2000) == 3024);
  CHECK(container_port(1025, 2000) == 1025);
  CHECK(container_port(80, 0) == 80);
  CHECK_FALSE(container_port(1024, 65535 - 1023));
  CHECK(container_port(1023, 65535 - 1023) == 65535);
}

TEST_CASE("listeners of one port and hostname conflict, in whatever case; TCP has no hostnames") {
  TestCatalog catalog;
  catalog.put(gateway_class(model::strait_controller));
  auto gateway = http_gateway();
  gateway.listeners = {{.name = "a", .hostname = "A.org", .port = 80, .protocol = "HTTP"},
                       {.name = "b", .hostname = "a.org", .port = 80, .protocol = "HTTP"},
                       {.name = "c", .hostname = "c.org", .port = 80, .protocol = "HTTP"},
                       {.name = "t", .port = 90, .protocol = "TCP"},
                       {.name = "u", .port = 90, .protocol = "TCP"}};
  catalog.put(gateway);
  auto plan = plan_gateway(catalog.view(), {"default", "edge"}, {});
  auto reason = [&](std::size_t i) { return plan.listeners.at(i).conditions.at(1).reason; };
  CHECK(reason(0) == model::Reason::hostname_conflict);
  CHECK(reason(1) == model::Reason::hostname_conflict);
  CHECK(reason(2) == model::Reason::no_conflicts);
  CHECK(reason(3) == model::Reason::protocol_conflict);
  CHECK(reason(4) == model::Reason::protocol_conflict);
  CHECK(plan.listeners[2].programmed);
  CHECK(plan.serves);
}

TEST_CASE("two filters of one type in a rule are refused, not merged") {
  TestCatalog catalog;
  catalog.put(service("default", "web"));
  auto route_to = http_route("web", {"web"});
  route_to.rules[0].filters = {model::RequestHeaderModifier{}, model::ResponseHeaderModifier{}};
  catalog.put(route_to);
  model::ObjectKey key{model::Kind::http_route, {"default", "web"}};
  CHECK_FALSE(resolve_route(catalog.view(), key)->refused);
  route_to.rules[0].filters.emplace_back(model::RequestHeaderModifier{});
  catalog.put(route_to);
  auto refused = resolve_route(catalog.view(), key)->refused;
  REQUIRE(refused);
  CHECK(refused->reason == model::Reason::incompatible_filters);
  CHECK(refused->message == "spec.rules[0].filters[2]: of the same type as filters[0]");
}
