// links: strait_api
#include "tests/integration/http_api_fixture.hpp"

using namespace strait;
using test::HttpApiFixture;

namespace {

constexpr const char* first_registration =
    R"({"Node":"n1","Address":"10.0.0.1","TaggedAddresses":{"lan":"10.0.0.1"},
        "NodeMeta":{"os":"linux"},
        "Service":{"ID":"web-1","Service":"web","Tags":["v1","primary"],"Address":"10.0.0.2",
          "Port":8080,"Meta":{"k":"v"},
          "TaggedAddresses":{"lan":{"Address":"10.0.0.2","Port":8080}},
          "Weights":{"Passing":3,"Warning":1}},
        "Checks":[{"Node":"n1","CheckID":"service:web-1","Name":"web check","Status":"passing",
            "Notes":"a note","Output":"ok","ServiceID":"web-1",
            "Definition":{"HTTP":"http://10.0.0.2:8080/h","Method":"GET","Header":{"X":["y"]},
              "Interval":"10s","Timeout":"5s","DeregisterCriticalServiceAfter":"1m30s"}},
          {"Node":"n1","CheckID":"nodecheck","Name":"node check","Status":"passing"}]})";
constexpr const char* second_registration =
    R"({"Node":"n2","Address":"10.0.0.3","Service":{"Service":"web","Port":0}})";

