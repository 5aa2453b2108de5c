#include "peering/exports.hpp"
#include "peering/link_world.hpp"
#include "peering/message.hpp"
#include "proto/consul/peerstream.pb.h"

using namespace strait;
using namespace strait::peering;

namespace {
namespace pb = hashicorp::consul::internal::peerstream;

std::vector<Message> samples() {
  auto url = std::string{type_url(Resource::exported_service)};
  return {
      Open{"peer", "secret", {"part", "dc1"}},
      Request{.peer_id = "p", .url = url, .imported = StoreRevision{"s", 7}, .list_digest = "d"},
      Request{.nonce = "00000001", .url = url},
      Request{.nonce = "00000002",
              .url = url,
              .failure = Request::Failure{Code::internal, "upsert error"}},
      Response{"00000003", url, "api", url, std::make_shared<const std::string>("\x00\x01")},
      Response{"00000004", url, "gone", url, std::make_shared<const std::string>()},
      Terminated{},
      Heartbeat{},
      Heartbeat{StoreRevision{"s", 9}}};
}

} // namespace

TEST_CASE("every message is decoded to what was encoded") {
  for (const auto& message : samples())
    CHECK(decode(encode(message)).value() == message);
}

TEST_CASE("messages have Consul's field numbers") {
  // Field 2 (request) of 12 bytes: field 3 (ResourceURL) "x", field 2 (ResponseNonce) "00000001".
  CHECK(encode(Request{.nonce = "00000001", .url = "x"}) == std::string("\x12\x0d\x12\x08"
                                                                        "00000001"
                                                                        "\x1a\x01x"));
  CHECK(encode(Terminated{}) == std::string("\x22\x00", 2));
  CHECK(encode(Heartbeat{}) == std::string("\x2a\x00", 2));
  // An empty resource is there, with a type and no value.
  auto url = std::string{type_url(Resource::exported_service)};
  pb::ReplicationMessage in;
  in.ParseFromString(encode(Response{"1", url, "x", url, std::make_shared<const std::string>()}));
  CHECK(in.response().has_resource());
  CHECK(in.response().resource().type_url() == url);
  CHECK(in.response().operation() == pb::OPERATION_UPSERT);
}

TEST_CASE("unknown fields are skipped, and what is no message is an error") {
  auto bytes = encode(Heartbeat{}) + std::string("\xfa\x3f\x03zzz", 6); // Field 1023.
  CHECK(decode(bytes).value() == Message{Heartbeat{}});
  CHECK(decode("").error().code == Errc::corrupt);
  CHECK(decode("\xff\xff\xff").error().code == Errc::corrupt);
}

TEST_CASE("a resource survives the wire, and equal ones have equal bytes") {
  catalog::Import::Instance one;
  one.node = {.name = "n",
              .id = "id",
              .address = "10.0.0.1",
              .datacenter = "dc2",
              .tagged_addresses = {{"wan", "1.2.3.4"}, {"lan", "10.0.0.1"}},
              .meta = {{"a", "b"}}};
  one.instance = {.node = "n",
                  .id = "api-1",
                  .service = "api",
                  .service_kind = "connect-proxy",
                  .tags = {"t1", "t2"},
                  .address = "10.0.0.2",
                  .port = 8080,
                  .meta = {{"k", "v"}},
                  .tagged_addresses = {{"wan", {"1.2.3.4", 443}}},
                  .weight_passing = 3,
                  .enable_tag_override = true,
                  .proxy_destination = "web",
                  .peer_meta = model::PeerMeta{{"sni"}, {"spiffe://x"}, "tcp"}};
  one.checks = {{.node = "n",
                 .id = "api-1:overall-check",
                 .name = "overall-check",
                 .status = model::Health::warning,
                 .service_id = "api-1",
                 .service_name = "api"}};
  ExportedService service{"api", {one}};
  auto bytes = encode_payload(service);
  CHECK(bytes == encode_payload(service));
  auto back =
      std::get<ExportedService>(decode_payload(Resource::exported_service, "api", bytes).value());
  REQUIRE(back.instances.size() == 1);
  CHECK(back.instances[0].node == one.node);
  CHECK(back.instances[0].instance == one.instance);
  CHECK(back.instances[0].checks == one.checks);

  SECTION("what a peer must never send is refused and named") {
    auto refused = [&](auto change, const std::string& text) {
      auto bad = service;
      change(bad.instances[0]);
      auto result = decode_payload(Resource::exported_service, "api", encode_payload(bad));
      REQUIRE_FALSE(result);
      CHECK(result.error().detail.find(text) != std::string::npos);
    };
    refused([](auto& i) { i.node.name.clear(); }, "without a node name");
    refused([](auto& i) { i.instance.id.clear(); }, "without an id");
    refused([](auto& i) { i.instance.service = "other"; }, "of service \"other\"");
    refused([](auto& i) { i.checks[0].id.clear(); }, "check without an id");
  }
  SECTION("there is a maximum") {
    PayloadLimits limits;
    limits.instances_max = 1;
    service.instances.push_back(one);
    CHECK(decode_payload(Resource::exported_service, "api", encode_payload(service), limits)
              .error()
              .code == Errc::exhausted);
    limits.services_max = 1;
    CHECK(decode_payload(Resource::exported_service_list, "",
                         encode_payload(ExportedServiceList{{"a", "b"}}), limits)
              .error()
              .code == Errc::exhausted);
  }
}

