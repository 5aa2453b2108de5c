#include "peering/peering_client.hpp"
#include "peering/wire_fixture.hpp"

using namespace strait;
using namespace strait::peering;
using namespace strait::peering::test;

namespace {

const std::string id1 = "11111111-2222-3333-4444-555555555555";
const std::string id2 = "22222222-2222-3333-4444-555555555555";

PeeringClient client_of(Agent& agent) {
  return PeeringClient{{.address = "127.0.0.1:" + std::to_string(agent.plain_port)}};
}

model::PeeringState state_of(Agent& agent, const std::string& peering) {
  auto record = agent.view()->record<model::Peering>({"", peering});
  return record ? record->value.state : model::PeeringState::undefined;
}

/// dc2 accepts, dc1 dials; api and 50 more are exported by dc2.
struct Pair {
  Agent dc1{"dc1", id1}, dc2{"dc2", id2};
  std::string token;
  Pair() {
    for (int i = 0; i < 50; ++i)
      dc2.write(instance("n1", "other" + std::to_string(i), 90));
    dc2.write(instance("n1", "api", 80));
    dc2.write(exports("to-dc1", {"*"}));
    token = client_of(dc2).generate_token({.peer_name = "to-dc1"}).value();
    REQUIRE(client_of(dc1).establish({.peer_name = "to-dc2", .peering_token = token}));
  }
  bool active() {
    return eventually([&] {
      return state_of(dc1, "to-dc2") == model::PeeringState::active &&
             state_of(dc2, "to-dc1") == model::PeeringState::active;
    });
  }
  std::optional<int> port_of_api() {
    auto all = catalog::instances_of(*dc1.view(), {"to-dc2", "api"});
    return all.size() == 1 ? std::optional<int>{all[0].instance->value.port} : std::nullopt;
  }
};

} // namespace

TEST_CASE("two datacenters peer over TLS by a token, export a service, are cut and resume") {
  Pair pair;
  CHECK(state_of(pair.dc1, "to-dc2") == model::PeeringState::establishing);
  REQUIRE(pair.active());
  CHECK(eventually([&] { return pair.port_of_api() == 80; }));
  auto read = client_of(pair.dc1).read("TO-DC2").value();
  CHECK(read.peering.state == model::PeeringState::active);
  CHECK(read.peering.status.imported.size() == 51);
  CHECK(read.peering.remote_datacenter == "dc2");
  CHECK(read.peering.peer_server_name == peering_server_name("dc2", pair.dc2.trust_domain()));
  CHECK(client_of(pair.dc2).list()->size() == 1);
  CHECK(client_of(pair.dc1).read_trust_bundle("to-dc2")->trust_domain == pair.dc2.trust_domain());
  CHECK(client_of(pair.dc2).list_trust_bundles("api", "")->size() == 1);

  pair.dc2.write(instance("n1", "api", 81));
  CHECK(eventually([&] { return pair.port_of_api() == 81; }));

  // The peer has to know how far it is before the cut.
  REQUIRE(eventually([&] {
    return pair.dc1.view()->find<model::Peering>({"", "to-dc2"})->imported_revision > 0;
  }));
  auto before = pair.dc2.counters("to-dc1");
  pair.dc1.cut("to-dc2");
  REQUIRE(eventually([&] { return pair.dc2.counters("to-dc1").resumed > before.resumed; }));
  pair.dc2.write(instance("n1", "api", 82));
  CHECK(eventually([&] { return pair.port_of_api() == 82; }));
  CHECK(pair.active());
  CHECK(pair.dc2.counters("to-dc1").responses_sent - before.responses_sent <= 3);
}

TEST_CASE("while the acceptor is stopped the peering is FAILING and says why; then it recovers") {
  Pair pair;
  REQUIRE(pair.active());
  pair.dc2.stop_serving();
  REQUIRE(eventually([&] { return state_of(pair.dc1, "to-dc2") == model::PeeringState::failing; }));
  CHECK_FALSE(pair.dc1.view()->find<model::Peering>({"", "to-dc2"})->status.last_error.empty());
  CHECK(pair.port_of_api() == 80);
  pair.dc2.serve();
  CHECK(pair.active());
}

TEST_CASE("deleting on the acceptor terminates the dialer's peering and its imports") {
  Pair pair;
  REQUIRE(pair.active());
  REQUIRE(client_of(pair.dc2).remove("to-dc1"));
  CHECK(eventually([&] {
    return state_of(pair.dc1, "to-dc2") == model::PeeringState::terminated && !pair.port_of_api();
  }));
  CHECK(eventually([&] { return !client_of(pair.dc2).read("to-dc1"); }));
  CHECK(client_of(pair.dc2).read("to-dc1").error().code == Errc::not_found);

  // And it may be established again.
  auto token = client_of(pair.dc2).generate_token({.peer_name = "to-dc1"}).value();
  REQUIRE(client_of(pair.dc1).establish({.peer_name = "to-dc2", .peering_token = token}));
}

