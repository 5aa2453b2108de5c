#include "peering/link_world.hpp"

using namespace strait;
using namespace strait::peering;
using namespace strait::peering::test;

namespace {

void fill(World& world, int services) {
  for (int i = 0; i < services; ++i)
    world.write(world.acceptor, instance("n1", "svc" + std::to_string(i), 80));
  world.write(world.acceptor, exports("to-dc1", {"*"}));
}

} // namespace

TEST_CASE("two datacenters become ACTIVE and hold what the other exports") {
  World world;
  world.write(world.acceptor, instance("n1", "api", 80));
  world.write(world.acceptor, exports("to-dc1", {"api"}));
  world.write(world.dialer, instance("m1", "web", 81));
  world.write(world.dialer, exports("to-dc2", {"web", "absent"}));
  CHECK(world.dialer.record().state == model::PeeringState::establishing);
  world.settle();
  CHECK(world.dialer.record().state == model::PeeringState::active);
  CHECK(world.acceptor.record().state == model::PeeringState::active);
  CHECK(held(world.dialer) == std::vector<std::string>{"api n1 api-n1 80 passing"});
  CHECK(held(world.acceptor) == std::vector<std::string>{"web m1 web-m1 81 passing"});
  const auto& record = world.dialer.record();
  CHECK(record.status.imported == std::vector<std::string>{"api"});
  CHECK(record.status.exported == std::vector<std::string>{"absent", "web"});
  CHECK(record.status.lag == 0);
  CHECK(record.status.last_heartbeat > WallTime{});
  CHECK(record.imported_store_id == "store-dc2");
  auto* bundle = world.dialer.view().find<model::TrustBundle>({"", "to-dc2"});
  REQUIRE(bundle);
  CHECK(bundle->trust_domain == "22222222-2222-3333-4444-555555555555.consul");

  SECTION("a change, a withdrawal and an instance that goes away are seen") {
    world.write(world.acceptor, instance("n1", "api", 80, model::Health::critical));
    world.settle(Millis{100});
    CHECK(held(world.dialer) == std::vector<std::string>{"api n1 api-n1 80 critical"});
    world.write(world.acceptor, catalog::Deregister{"n1", "api-n1", ""});
    world.settle(Millis{100});
    CHECK(held(world.dialer).empty());
    world.write(world.dialer, exports("to-dc2", {}));
    world.settle();
    CHECK(held(world.acceptor).empty());
    CHECK(world.acceptor.record().status.imported.empty());
  }
  SECTION("what the peer does not see is not sent") {
    auto before = world.dialer.responses_in;
    auto same = instance("n1", "api", 80);
    same.checks[0].output = "another text";
    world.write(world.acceptor, same);
    world.settle();
    CHECK(world.dialer.responses_in == before);
    world.write(world.acceptor, instance("n1", "api", 82));
    world.settle();
    CHECK(world.dialer.responses_in == before + 1);
  }
}

