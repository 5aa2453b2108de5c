// links: strait_api
#include "tests/integration/http_api_fixture.hpp"

using namespace strait;
using test::HttpApiFixture;

namespace {
constexpr const char* route = R"(apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: default}
spec:
  parentRefs: [{name: edge}]
  rules:
  - backendRefs: [{name: web, port: 80}]
)";
constexpr const char* secret = R"(---
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: default}
data: {tls.key: c2VjcmV0}
)";
bool has(const net::HttpResponse& response, std::string_view text) {
  return response.body.find(text) != std::string::npos;
}
} // namespace

TEST_CASE("a config entry is written by compare-and-set, read, listed and deleted") {
  HttpApiFixture world;
  auto entry = [](const char* peer) {
    return std::string{R"({"Kind":"exported-services","Name":"default","Services":[)"} +
           R"({"Name":"web","Consumers":[{"Peer":")" + peer + R"("}]}]})";
  };
  CHECK(world.put("/v1/config", entry("dc2")).body == "true");
  CHECK(world.put("/v1/config?cas=0", entry("dc3")).body == "false");
  CHECK(world.put("/v1/config?cas=1", entry("dc3")).body == "true");
  CHECK(world.get("/v1/config/exported-services/default").body ==
        R"({"Kind":"exported-services","Name":"default","Services":[{"Name":"web",)"
        R"("Consumers":[{"Peer":"dc3"}]}],"CreateIndex":1,"ModifyIndex":2})");
  CHECK(world.get("/v1/config/exported-services").body.starts_with("[{\"Kind\""));
  CHECK(world.get("/v1/config/proxy-defaults").body == "[]");
  CHECK(world.get("/v1/exported-services").body ==
        R"([{"Service":"web","Consumers":{"Peers":["dc3"]}}])");
  CHECK(world.del("/v1/config/exported-services/default?cas=1").body == "false");
  CHECK(world.del("/v1/config/exported-services/default?cas=2").body == "true");
  CHECK(world.del("/v1/config/exported-services/default").body == "{}");
  auto gone = world.get("/v1/config/exported-services/default");
  CHECK(gone.status == 404);
  CHECK(gone.body == R"(Config entry not found for "exported-services" / "default")");
}

TEST_CASE("a service-resolver is a config entry and the object of its name in namespace default") {
  HttpApiFixture world;
  CHECK(world
            .put("/v1/config", R"({"kind":"service-resolver","name":"web","failover":{"*":{
                                   "targets":[{"peer":"dc2"},{"service":"spare"}]}}})")
            .body == "true");
  const std::string entry =
      R"({"Kind":"service-resolver","Name":"web","Failover":{"*":{"Targets":[{"Peer":"dc2"},)"
      R"({"Service":"spare"}]}},"CreateIndex":1,"ModifyIndex":1})";
  CHECK(world.get("/v1/config/service-resolver/web").body == entry);
  CHECK(world.get("/v1/config/service-resolver").body == "[" + entry + "]");
  CHECK(has(world.get("/strait/v1/objects/ServiceResolver/default/web"),
            R"("failover":{"*":{"targets":[{"peer":"dc2"},{"service":"spare"}]}})"));
  auto refused = world.put("/v1/config", R"({"Kind":"service-resolver","Name":"web",
                                             "Redirect":{"Service":"other"}})");
  CHECK(refused.status == 400);
  CHECK(has(refused, "redirect: not implemented; Strait takes Failover"));
  CHECK(world.del("/v1/config/service-resolver/web").body == "{}");
  CHECK(world.get("/v1/config/service-resolver/web").status == 404);
  CHECK(world.get("/v1/config/mesh/mesh").status == 404);
}

