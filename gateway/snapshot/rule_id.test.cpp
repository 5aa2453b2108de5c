#include "gateway/snapshot/rule_id.hpp"

#include "gateway/snapshot/field_changes.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace strait;
using namespace strait::gateway;

namespace {

std::uint64_t id_of(const BoundRoute& route) {
  const auto& http = std::get<HttpRoute>(route.route);
  return rule_id(route, http, http.rules[0]);
}

} // namespace

TEST_CASE("a rule keeps its id while it says the same, and has another when any field changes") {
  const auto full = test::full_rule();
  std::set<std::uint64_t> ids{id_of(test::route_of(full))};
  CHECK_FALSE(ids.insert(id_of(test::route_of(test::full_rule()))).second);
  for (const auto& [field, change] : test::rule_changes()) {
    auto changed = full;
    change(changed);
    INFO(field);
    CHECK(ids.insert(id_of(test::route_of(changed))).second);
  }
  auto route = test::route_of(full);
  route.id = "HTTPRoute default/other";
  CHECK(ids.insert(id_of(route)).second);
  std::get<HttpRoute>(route.route).grpc = true;
  CHECK(ids.insert(id_of(route)).second);
  // What is not the rule's own.
  const auto before = id_of(route);
  std::get<HttpRoute>(route.route).hostnames.clear();
  route.created = WallTime{Millis{9}};
  CHECK(id_of(route) == before);
}