/// What Consul 1.20.5 answered after the two registrations, with the indexes that they have here.
struct Recorded {
  const char *path, *body;
};
constexpr Recorded recorded[] = {
    {"/v1/catalog/service/web",
     R"([{"ID":"","Node":"n1","Address":"10.0.0.1","Datacenter":"api1","TaggedAddresses")"
     R"(:{"lan":"10.0.0.1"},"NodeMeta":{"os":"linux"},"ServiceKind":"","ServiceID":"web-)"
     R"(1","ServiceName":"web","ServiceTags":["v1","primary"],"ServiceAddress":"10.0.0.2)"
     R"(","ServiceTaggedAddresses":{"lan":{"Address":"10.0.0.2","Port":8080}},"ServiceWe)"
     R"(ights":{"Passing":3,"Warning":1},"ServiceMeta":{"k":"v"},"ServicePort":8080,"Ser)"
     R"(viceSocketPath":"","ServiceEnableTagOverride":false,"ServiceProxy":{"Mode":"","M)"
     R"(eshGateway":{},"Expose":{}},"ServiceConnect":{},"ServiceLocality":null,"CreateIn)"
     R"(dex":1,"ModifyIndex":1},{"ID":"","Node":"n2","Address":"10.0.0.3","Datacenter":")"
     R"(api1","TaggedAddresses":null,"NodeMeta":null,"ServiceKind":"","ServiceID":"web",)"
     R"("ServiceName":"web","ServiceTags":[],"ServiceAddress":"","ServiceWeights":{"Pass)"
     R"(ing":1,"Warning":1},"ServiceMeta":{},"ServicePort":0,"ServiceSocketPath":"","Ser)"
     R"(viceEnableTagOverride":false,"ServiceProxy":{"Mode":"","MeshGateway":{},"Expose")"
     R"(:{}},"ServiceConnect":{},"ServiceLocality":null,"CreateIndex":2,"ModifyIndex":2})"
     R"(])"},
    {"/v1/catalog/node/n1",
     R"({"Node":{"ID":"","Node":"n1","Address":"10.0.0.1","Datacenter":"api1","TaggedAdd)"
     R"(resses":{"lan":"10.0.0.1"},"Meta":{"os":"linux"},"CreateIndex":1,"ModifyIndex":1)"
     R"(},"Services":{"web-1":{"ID":"web-1","Service":"web","Tags":["v1","primary"],"Add)"
     R"(ress":"10.0.0.2","TaggedAddresses":{"lan":{"Address":"10.0.0.2","Port":8080}},"M)"
     R"(eta":{"k":"v"},"Port":8080,"Weights":{"Passing":3,"Warning":1},"EnableTagOverrid)"
     R"(e":false,"Proxy":{"Mode":"","MeshGateway":{},"Expose":{}},"Connect":{},"PeerName)"
     R"(":"","CreateIndex":1,"ModifyIndex":1}}})"},
    {"/v1/catalog/node-services/n1",
     R"({"Node":{"ID":"","Node":"n1","Address":"10.0.0.1","Datacenter":"api1","TaggedAdd)"
     R"(resses":{"lan":"10.0.0.1"},"Meta":{"os":"linux"},"CreateIndex":1,"ModifyIndex":1)"
     R"(},"Services":[{"ID":"web-1","Service":"web","Tags":["v1","primary"],"Address":"1)"
     R"(0.0.0.2","TaggedAddresses":{"lan":{"Address":"10.0.0.2","Port":8080}},"Meta":{"k)"
     R"(":"v"},"Port":8080,"Weights":{"Passing":3,"Warning":1},"EnableTagOverride":false)"
     R"(,"Proxy":{"Mode":"","MeshGateway":{},"Expose":{}},"Connect":{},"PeerName":"","Cr)"
     R"(eateIndex":1,"ModifyIndex":1}]})"},
    {"/v1/health/service/web",
     R"([{"Node":{"ID":"","Node":"n1","Address":"10.0.0.1","Datacenter":"api1","TaggedAd)"
     R"(dresses":{"lan":"10.0.0.1"},"Meta":{"os":"linux"},"CreateIndex":1,"ModifyIndex":)"
     R"(1},"Service":{"ID":"web-1","Service":"web","Tags":["v1","primary"],"Address":"10)"
     R"(.0.0.2","TaggedAddresses":{"lan":{"Address":"10.0.0.2","Port":8080}},"Meta":{"k")"
     R"(:"v"},"Port":8080,"Weights":{"Passing":3,"Warning":1},"EnableTagOverride":false,)"
     R"("Proxy":{"Mode":"","MeshGateway":{},"Expose":{}},"Connect":{},"PeerName":"","Cre)"
     R"(ateIndex":1,"ModifyIndex":1},"Checks":[{"Node":"n1","CheckID":"nodecheck","Name")"
     R"(:"node check","Status":"passing","Notes":"","Output":"","ServiceID":"","ServiceN)"
     R"(ame":"","ServiceTags":[],"Type":"","Interval":"","Timeout":"","ExposedPort":0,"D)"
     R"(efinition":{},"CreateIndex":1,"ModifyIndex":1},{"Node":"n1","CheckID":"service:w)"
     R"(eb-1","Name":"web check","Status":"passing","Notes":"a note","Output":"ok","Serv)"
     R"(iceID":"web-1","ServiceName":"web","ServiceTags":["v1","primary"],"Type":"http",)"
     R"("Interval":"","Timeout":"","ExposedPort":0,"Definition":{"Interval":"10s","Timeo)"
     R"(ut":"5s","DeregisterCriticalServiceAfter":"1m30s","HTTP":"http://10.0.0.2:8080/h)"
     R"(","Header":{"X":["y"]},"Method":"GET"},"CreateIndex":1,"ModifyIndex":1}]},{"Node)"
     R"(":{"ID":"","Node":"n2","Address":"10.0.0.3","Datacenter":"api1","TaggedAddresses)"
     R"(":null,"Meta":null,"CreateIndex":2,"ModifyIndex":2},"Service":{"ID":"web","Servi)"
     R"(ce":"web","Tags":[],"Address":"","Meta":null,"Weights":{"Passing":1,"Warning":1})"
     R"(,"EnableTagOverride":false,"Proxy":{"Mode":"","MeshGateway":{},"Expose":{}},"Con)"
     R"(nect":{},"PeerName":"","CreateIndex":2,"ModifyIndex":2},"Checks":[]}])"},
    {"/v1/health/node/n1",
     R"([{"Node":"n1","CheckID":"nodecheck","Name":"node check","Status":"passing","Note)"
     R"(s":"","Output":"","ServiceID":"","ServiceName":"","ServiceTags":[],"Type":"","In)"
     R"(terval":"","Timeout":"","ExposedPort":0,"Definition":{},"CreateIndex":1,"ModifyI)"
     R"(ndex":1},{"Node":"n1","CheckID":"service:web-1","Name":"web check","Status":"pas)"
     R"(sing","Notes":"a note","Output":"ok","ServiceID":"web-1","ServiceName":"web","Se)"
     R"(rviceTags":["v1","primary"],"Type":"http","Interval":"","Timeout":"","ExposedPor)"
     R"(t":0,"Definition":{"Interval":"10s","Timeout":"5s","DeregisterCriticalServiceAft)"
     R"(er":"1m30s","HTTP":"http://10.0.0.2:8080/h","Header":{"X":["y"]},"Method":"GET"})"
     R"(,"CreateIndex":1,"ModifyIndex":1}])"},
    {"/v1/health/checks/web",
     R"([{"Node":"n1","CheckID":"service:web-1","Name":"web check","Status":"passing","N)"
     R"(otes":"a note","Output":"ok","ServiceID":"web-1","ServiceName":"web","ServiceTag)"
     R"(s":["v1","primary"],"Type":"http","Interval":"","Timeout":"","ExposedPort":0,"De)"
     R"(finition":{"Interval":"10s","Timeout":"5s","DeregisterCriticalServiceAfter":"1m3)"
     R"(0s","HTTP":"http://10.0.0.2:8080/h","Header":{"X":["y"]},"Method":"GET"},"Create)"
     R"(Index":1,"ModifyIndex":1}])"},
    {"/v1/catalog/node/nope", R"(null)"},
    {"/v1/catalog/node-services/nope", R"({"Node":null,"Services":null})"},
    {"/v1/health/service/nope", R"([])"},
    {"/v1/catalog/service/nope", R"([])"},
    {"/v1/health/node/nope", R"([])"},
    {"/v1/health/state/bogus", R"([])"},
};

