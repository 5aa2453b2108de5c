#include "actors/authority_actor.hpp"

#include "actors/actor_fixture.test.hpp"
#include "storage/store.hpp"

using namespace strait;
using namespace strait::actors;

namespace {

using Texts = std::vector<std::string>;

using Given = std::vector<std::pair<model::Name, CertificatePtr>>;

/// Takes the identities of gateways, as root does, and keeps them in order.
caf::behavior sink(caf::event_based_actor*, std::shared_ptr<Given> given) {
  return {[given](identity_atom, const model::Name& gateway, const CertificatePtr& identity) {
    given->emplace_back(gateway, identity);
  }};
}

struct Fixture {
  explicit Fixture(bool kubernetes) { start(kubernetes); }
  /// Again, as after a restart, where it runs already.
  void start(bool kubernetes) {
    stop();
    AuthorityOptions options;
    options.datacenter = "dc1";
    options.address = "192.0.2.1";
    options.resolution.kubernetes = kubernetes;
    actor = run.system.spawn(authority_actor, catalog, caf::actor_cast<RootActor>(root), options);
    run.settle();
  }
  void stop() {
    if (actor)
      caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    run.settle();
  }
  ~Fixture() {
    for (auto& it : {caf::actor_cast<caf::actor>(actor), root, caf::actor_cast<caf::actor>(catalog),
                     caf::actor_cast<caf::actor>(storage)})
      caf::anon_send_exit(it, caf::exit_reason::user_shutdown);
    run.settle();
  }
  void apply(catalog::Command command) {
    auto applied = run.ask<Applied>(catalog, apply_atom::value, std::move(command));
    REQUIRE(applied.revision);
    run.settle();
  }
  void gateway(model::StringMap annotations) {
    model::Gateway out{.meta = {.name = {"shop", "edge"}}, .class_name = "strait"};
    out.meta.annotations = std::move(annotations);
    apply(catalog::Put{out, {}});
  }
  void service(std::vector<std::string> ingress) {
    model::Service out;
    out.meta.name = {"shop", "edge"};
    out.type = "LoadBalancer";
    out.ingress = std::move(ingress);
    apply(catalog::Put{out, {}});
  }
  /// The ids of what a gateway was given since the last call.
  Texts ids_given(const std::string& gateway) {
    Texts out;
    for (auto& [name, certificate] : std::exchange(*given, {}))
      if (name.name == gateway)
        out.push_back(certificate->id);
    return out;
  }
  std::string session_keys(const std::string& gateway) {
    std::string found;
    for (auto& [name, certificate] : *given)
      if (name.name == gateway && certificate->id == "session-key")
        found = certificate->key_pem;
    return found;
  }
  model::CertificateAuthority authority() {
    auto view = run.ask<catalog::ViewPtr>(catalog, view_atom::value);
    return *view->find<model::CertificateAuthority>({"", "connect"});
  }
  /// "ADDRESS:PORT, wan ADDRESS:PORT" of each mesh gateway.
  Texts mesh_gateways() {
    Texts out;
    auto view = run.ask<catalog::ViewPtr>(catalog, view_atom::value);
    for (auto& it : catalog::instances_of(*view, {"", "mesh-gateway"})) {
      auto& instance = it.instance->value;
      auto& wan = instance.tagged_addresses.at("wan");
      out.push_back(
          fmt::format("{}:{}, wan {}:{}", instance.address, instance.port, wan.address, wan.port));
    }
    return out;
  }

  test::ActorFixture run;
  StorageActor storage = run.system.spawn(storage_actor, OpenStore{[] {
                                            return Result<std::unique_ptr<storage::Store>>{
                                                storage::make_memory_store()};
                                          }});
  CatalogActor catalog = run.system.spawn(catalog_actor, storage, CatalogActorOptions{});
  std::shared_ptr<Given> given = std::make_shared<Given>();
  caf::actor root = run.system.spawn(sink, given);
  AuthorityActor actor;
};

} // namespace