TEST_CASE("an agent's services and checks are registered, reported on, judged and removed") {
  HttpApiFixture world;
  CHECK(world
            .put("/v1/agent/service/register",
                 R"({"Name":"web","Port":80,"Tags":["a"],"Check":{"TTL":"30s"},
                      "Checks":[{"Name":"tcp","TCP":"127.0.0.1:1","Interval":"10s"}]})")
            .status == 200);
  CHECK(world.get("/v1/agent/services").body ==
        R"({"web":{"ID":"web","Service":"web","Tags":["a"],"Meta":{},"Port":80,"Address":"",)"
        R"("Weights":{"Passing":1,"Warning":1},"EnableTagOverride":false,"Datacenter":"dc1"}})");
  CHECK(has(world.get("/v1/catalog/node/agent"), R"("consul-version":"0.1.0")"));
  auto health = world.get("/v1/agent/health/service/id/web");
  CHECK(health.status == 503);
  CHECK(health.fields.get("X-Consul-Reason") == "critical");
  CHECK(world.put("/v1/agent/check/pass/service:web:1?note=fine").status == 200);
  CHECK(has(world.get("/v1/agent/checks"), R"("Status":"passing","Notes":"","Output":"fine")"));

  SECTION("registering anew keeps what is known of its checks, and others if not replaced") {
    world.put("/v1/agent/service/register",
              R"({"Name":"web","Check":{"CheckID":"service:web:1","TTL":"30s"}})");
    CHECK(has(world.get("/v1/agent/checks"), R"("Output":"fine")"));
    CHECK(has(world.get("/v1/agent/checks"), "service:web:2"));
    world.put("/v1/agent/service/register?replace-existing-checks",
              R"({"Name":"web","Check":{"CheckID":"service:web:1","TTL":"30s"}})");
    CHECK(!has(world.get("/v1/agent/checks"), "service:web:2"));
    CHECK(world.get("/v1/agent/health/service/name/web?format=text").body == "passing");
    CHECK(
        world.put("/v1/agent/check/update/service:web:1", R"({"Status":"warning","Output":"slow"})")
            .status == 200);
    CHECK(world.get("/v1/agent/health/service/id/web").status == 429);
  }
  SECTION("removing it takes its checks along") {
    CHECK(world.put("/v1/agent/service/deregister/web").status == 200);
    CHECK(world.get("/v1/agent/services").body == "{}");
    CHECK(world.get("/v1/agent/checks").body == "{}");
  }
  SECTION("a check of its own is registered and removed") {
    CHECK(world.put("/v1/agent/check/register", R"({"Name":"mem","TTL":"15s"})").status == 200);
    CHECK(has(world.get("/v1/health/node/agent"), R"("CheckID":"mem")"));
    CHECK(world.put("/v1/agent/check/deregister/mem").status == 200);
    CHECK(!has(world.get("/v1/health/node/agent"), R"("CheckID":"mem")"));
  }
}

TEST_CASE("documents are applied, shown with what became of each, and deleted") {
  HttpApiFixture world;
  auto first = world.post("/strait/v1/apply", std::string{route} + secret);
  CHECK(first.status == 200);
  CHECK(first.body == R"({"results":[{"kind":"HTTPRoute","namespace":"default","name":"web",)"
                      R"("result":"created","revision":1},{"kind":"Secret","namespace":"default",)"
                      R"("name":"key","result":"created","revision":2}]})");
  auto again = world.post("/strait/v1/apply", std::string{route} + secret);
  CHECK(has(again, R"("name":"web","result":"unchanged")"));
  std::string changed = route;
  changed.replace(changed.find("80"), 2, "81");
  CHECK(has(world.post("/strait/v1/apply", changed), R"("result":"configured","revision":3)"));

  auto json = world.get("/strait/v1/objects/httproute/default/web");
  CHECK(has(json, R"("kind":"HTTPRoute")"));
  CHECK(has(json, R"("port":81)"));
  CHECK(has(world.get("/strait/v1/objects/HTTPRoute?format=yaml"), "kind: List"));
  CHECK(has(world.get("/strait/v1/objects/HTTPRoute/default"), R"("name":"web")"));
  CHECK(!has(world.get("/strait/v1/objects/HTTPRoute/other"), R"("name":"web")"));
  CHECK(world.get("/strait/v1/objects/HTTPRoute/default/none").status == 404);

  CHECK(world.del("/strait/v1/objects/HTTPRoute/default/web").status == 200);
  CHECK(world.del("/strait/v1/objects/HTTPRoute/default/web").status == 404);
  auto removed = world.post("/strait/v1/delete", std::string{route} + secret);
  CHECK(has(removed, R"("name":"web","result":"not-found")"));
  CHECK(has(removed, R"("name":"key","result":"deleted")"));
}

