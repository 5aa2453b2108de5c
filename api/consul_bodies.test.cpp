#include "api/consul_bodies.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace std::chrono_literals;

namespace {

const api::AgentIdentity self{.datacenter = "dc1", .node_name = "agent"};

template <class T>
std::string refusal(const Result<T>& result) {
  return result ? "" : result.error().detail;
}

} // namespace

TEST_CASE("a registration is read with all that Consul's clients put into it") {
  auto body = api::decode_register(R"({"Datacenter":"dc1","node":"n1","Address":"10.0.0.1",
    "TaggedAddresses":{"lan":"10.0.0.1"},"NodeMeta":{"os":"linux"},"SkipNodeUpdate":true,
    "Service":{"ID":"web-1","Service":"web","Tags":["v1"],"Address":"10.0.0.2","Port":8080,
      "Meta":{"k":"v"},"TaggedAddresses":{"lan":{"Address":"10.0.0.2","Port":8080}},
      "Weights":{"Passing":3,"Warning":2},"Kind":"connect-proxy",
      "Proxy":{"DestinationServiceName":"api","Mode":"","MeshGateway":{},"Expose":{}},
      "Connect":{},"SocketPath":"","CreateIndex":1,"ModifyIndex":2},
    "Check":{"Name":"one","Status":"warning"},
    "Checks":[{"CheckID":"two","ServiceID":"web-1","Definition":{"HTTP":"http://x/","Interval":"10s",
      "Timeout":1000000000,"DeregisterCriticalServiceAfter":"1m30s","Header":{"X":["y"]}}}]})",
                                   self);
  REQUIRE(body);
  auto& command = body->command;
  CHECK(command.node.name == "n1");
  CHECK(command.node.datacenter == "dc1");
  CHECK(command.skip_node_update);
  CHECK(command.instance->port == 8080);
  CHECK(command.instance->weight_passing == 3);
  CHECK(command.instance->tagged_addresses.at("lan").port == 8080);
  CHECK(command.instance->proxy_destination == "api");
  REQUIRE(command.checks.size() == 2);
  CHECK(command.checks[0].status == model::Health::warning);
  CHECK(command.checks[1].status == model::Health::critical);
  CHECK(command.checks[1].type == "http");
  CHECK(command.checks[1].definition.interval == 10s);
  CHECK(command.checks[1].definition.timeout == 1s);
  CHECK(command.checks[1].definition.deregister_after == 90s);
}

TEST_CASE("a registration that is wrong says what and where") {
  struct Row {
    const char *body, *expected;
  };
  for (auto& [body, expected] : std::initializer_list<Row>{
           {"", "Request decode failed: EOF"},
           {"{bad", "Request decode failed: "},
           {"[]", "json: cannot unmarshal array into an object"},
           {R"({"Node":"n","Bogus":1})", R"(Request decode failed: json: unknown field "Bogus")"},
           {R"({"Service":{"Bogus":1}})", R"(unknown field "Bogus" in Service)"},
           {R"({"Node":1})", "cannot unmarshal number into field Node of type string"},
           {R"({"Service":{"Port":"8"}})", "cannot unmarshal string into field Service.Port"},
           {R"({"Service":{"Port":65536}})", "Service.Port: is 65536, must be 0..65535"},
           {R"({"Service":{"Port":-1}})", "must be 0..65535"},
           {R"({"Service":{"Port":1.5}})", "cannot unmarshal number"},
           {R"({"Service":{"Tags":["a",1]}})", "cannot unmarshal number into field Service.Tags"},
           {R"({"Service":{"Meta":{"a":1}}})", "Service.Meta.a"},
           {R"({"Service":[]})", "field Service of type object"},
           {R"({"Checks":{}})", "field Checks of type array"},
           {R"({"Checks":["x"]})", "field Checks[0] of type object"},
           {R"({"Check":{"Status":"bad"}})", "Status for checks must"},
           {R"({"Check":{"Definition":{"Interval":"x"}}})", "invalid duration \"x\""},
           {R"({"Check":{"Definition":{"Interval":"-1s"}}})", "must not be negative"},
           {R"({"Check":{"Definition":{"GRPC":"x"}}})", "Check.Definition.GRPC: not implemented"},
           {R"({"Service":{"Connect":{"Native":true}}})",
            "Service.Connect.Native: not implemented"},
           {R"({"Service":{"Kind":"x"}})", "is no kind of service"},
           {R"({"Node":"a","node":"b"})", "stands twice"},
           {R"({"Locality":{"Region":"x"}})", "Locality: not implemented"}}) {
    INFO(body);
    auto got = refusal(api::decode_register(body, self));
    INFO(got);
    CHECK(got.find(expected) != std::string::npos);
  }
}