struct Registered : HttpApiFixture {
  Registered() : HttpApiFixture{"api1"} {
    REQUIRE(put("/v1/catalog/register", first_registration).body == "true");
    REQUIRE(put("/v1/catalog/register", second_registration).body == "true");
  }
};

} // namespace

TEST_CASE("the catalog is answered byte for byte as a real Consul answers it") {
  Registered world;
  for (auto& [path, body] : recorded) {
    INFO(path);
    auto response = world.get(path);
    CHECK(response.status == 200);
    CHECK(response.body == body);
    CHECK(response.fields.get("Content-Type") == "application/json");
  }
}

TEST_CASE("reads carry the header fields that clients look for") {
  Registered world;
  auto response = world.get("/v1/health/service/web");
  CHECK(response.fields.get("X-Consul-Index") == "2");
  CHECK(response.fields.get("X-Consul-KnownLeader") == "true");
  CHECK(response.fields.get("X-Consul-LastContact") == "0");
  CHECK(response.fields.get("X-Consul-Effective-Consistency") == "leader");
  CHECK(response.fields.get("X-Consul-Query-Backend") == "blocking-query");
  CHECK(response.fields.get("X-Consul-Default-ACL-Policy") == "allow");
  CHECK(world.get("/v1/catalog/nodes?stale").fields.get("X-Consul-Effective-Consistency") ==
        "stale");
}

TEST_CASE("queries pick instances by health, tag, metadata of the node, peer and filter") {
  Registered world;
  world.put("/v1/catalog/register",
            R"({"Node":"n2","Address":"10.0.0.3","Check":{"Name":"bad","Status":"critical"}})");
  auto instances = [&](const std::string& query) {
    auto body = world.get("/v1/health/service/web?" + query).body;
    int count = 0;
    for (auto at = body.find("\"Service\":{"); at != std::string::npos;
         at = body.find("\"Service\":{", at + 1))
      ++count;
    return count;
  };
  CHECK(instances("") == 2);
  CHECK(instances("passing") == 1);
  CHECK(instances("passing=1") == 1);
  CHECK(instances("passing=false") == 2);
  CHECK(instances("tag=v1") == 1);
  CHECK(instances("tag=V1&tag=primary") == 1);
  CHECK(instances("tag=v1&tag=zzz") == 0);
  CHECK(instances("node-meta=os:linux") == 1);
  CHECK(instances("node-meta=os:linux&node-meta=a:b") == 0);
  CHECK(instances("near=_agent") == 2);
  CHECK(instances("peer=dc2") == 0);
  CHECK(instances("filter=Service.Meta.k%20%3D%3D%20v") == 1);
  CHECK(instances("filter=Checks.Status==critical") == 1);
  CHECK(world.get("/v1/catalog/services").body == R"({"web":["primary","v1"]})");
  CHECK(world.get("/v1/catalog/services?node-meta=os:linux").body == R"({"web":["primary","v1"]})");
  CHECK(world.get("/v1/catalog/services?filter=ServicePort==0").body == R"({"web":[]})");
  CHECK(world.get("/v1/catalog/nodes?filter=Meta.os==linux").body.find("\"n2\"") ==
        std::string::npos);
  CHECK(world.get("/v1/health/service/web?passing&pretty")
            .body.starts_with("[\n    {\n        \"Node\": {\n            \"ID\": \"\","));
}

TEST_CASE("services that were imported are listed only for their peer") {
  HttpApiFixture world;
  catalog::Import import{.peer = "dc2", .service = "api"};
  import.instances.push_back(
      {{.peer = "dc2", .name = "far", .address = "10.9.0.1", .datacenter = "dc2"},
       {.peer = "dc2", .node = "far", .id = "api-1", .service = "api", .port = 80},
       {}});
  catalog::WritePeering peering{.peering = {.name = "dc2", .id = "an-id"}};
  auto proxies = import; // How to reach it: no service of its own.
  proxies.service = proxies.instances[0].instance.service = "api-sidecar-proxy";
  proxies.instances[0].instance.id = "api-sidecar-proxy-1";
  proxies.instances[0].instance.service_kind = "connect-proxy";
  for (auto& command :
       {catalog::Command{peering}, catalog::Command{import}, catalog::Command{proxies}}) {
    auto applied = world.ask<actors::Applied>(world.catalog, actors::apply_atom::value, command);
    INFO((applied.revision ? "" : applied.revision.error().detail));
    REQUIRE(applied.revision);
  }
  CHECK(world.get("/v1/catalog/services").body == "{}");
  CHECK(world.get("/v1/catalog/services?peer=dc2").body == R"({"api":[],"api-sidecar-proxy":[]})");
  CHECK(world.get("/v1/health/service/api").body == "[]");
  auto body = world.get("/v1/health/service/api?peer=DC2").body;
  CHECK(body.find(R"("PeerName":"dc2")") != std::string::npos);
  CHECK(body.find(R"("Datacenter":"dc2")") != std::string::npos);
  CHECK(world.get("/v1/imported-services").body == R"([{"Service":"api","SourcePeer":"dc2"}])");
}
