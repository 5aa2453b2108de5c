// links: strait_api
#include "peering/authority.hpp"
#include "tests/integration/http_api_fixture.hpp"

using namespace strait;
using test::HttpApiFixture;

namespace {

/// Answers as it is told, and remembers what it was asked.
struct FakeHandler : peering::PeeringHandler {
  Result<std::string> token = std::string{"dG9rZW4="};
  Status established, removed;
  peering::GenerateTokenRequest generate;
  peering::EstablishRequest establish_request;

  void generate_token(peering::GenerateTokenRequest request, Answer<std::string> answer) override {
    generate = std::move(request);
    answer(token);
  }
  void establish(peering::EstablishRequest request, Answer<void> answer) override {
    establish_request = std::move(request);
    answer(established);
  }
  void remove(std::string, Answer<void> answer) override { answer(removed); }
  void read(std::string, Answer<PeeringRecord>) override { FAIL("the view is read"); }
  void list(Answer<std::vector<PeeringRecord>>) override { FAIL("the view is read"); }
  void read_trust_bundle(std::string, Answer<BundleRecord>) override { FAIL("not asked for"); }
  void list_trust_bundles(std::string, std::string, Answer<std::vector<BundleRecord>>) override {
    FAIL("not asked for");
  }
};

struct Peered : HttpApiFixture {
  std::shared_ptr<FakeHandler> handler;
  explicit Peered(std::shared_ptr<FakeHandler> it = std::make_shared<FakeHandler>())
      : HttpApiFixture{"dc1", it}, handler{std::move(it)} {}
  void write(catalog::Command command) {
    REQUIRE(ask<actors::Applied>(catalog, actors::apply_atom::value, std::move(command)).revision);
  }
};

} // namespace

TEST_CASE("tokens are made and used through the peering handler") {
  Peered world;
  auto made = world.post("/v1/peering/token", R"({"PeerName":"dc2","Meta":{"a":"b"},
                                                  "ServerExternalAddresses":["x:1"]})");
  CHECK(made.status == 200);
  CHECK(made.body == R"({"PeeringToken":"dG9rZW4="})");
  CHECK(world.handler->generate.peer_name == "dc2");
  CHECK(world.handler->generate.meta.at("a") == "b");
  CHECK(world.handler->generate.server_external_addresses == std::vector<std::string>{"x:1"});

  auto done = world.post("/v1/peering/establish", R"({"PeerName":"dc1","PeeringToken":"t"})");
  CHECK(done.status == 200);
  CHECK(done.body == "{}");
  CHECK(world.handler->establish_request.peering_token == "t");
  auto removed = world.del("/v1/peering/dc2");
  CHECK(removed.status == 200);
  CHECK(removed.body.empty());
}

TEST_CASE("what the peering handler refuses has Consul's code") {
  Peered world;
  world.handler->established = fail(Errc::denied, "a new peering token must be generated");
  auto used = world.post("/v1/peering/establish", R"({"PeerName":"x","PeeringToken":"t"})");
  CHECK(used.status == 403);
  CHECK(used.body == "a new peering token must be generated");
  world.handler->token = fail(Errc::invalid, "UP_ is not a valid peer name");
  CHECK(world.post("/v1/peering/token", R"({"PeerName":"UP_"})").status == 500);
  CHECK(world.post("/v1/peering/token", "{}").status == 400);
  CHECK(world.post("/v1/peering/establish", R"({"PeerName":"x"})").status == 400);
  CHECK(world.get("/v1/peering/").status == 400);
}

TEST_CASE("a peering is shown as Consul shows it, and can be waited for") {
  Peered world;
  world.register_service("web"); // Nothing waits for revision 1: it is the agent's own.
  CHECK(world.get("/v1/peerings").body == "[]");
  CHECK(world.get("/v1/peering/nope").status == 404);
  CHECK(world.get("/v1/peering/nope").body == "Peering not found for \"nope\"");
  auto all = world.start("/v1/peerings?index=1&wait=5m");
  CHECK(!all->response);
  world.write(catalog::WritePeering{.peering = {.name = "dc2",
                                                .id = "an-id",
                                                .state = model::PeeringState::pending,
                                                .meta = {{"a", "b"}}}});
  CHECK(all->response);
  std::string pending =
      R"({"ID":"an-id","Name":"dc2","Meta":{"a":"b"},"State":"PENDING","StreamStatus":)"
      R"({"ImportedServices":null,"ExportedServices":null,"LastHeartbeat":null,)"
      R"("LastReceive":null,"LastSend":null},"CreateIndex":2,"ModifyIndex":2,)"
      R"("Remote":{"Partition":"","Datacenter":""}})";
  CHECK(world.get("/v1/peering/DC2").body == pending);
  CHECK(world.get("/v1/peerings").body == "[" + pending + "]");

  auto waiter = world.start("/v1/peering/dc2?index=2&wait=5m");
  CHECK(!waiter->response);
  model::PeeringStatus status{.exported = {"web"}, .lag = 3, .last_error = "connection refused"};
  world.write(catalog::ReportPeering{
      .name = "dc2", .state = model::PeeringState::failing, .status = status});
  REQUIRE(waiter->response);
  CHECK(waiter->response->body.find(R"("State":"FAILING")") != std::string::npos);
  CHECK(waiter->response->body.find(R"("LastError":"connection refused","LagRevisions":3)") !=
        std::string::npos);
  auto metrics = world.get("/metrics").body;
  CHECK(metrics.find(R"(consul_peering_healthy{peer_name="dc2",peer_id="an-id"} 0)") !=
        std::string::npos);
  CHECK(metrics.find(R"(consul_peering_exported_services{peer_name="dc2",peer_id="an-id"} 1)") !=
        std::string::npos);
}

TEST_CASE("the roots are shown, their keys are not") {
  Peered world;
  auto authority = peering::make_authority("11111111-2222-3333-4444-555555555555.consul",
                                           WallTime{std::chrono::hours{24 * 365 * 55}});
  REQUIRE(authority);
  world.write(catalog::WriteAuthority{*authority});
  for (auto* path : {"/v1/connect/ca/roots", "/v1/agent/connect/ca/roots"}) {
    auto body = world.get(path).body;
    CHECK(body.find(R"("TrustDomain":"11111111-2222-3333-4444-555555555555.consul")") !=
          std::string::npos);
    CHECK(body.find("BEGIN CERTIFICATE") != std::string::npos);
    CHECK(body.find("PRIVATE KEY") == std::string::npos);
    CHECK(body.find(R"("Active":true)") != std::string::npos);
  }
}