TEST_CASE("a body's depth and its metadata have maxima") {
  std::string deep = R"({"Service":)";
  for (int i = 0; i < 100; ++i)
    deep += R"({"Proxy":)";
  CHECK(!api::decode_register(deep, self));
  CHECK(!api::decode_register(std::string(100'000, '['), self));
  auto meta = [](std::size_t pairs, std::size_t key, std::size_t value) {
    std::string body = R"({"NodeMeta":{)";
    for (std::size_t i = 0; i < pairs; ++i)
      body += (i ? ",\"" : "\"") + std::string(key, 'k') + std::to_string(i + 100) + "\":\"" +
              std::string(value, 'v') + '"';
    return body + "}}";
  };
  CHECK(api::decode_register(meta(64, 10, 512), self));
  CHECK(refusal(api::decode_register(meta(65, 10, 1), self)).find("more than 64") !=
        std::string::npos);
  CHECK(!api::decode_register(meta(1, 126, 1), self));
  CHECK(!api::decode_register(meta(1, 10, 513), self));
  std::string tags = R"({"Service":{"Tags":["a")";
  for (int i = 0; i < 1024; ++i)
    tags += ",\"a\"";
  CHECK(refusal(api::decode_register(tags + "]}}", self)).find("at most 1024") !=
        std::string::npos);
}

TEST_CASE("an agent's service gets the ids and names that Consul gives") {
  auto one = api::decode_agent_service(R"({"Name":"web","Check":{"TTL":"30s"}})", self);
  REQUIRE(one);
  CHECK(one->instance.id == "web");
  CHECK(one->instance.node == "agent");
  REQUIRE(one->checks.size() == 1);
  CHECK(one->checks[0].id == "service:web");
  CHECK(one->checks[0].name == "Service 'web' check");
  CHECK(one->checks[0].type == "ttl");

  auto several = api::decode_agent_service(
      R"({"Name":"web","ID":"w1","Check":{"TTL":"30s"},
          "Checks":[{"HTTP":"http://x/","Interval":"10ms"},{"Name":"n","TCP":"x:1","Interval":"5s"}]})",
      self);
  REQUIRE(several);
  CHECK(several->checks[0].id == "service:w1:1");
  CHECK(several->checks[1].id == "service:w1:2");
  CHECK(several->checks[1].definition.interval == 1s);
  CHECK(several->checks[2].id == "service:w1:3");
  CHECK(several->checks[2].name == "n");
}

TEST_CASE("an agent's check that cannot run is refused with Consul's words") {
  auto text = [](const char* body) { return refusal(api::decode_agent_check(body, self)); };
  CHECK(text(R"({"TTL":"15s"})") == "Missing check name");
  CHECK(text(R"({"Name":"m"})") == "Invalid check: TTL must be > 0 for TTL checks");
  CHECK(text(R"({"Name":"m","HTTP":"http://x"})") ==
        "Invalid check: Interval must be > 0 for Script, HTTP, H2PING, TCP, UDP or OSService "
        "checks");
  CHECK(text(R"({"Name":"m","TTL":"1s","TCP":"x:1","Interval":"1s"})").find("not several") !=
        std::string::npos);
  CHECK(text(R"({"Name":"m","Args":["x"],"Interval":"1s"})") ==
        "Request decode failed: Args: not implemented; leave it out");
  CHECK(text(R"({"Name":"m","TTL":"15s","ID":"i","ServiceID":"s"})").empty());
  CHECK(refusal(api::decode_agent_service(R"({"Port":1})", self)) == "Missing service name");
  CHECK(refusal(api::decode_check_update(R"({"Status":"bogus"})")) ==
        "Invalid check status: 'bogus'");
}

TEST_CASE("bodies of peering name what is missing") {
  CHECK(refusal(api::decode_peering_token("{}")) ==
        "PeerName is required in the payload when generating a new peering token.");
  CHECK(refusal(api::decode_peering_token(R"({"Foo":1})")) ==
        R"(Body decoding failed: json: unknown field "Foo")");
  CHECK(refusal(api::decode_peering_establish(R"({"PeerName":"x"})")) ==
        "PeeringToken is required in the payload when establishing a peering.");
  CHECK(api::decode_peering_token(R"({"PeerName":"x","Meta":{"a":"b"},"Partition":""})"));
}