TEST_CASE("on Kubernetes a gateway lets peers in at the address of its own Service") {
  Fixture it{true};
  it.gateway({{"strait.dev/peering-port", "8443"}});
  CHECK(it.mesh_gateways() == Texts{}); // It has none yet, and the agent's is another's.
  it.service({});
  CHECK(it.mesh_gateways() == Texts{});
  it.service({"203.0.113.7"});
  CHECK(it.mesh_gateways() == Texts{"203.0.113.7:8443, wan 203.0.113.7:8443"});
  it.service({"203.0.113.8"});
  CHECK(it.mesh_gateways() == Texts{"203.0.113.8:8443, wan 203.0.113.8:8443"});

  SECTION("unless the Gateway says another") {
    it.gateway({{"strait.dev/peering-port", "8443"}, {"strait.dev/peering-address", "10.0.0.1"}});
    CHECK(it.mesh_gateways() == Texts{"10.0.0.1:8443, wan 10.0.0.1:8443"});
  }
  SECTION("and nowhere once it has no address") {
    it.service({});
    CHECK(it.mesh_gateways() == Texts{});
  }
  SECTION("and no more once it does not ask for it") {
    it.gateway({});
    CHECK(it.mesh_gateways() == Texts{});
  }
  SECTION("and no more once it is gone") {
    it.apply(catalog::Remove{{model::Kind::gateway, {"shop", "edge"}}, {}});
    CHECK(it.mesh_gateways() == Texts{});
  }
}

TEST_CASE("what an earlier life registered goes with its gateway, and nobody else's does") {
  Fixture it{true};
  it.gateway({{"strait.dev/peering-port", "8443"}});
  it.service({"203.0.113.7"});
  model::ServiceInstance other{.id = "mesh-gateway", .service = "mesh-gateway", .port = 443};
  other.tagged_addresses["wan"] = {"198.51.100.1", 443};
  it.apply(
      catalog::Register{.node = {.name = "gateway-1", .address = "10.9.9.9"}, .instance = other});
  it.stop();
  it.apply(catalog::Remove{{model::Kind::gateway, {"shop", "edge"}}, {}});
  CHECK(it.mesh_gateways().size() == 2);
  it.start(true);
  CHECK(it.mesh_gateways() == Texts{":443, wan 198.51.100.1:443"});
}

TEST_CASE("elsewhere a gateway lets peers in at the agent's address, unless it says another") {
  Fixture it{false};
  it.gateway({{"strait.dev/peering-port", "8443"}});
  CHECK(it.mesh_gateways() == Texts{"192.0.2.1:8443, wan 192.0.2.1:8443"});
  it.gateway({{"strait.dev/peering-port", "8444"}, {"strait.dev/peering-address", "10.0.0.1"}});
  CHECK(it.mesh_gateways() == Texts{"10.0.0.1:8444, wan 10.0.0.1:8444"});
}

TEST_CASE("the proxies of a gateway get one session key, whichever agent derives it") {
  Fixture it{true};
  it.gateway({});
  auto key = peering::session_key(it.authority().roots.at(0), "shop/edge").value();
  CHECK(it.session_keys("edge") == key + '\n');
  // Who waits for the identity has the key by then.
  CHECK(it.ids_given("edge") == Texts{"session-key", "mesh-gateway", "identity"});

  it.start(true);
  CHECK(it.session_keys("edge") == key + '\n');
  it.ids_given("edge");

  SECTION("another gateway gets another") {
    it.apply(catalog::Put{model::Gateway{.meta = {.name = {"shop", "other"}}}, {}});
    CHECK(it.session_keys("other").size() == key.size() + 1);
    CHECK(it.session_keys("other") != key + '\n');
    CHECK(it.ids_given("edge") == Texts{});
  }
  SECTION("after a rotation the former one follows the new one") {
    auto rotated = peering::rotate(it.authority(), now_wall()).value();
    it.apply(catalog::WriteAuthority{rotated});
    auto young = peering::session_key(rotated.roots.at(1), "shop/edge").value();
    CHECK(it.session_keys("edge") == young + '\n' + key + '\n');
  }
}