TEST_CASE("without news, two quiet datacenters exchange nothing but heartbeats") {
  World world;
  fill(world, 5);
  world.settle();
  auto messages = world.dialer.messages_in + world.acceptor.messages_in;
  auto revision = world.dialer.view().revision;
  for (int minute = 0; minute < 10; ++minute)
    world.settle(Millis{60'000});
  CHECK(world.dialer.messages_in + world.acceptor.messages_in - messages <= 2 * 40 + 2);
  CHECK(world.dialer.view().revision - revision <= 41); // The times of the heartbeats.
  CHECK(world.dialer.record().state == model::PeeringState::active);
}

TEST_CASE("after a cut, only what changed in between is sent") {
  World world;
  fill(world, 200);
  world.settle();
  REQUIRE(held(world.dialer).size() == 200);
  auto all = world.dialer.bytes_in;

  auto begin_counting = [&] {
    world.dialer.bytes_in = world.dialer.responses_in = 0;
    world.dialer.received_ids.clear();
  };
  SECTION("nothing changed") {
    world.cut();
    begin_counting();
    world.settle(Millis{5000});
    CHECK(world.dialer.record().state == model::PeeringState::active);
    CHECK(world.dialer.responses_in == 0);
    CHECK(world.dialer.bytes_in < 2000);
    CHECK(world.acceptor.link->counters().resumed == 1);
  }
  SECTION("one of 200 services changed while the stream was away") {
    world.reachable = false;
    world.cut();
    world.settle();
    CHECK(world.dialer.record().state == model::PeeringState::failing);
    CHECK(world.dialer.record().status.last_error == "connection refused");
    begin_counting();
    world.write(world.acceptor, instance("n1", "svc7", 8080));
    world.reachable = true;
    world.settle(Millis{70'000});
    CHECK(world.dialer.record().state == model::PeeringState::active);
    CHECK(world.dialer.received_ids == std::vector<std::string>{"svc7"});
    CHECK(world.dialer.bytes_in * 20 < all);
    CHECK(held(world.dialer) == exported(world.acceptor));
  }
  SECTION("either agent is restarted") {
    world.cut();
    world.start(world.dialer);
    world.start(world.acceptor);
    begin_counting();
    world.settle(Millis{5000});
    CHECK(world.dialer.responses_in == 0);
    CHECK(world.dialer.record().state == model::PeeringState::active);
  }
  SECTION("the exporter has another store") {
    world.cut();
    world.acceptor.store_id = "store-restored";
    world.start(world.acceptor);
    begin_counting();
    world.settle(Millis{5000});
    CHECK(world.dialer.responses_in == 202); // The services, their list and the roots.
    CHECK(world.dialer.record().imported_store_id == "store-restored");
  }
  SECTION("a service is withdrawn, and another exported that is older than the cut") {
    world.reachable = false;
    world.cut();
    world.write(world.acceptor, exports("to-dc1", {"svc1", "svc2", "new"}));
    world.reachable = true;
    begin_counting();
    world.settle(Millis{5000});
    CHECK(held(world.dialer) == exported(world.acceptor));
    CHECK(held(world.dialer).size() == 2);
    CHECK(world.dialer.responses_in == 2); // The list, and "new" without an instance.
  }
}

TEST_CASE("without resume, as with a Consul, a reconnect brings everything again") {
  World world{1, false};
  fill(world, 20);
  world.settle();
  CHECK(world.dialer.record().imported_store_id.empty());
  world.cut();
  world.dialer.responses_in = 0;
  auto services = world.dialer.catalog.view()->services;
  world.settle(Millis{5000});
  CHECK(world.dialer.responses_in == 22);
  CHECK(world.dialer.record().state == model::PeeringState::active);
  // What equals the stored is not written again.
  CHECK(services.find(catalog::ServiceKey{"to-dc2", "svc3"})->modified ==
        world.dialer.view().services.find(catalog::ServiceKey{"to-dc2", "svc3"})->modified);
}

TEST_CASE("deleting a peering tells the other side, on which the record stays") {
  World world;
  fill(world, 3);
  world.settle();
  auto peering = world.acceptor.record();
  peering.state = model::PeeringState::deleting;
  world.write(world.acceptor, catalog::WritePeering{.peering = peering});
  world.acceptor.link->phase();
  auto effects = world.acceptor.link->peering_changed(world.now, peering, "");
  REQUIRE(effects.size() == 2);
  CHECK(std::holds_alternative<Terminated>(std::get<Link::Send>(effects[0]).message));
  CHECK(std::holds_alternative<Link::Drain>(effects[1]));
  world.dialer.inbox.push_back(encode(Terminated{}));
  world.settle(Millis{10'000});
  CHECK(world.dialer.record().state == model::PeeringState::terminated);
  CHECK(held(world.dialer).empty());
  CHECK_FALSE(world.acceptor.view().find<model::Peering>({"", "to-dc1"}));
  CHECK(world.acceptor.link->phase() == Link::Phase::gone);
}

TEST_CASE("whatever is changed, cut and restarted: at quiet, imported equals exported") {
  auto seed = GENERATE(range(0, 40));
  World world{static_cast<std::uint64_t>(seed)};
  auto& prng = world.prng();
  for (int i = 0; i < 150; ++i) {
    auto& side = prng() % 2 ? world.dialer : world.acceptor;
    auto service = "svc" + std::to_string(prng() % 6);
    auto node = "n" + std::to_string(prng() % 2);
    switch (prng() % 10) {
    case 0:
      world.cut();
      break;
    case 1:
      if (prng() % 4 == 0) {
        world.cut();
        world.start(side);
      }
      break;
    case 2: {
      std::vector<std::string> names;
      if (prng() % 5 == 0)
        names.push_back("*");
      for (int s = 0; s < 6; ++s)
        if (prng() % 2)
          names.push_back("svc" + std::to_string(s));
      world.write(side, exports(side.peering, names));
      break;
    }
    case 3:
      if (side.view().find<model::Node>({"", node}))
        world.write(side, catalog::Deregister{node, service + "-" + node, ""});
      break;
    case 4: {
      auto gateway = instance(node, "mesh-gateway", static_cast<std::uint16_t>(8443 + prng() % 2));
      gateway.instance->service_kind = "mesh-gateway";
      world.write(side, gateway);
      break;
    }
    case 5:
      world.advance(Millis{static_cast<int>(prng() % 3000)});
      break;
    default:
      world.write(side, instance(node, service, static_cast<std::uint16_t>(80 + prng() % 3),
                                 prng() % 3 ? model::Health::passing : model::Health::critical));
    }
    for (auto steps = prng() % 20; steps > 0 && world.step(); --steps) {
    }
  }
  world.settle(Millis{70'000});
  INFO("seed " << seed);
  CHECK(held(world.dialer) == exported(world.acceptor));
  CHECK(held(world.acceptor) == exported(world.dialer));
  CHECK(world.dialer.record().state == model::PeeringState::active);
  CHECK(world.acceptor.record().state == model::PeeringState::active);
  CHECK(world.dialer.record().status.lag == 0);

  // And then nothing is sent again.
  auto before = world.dialer.responses_in + world.acceptor.responses_in;
  world.cut();
  world.settle(Millis{70'000});
  CHECK(world.dialer.responses_in + world.acceptor.responses_in == before);
}
