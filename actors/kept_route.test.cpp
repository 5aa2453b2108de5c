#include "actors/kept_route.hpp"

#include "gateway/resolve/test_catalog.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::actors;
using namespace strait::gateway::resolve;

namespace {

ResolvedRoutePtr resolved() {
  TestCatalog catalog;
  catalog.now = WallTime{Millis{1'234}};
  catalog.put(service("shop", "web"));
  catalog.put(grant_in("shop"));
  auto route = http_route("r", {"shop/web"});
  route.hostnames = {"a.example.com"};
  catalog.put(route);
  return resolve_route(catalog.view(), {model::Kind::http_route, {"default", "r"}});
}

} // namespace

TEST_CASE("what is kept of a route comes back as it was") {
  auto kept = resolved();
  REQUIRE_FALSE(kept->granted.empty());
  auto record = to_record({"default", "edge"}, *kept);
  auto back = from_record(record);
  REQUIRE(back);
  CHECK((*back)->route == kept->route);
  CHECK((*back)->generation == kept->generation);
  CHECK((*back)->created == kept->created);
  CHECK((*back)->hostnames == kept->hostnames);
  CHECK((*back)->content == kept->content);
  CHECK((*back)->granted == kept->granted);
  CHECK((*back)->clusters == kept->clusters);
}

TEST_CASE("a record whose content is another route's, or none, is refused") {
  auto record = to_record({"default", "edge"}, *resolved());
  record.route.name.name = "other";
  CHECK(from_record(record).error().code == Errc::corrupt);
  record.content = "no bytes of ours";
  CHECK_FALSE(from_record(record));
}