TEST_CASE("bad tokens are refused over the wire, and leave nothing behind") {
  Pair pair;
  REQUIRE(pair.active());
  auto third = [&](const std::string& token) {
    return client_of(pair.dc1).establish({.peer_name = "third", .peering_token = token});
  };
  SECTION("used") {
    auto used = third(pair.token);
    REQUIRE_FALSE(used);
    CHECK(used.error().code == Errc::denied);
    CHECK(used.error().detail ==
          "a new peering token must be generated: invalid peering establishment secret");
  }
  SECTION("of the same datacenter") {
    auto own = client_of(pair.dc1).generate_token({.peer_name = "self"}).value();
    CHECK(third(own).error().detail.find("cannot create a peering within the same cluster") !=
          std::string::npos);
  }
  SECTION("with a foreign CA") {
    auto token =
        decode_token(client_of(pair.dc2).generate_token({.peer_name = "x"}).value()).value();
    token.ca_pems = {make_authority(pair.dc1.trust_domain(), now_wall())->roots[0].certificate_pem};
    auto foreign = third(encode_token(token));
    REQUIRE_FALSE(foreign);
    CHECK(foreign.error().code == Errc::unavailable);
    INFO(foreign.error().detail);
    CHECK(foreign.error().detail.find("not one of the token's CA") != std::string::npos);
  }
  SECTION("for a name that is taken") {
    auto token = client_of(pair.dc2).generate_token({.peer_name = "x"}).value();
    auto taken = client_of(pair.dc1).establish({.peer_name = "to-dc2", .peering_token = token});
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == Errc::conflict);
  }
  CHECK_FALSE(pair.dc1.view()->find<model::Peering>({"", "third"}));
  CHECK_FALSE(pair.dc1.view()->find<model::PeeringSecrets>({"", "third"}));
}

TEST_CASE("a stream is not admitted without its secret, and the refusal has Consul's code") {
  Pair pair;
  REQUIRE(pair.active());
  auto token = decode_token(pair.token).value();
  auto refused = [&](const Message& first) {
    std::mutex mutex;
    std::condition_variable done;
    std::optional<std::pair<Code, std::string>> end;
    std::vector<Message> got;
    std::shared_ptr<Stream> stream;
    std::unique_lock lock{mutex};
    stream = dial({token.server_addresses[0], token.ca_pems, token.server_name},
                  {[&](Message message) {
                     std::lock_guard guard{mutex};
                     got.push_back(message);
                     stream->read_on();
                   },
                   [&](Code code, std::string why) {
                     std::lock_guard guard{mutex};
                     end = {code, why};
                     done.notify_all();
                   }});
    stream->send(first, false);
    stream->read_on();
    done.wait(lock, [&] { return end.has_value(); });
    return *end;
  };
  CHECK(refused(Heartbeat{}).first == Code::invalid_argument);
  CHECK(refused(Open{"", "x", {}}).first == Code::invalid_argument);
  auto unknown = refused(Open{"nobody", "x", {}});
  CHECK(unknown.first == Code::invalid_argument);
  CHECK(unknown.second.find("initial subscription for unknown PeerID: nobody") !=
        std::string::npos);
  auto secret = refused(Open{token.peer_id, "wrong", {}});
  CHECK(secret.first == Code::permission_denied);
  CHECK(secret.second.find("invalid peering stream secret") != std::string::npos);
  CHECK(state_of(pair.dc1, "to-dc2") == model::PeeringState::active); // Undisturbed.
}

TEST_CASE("a rotated server certificate is served without a restart") {
  Pair pair;
  REQUIRE(pair.active());
  auto token = decode_token(client_of(pair.dc2).generate_token({.peer_name = "x"}).value()).value();
  auto other = make_authority(pair.dc2.trust_domain(), now_wall()).value();
  pair.dc2.replace_certificate(
      issue(other, server_leaf(pair.dc2.trust_domain(), "dc2"), now_wall()).value());
  token.ca_pems = {other.roots[0].certificate_pem};
  CHECK(eventually([&] { return exchange_secret(token, {.total = Millis{300}}).has_value(); }));
}

TEST_CASE("a queue of outgoing messages is bounded, and urgent ones go first") {
  OutQueue queue{3, 10};
  CHECK(queue.push("aaa", false));
  CHECK(queue.push("b", true));
  CHECK_FALSE(queue.push("1234567", false)); // Eleven bytes.
  CHECK(queue.push("c", true));
  CHECK_FALSE(queue.push("d", true)); // The fourth.
  CHECK(queue.pop() == "b");
  CHECK(queue.pop() == "c");
  CHECK(queue.pop() == "aaa");
  CHECK_FALSE(queue.pop());
  CHECK(queue.push(std::string(100, 'x'), false)); // One alone may be larger.
}