TEST_CASE("secrets are not shown to whoever asks") {
  HttpApiFixture world;
  world.post("/strait/v1/apply", secret);
  auto shown = world.get("/strait/v1/objects/Secret/default/key");
  CHECK(has(shown, "tls.key"));
  CHECK(!has(shown, "c2VjcmV0"));
  CHECK(has(shown, "strait.dev/redacted"));
}

TEST_CASE("one bad document refuses all, and every error is told") {
  HttpApiFixture world;
  auto refused = world.post("/strait/v1/apply", std::string{route} + R"(---
kind: Nonsense
apiVersion: v1
metadata: {name: x}
---
apiVersion: v1
kind: Namespace
metadata: {name: UPPER}
)");
  CHECK(refused.status == 400);
  CHECK(has(refused, "Nonsense"));
  CHECK(has(refused, "UPPER"));
  CHECK(world.views->load()->revision == 0);

  CHECK(has(world.post("/strait/v1/apply?dry-run", route), R"("result":"valid")"));
  CHECK(world.views->load()->revision == 0);
  CHECK(world.post("/strait/v1/apply", "").status == 400);
  CHECK(has(world.post("/strait/v1/apply", std::string{route} + "---\n" + route), "stands twice"));
  auto as_json = world.send({"POST",
                             "/strait/v1/apply",
                             {{"Content-Type", "application/json"}},
                             R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"j"}})"});
  world.settle();
  REQUIRE(as_json->response);
  CHECK(has(*as_json->response, R"("kind":"Namespace","name":"j","result":"created")"));
  CHECK(has(world.get("/strait/v1/objects/Namespace/-/j"), R"("name":"j")"));
}

TEST_CASE("metrics count requests by endpoint, and show what the catalog holds") {
  HttpApiFixture world;
  world.register_service("web");
  world.get("/v1/health/service/web");
  world.exchange({"BREW", "/v1/health/service/web"});
  world.get("/nothing/here");
  auto text = world.get("/metrics");
  CHECK(text.fields.get("Content-Type").starts_with("text/plain; version=0.0.4"));
  for (auto* line :
       {"strait_catalog_revision 1", "strait_catalog_records{kind=\"ServiceInstance\"} 1",
        "strait_catalog_checks{status=\"passing\"} 1"}) {
    INFO(line);
    CHECK(has(text, line));
  }
  CHECK(has(text, "endpoint=\"/v1/health/service/:service\""));
  CHECK(has(text, "endpoint=\"unknown\""));
  CHECK(has(text, "method=\"other\""));
  CHECK(!has(text, "BREW"));
  CHECK(has(world.get("/v1/agent/metrics?format=prometheus"), "strait_catalog_revision 1"));
  CHECK(has(world.get("/v1/agent/metrics"), R"("Name":"strait_catalog_revision","Value":1)"));
  CHECK(world.get("/v1/agent/metrics?format=bogus").status == 400);
}

TEST_CASE("gateways are listed with their proxies and what these serve") {
  HttpApiFixture world;
  CHECK(world.get("/strait/v1/gateways").body == R"({"gateways":[]})");
  world.post("/strait/v1/apply", R"(apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec:
  gatewayClassName: strait
  listeners: [{name: http, port: 8080, protocol: HTTP}]
)");
  auto body = world.get("/strait/v1/gateways/default/edge").body;
  CHECK(body.find(R"("listeners":[{"name":"http","protocol":"HTTP","port":8080}])") !=
        std::string::npos);
  CHECK(body.find(R"("epoch":7,"proxies":[{"id":"proxy-of-edge","sentEpoch":7,"servedEpoch":6,)"
                  R"("current":false,"errors":["port taken"]}])") != std::string::npos);
  CHECK(has(world.get("/metrics"),
            R"(strait_proxy_served_epoch{gateway="default/edge",proxy="proxy-of-edge"} 6)"));
  CHECK(world.get("/strait/v1/gateways/default/none").status == 404);
  CHECK(body.find("fedAt") == std::string::npos);
  world.fed_at = "10.0.0.2:8504";
  CHECK(has(world.get("/strait/v1/gateways/default/edge"), R"("fedAt":"10.0.0.2:8504"})"));
}