TEST_CASE("what is received becomes a command only if it can be applied") {
  auto refused = [](Payload payload) { return import_command("dc2", std::move(payload)).error(); };
  CHECK(refused(ServerAddresses{}).detail == "server addresses from dc2: the list is empty");
  CHECK(refused(ServerAddresses{{"nonsense"}}).code == Errc::invalid);
  CHECK(refused(model::TrustBundle{.trust_domain = "x"}).code == Errc::invalid);
  CHECK(refused(model::TrustBundle{.trust_domain = "x", .root_pems = {"junk"}}).code ==
        Errc::invalid);
  auto list =
      std::get<catalog::ImportList>(import_command("dc2", ExportedServiceList{{"api"}}).value());
  CHECK(list.services == std::vector<std::string>{"api", "api-sidecar-proxy"});
}

TEST_CASE("a service is exported with one check for all and through the mesh gateways") {
  test::World world;
  auto& side = world.acceptor;
  auto api = test::instance("n1", "api", 80, model::Health::warning);
  api.checks.push_back({.node = "n1", .id = "node", .status = model::Health::passing});
  api.instance->tagged_addresses["consul-virtual"] = {"240.0.0.1", 80};
  world.write(side, api);
  auto gateway = test::instance("gw", "mesh-gateway", 8443);
  gateway.instance->service_kind = "mesh-gateway";
  gateway.instance->tagged_addresses["wan"] = {"198.51.100.1", 443};
  world.write(side, gateway);
  world.write(side, test::instance("n1", "consul", 8300));
  world.write(side, test::exports("to-dc1", {"*"}));
  CHECK(exported_services(side.view(), "to-dc1") == std::vector<std::string>{"api"});
  CHECK(exported_services(side.view(), "other").empty());

  ExportOptions options{.datacenter = "dc2"};
  auto plain = export_service(side.view(), "to-dc1", "api", options);
  REQUIRE(plain.instances.size() == 1);
  REQUIRE(plain.instances[0].checks.size() == 1);
  CHECK(plain.instances[0].checks[0].id == "api-n1:overall-check");
  CHECK(plain.instances[0].checks[0].status == model::Health::warning);
  CHECK(plain.instances[0].instance.tagged_addresses.empty());
  CHECK(plain.instances[0].node.datacenter == "dc2");

  auto sidecar = export_service(side.view(), "to-dc1", "api-sidecar-proxy", options);
  REQUIRE(sidecar.instances.size() == 1);
  const auto& proxy = sidecar.instances[0].instance;
  CHECK(proxy.id == "api-sidecar-proxy-instance-0");
  CHECK(proxy.service_kind == "connect-proxy");
  CHECK(proxy.proxy_destination == "api");
  CHECK(proxy.port == 8443);
  CHECK(proxy.tagged_addresses.at("wan").port == 443);
  const std::string td = "22222222-2222-3333-4444-555555555555.consul";
  REQUIRE(proxy.peer_meta);
  CHECK(proxy.peer_meta->sni ==
        std::vector<std::string>{"api.default.default.to-dc1.external." + td});
  CHECK(proxy.peer_meta->spiffe_ids ==
        std::vector<std::string>{"spiffe://" + td + "/ns/default/dc/dc2/svc/api",
                                 "spiffe://" + td + "/gateway/mesh/dc/dc2"});
}

TEST_CASE("server addresses are those that the servers register") {
  test::World world;
  auto server = test::instance("s1", "consul", 8300);
  server.node.tagged_addresses["wan"] = "203.0.113.5";
  server.instance->meta = {{"grpc_port", "8502"}, {"grpc_tls_port", "8503"}};
  world.write(world.dialer, server);
  auto other = test::instance("s2", "consul", 8300);
  other.node.address = "fd00::1";
  other.instance->meta = {{"grpc_port", "8502"}, {"grpc_tls_port", "-1"}};
  world.write(world.dialer, other);
  CHECK(server_addresses(world.dialer.view()) ==
        std::vector<std::string>{"203.0.113.5:8503", "[fd00::1]:8502"});
}
