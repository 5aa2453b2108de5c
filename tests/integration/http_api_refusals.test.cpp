// links: strait_api
#include "tests/integration/http_api_fixture.hpp"

using namespace strait;
using test::HttpApiFixture;

TEST_CASE("what is wrong is refused with Consul's code and text, and changes nothing") {
  HttpApiFixture world;
  world.register_service("web");
  auto revision = world.views->load()->revision;
  struct Row {
    const char *method, *target, *body;
    int status;
    const char* text;
  };
  for (auto& row : std::initializer_list<Row>{
           {"GET", "/v1/nope", "", 404, "Invalid URL path: not a recognized HTTP API endpoint"},
           {"POST", "/v1/catalog/register", "{}", 405, "method POST not allowed"},
           {"GET", "/v1/catalog/register", "", 405, "method GET not allowed"},
           {"GET", "/v1/catalog/nodes?index=abc", "", 400, "Invalid index"},
           {"GET", "/v1/catalog/nodes?wait=10", "", 400, "Invalid wait time"},
           {"GET", "/v1/catalog/nodes?stale&consistent", "", 400,
            "Cannot specify ?stale with ?consistent, conflicting semantics."},
           {"GET", "/v1/catalog/nodes?partition=foo", "", 400,
            "Invalid query parameter: \"partition\" - Partitions are a Consul Enterprise feature"},
           {"GET", "/v1/catalog/nodes?dc=zz", "", 500, "No path to datacenter"},
           {"GET", "/v1/catalog/nodes?filter=Foo==x", "", 500,
            "Failed to create boolean expression evaluator: Selector \"Foo\" is not valid"},
           {"GET", "/v1/catalog/service/", "", 400, "Missing service name"},
           {"GET", "/v1/catalog/service", "", 400, "Missing service name"},
           {"GET", "/v1/catalog/node/", "", 400, "Missing node name"},
           {"GET", "/v1/health/state/", "", 400, "Missing check state"},
           {"GET", "/v1/health/service/web?passing=bad", "", 400, "Invalid value for ?passing"},
           {"GET", "/v1/catalog/service/web%01x", "", 400, "Invalid URL path"},
           {"PUT", "/v1/catalog/register", "", 400, "Request decode failed: EOF"},
           {"PUT", "/v1/catalog/register", "{}", 500, "Must provide node"},
           {"PUT", "/v1/catalog/register", R"({"Node":"n"})", 500,
            "Must provide address if SkipNodeUpdate is not set"},
           {"PUT", "/v1/catalog/register", R"({"Node":"n","ID":"zz"})", 500, "Bad node ID"},
           {"PUT", "/v1/catalog/register", R"({"Node":"n","Address":"1","Service":{"ID":"x"}})",
            500, "Must provide service name (Service.Service) when service ID is provided"},
           {"PUT", "/v1/catalog/register", R"({"Node":"n","Address":"1","Bogus":1})", 400,
            R"(Request decode failed: json: unknown field "Bogus")"},
           {"PUT", "/v1/catalog/register", R"({"Node":"n","Address":1})", 400,
            "cannot unmarshal number"},
           {"PUT", "/v1/catalog/register", R"({"Datacenter":"dc9","Node":"n","Address":"1"})", 500,
            "No path to datacenter"},
           {"PUT", "/v1/catalog/register",
            R"({"Node":"n","Address":"1","Service":{"Service":"s","PeerName":"dc2"}})", 500,
            "cannot register requests with PeerName in them"},
           {"PUT", "/v1/catalog/deregister", "{}", 500, "Must provide node"},
           {"PUT", "/v1/catalog/deregister", R"({"Node":"n","Foo":1})", 400, "unknown field"},
           {"PUT", "/v1/agent/service/register", R"({"Port":1})", 400, "Missing service name"},
           {"PUT", "/v1/agent/service/deregister/nope", "", 404, "Unknown service ID \"nope\""},
           {"GET", "/v1/agent/service/nope", "", 404, "unknown service ID: nope"},
           {"PUT", "/v1/agent/check/pass/nope", "", 404, "Unknown check ID \"nope\""},
           {"PUT", "/v1/agent/check/register", R"({"Name":"m","ServiceID":"no","TTL":"15s"})", 404,
            "ServiceID \"no\" does not exist"},
           {"GET", "/v1/agent/health/service/id/nope", "", 404, R"("Service":null)"},
           {"GET", "/v1/agent/health/service/name/nope", "", 404, "[]"},
           {"PUT", "/v1/agent/join/1.2.3.4?wan=1", "", 500, "WAN federation is not supported"},
           {"PUT", "/v1/agent/join/1.2.3.4", "", 500, "peering"},
           {"GET", "/v1/agent/members?wan=1", "", 500, "WAN federation is not supported"},
           {"PUT", "/v1/config", R"({"Kind":"nokind","Name":"x"})", 400,
            "Request decoding failed: "},
           {"PUT", "/v1/config?cas=abc", "{}", 500,
            "strconv.ParseUint: parsing \"abc\": invalid syntax"},
           {"GET", "/v1/config/nokind/x", "", 500, "invalid config entry kind: nokind"},
           {"DELETE", "/v1/config/service-intentions", "", 404,
            "Must provide both a kind and name to delete"},
           {"GET", "/v1/peerings", "", 500, "peering must be enabled to use this endpoint"},
           {"GET", "/v1/connect/ca/roots", "", 500, "CA has not finished initializing"},
           {"GET", "/strait/v1/objects/Nonsense", "", 400, "must be one of GatewayClass"},
           {"GET", "/strait/v1/objects/Peering", "", 400, "must be one of"},
           {"GET", "/strait/v1/objects/Gateway?format=xml", "", 400, "must be json or yaml"},
           {"DELETE", "/strait/v1/objects/Gateway/a/b", "", 404, "does not exist"}}) {
    INFO(row.method << " " << row.target << " " << row.body);
    auto response = world.exchange({row.method, row.target, {}, row.body});
    INFO(response.body);
    CHECK(response.status == row.status);
    CHECK(response.body.find(row.text) != std::string::npos);
    CHECK(world.views->load()->revision == revision);
  }
}

TEST_CASE("a method that an endpoint does not have is told the ones it has") {
  HttpApiFixture world;
  CHECK(world.post("/v1/catalog/register", "").fields.get("Allow") == "OPTIONS,PUT");
  auto options = world.exchange({"OPTIONS", "/v1/catalog/register"});
  CHECK(options.status == 200);
  CHECK(options.fields.get("Allow") == "OPTIONS,PUT");
}

TEST_CASE("a body beyond its maximum is refused before it is read") {
  HttpApiFixture world;
  std::string body(512 * 1024 + 1, ' ');
  CHECK(world.put("/v1/catalog/register", body).status == 413);
  body.pop_back();
  CHECK(world.put("/v1/catalog/register", body).status == 400);
  CHECK(world.post("/strait/v1/apply", std::string(8 * 1024 * 1024 + 1, ' ')).status == 413);
  CHECK(world.put("/v1/catalog/register", std::string(500'000, '[')).status == 400);
}
