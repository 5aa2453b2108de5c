#include "actors/catalog_sync_actor.hpp"

#include "actors/actor_fixture.test.hpp"
#include "storage/store.hpp"

using namespace strait;
using namespace strait::actors;
using namespace std::chrono_literals;

namespace {

using Texts = std::vector<std::string>;

struct Fixture {
  explicit Fixture(std::uint64_t seed = 0) : run{seed} {}
  ~Fixture() {
    for (auto& it : {caf::actor_cast<caf::actor>(actor), caf::actor_cast<caf::actor>(catalog),
                     caf::actor_cast<caf::actor>(storage)})
      caf::anon_send_exit(it, caf::exit_reason::user_shutdown);
    run.settle();
  }
  /// Again, as after a restart, where it runs already.
  void start(kubernetes::CatalogSyncOptions sync = {.mode = kubernetes::SyncMode::all}) {
    if (actor)
      caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    run.settle();
    CatalogSyncActorOptions options;
    options.sync = std::move(sync);
    options.services_in_flight_max = in_flight_max;
    options.compared = [this](const model::Name&, std::size_t in_flight) {
      ++compared;
      most_in_flight = std::max(most_in_flight, in_flight);
    };
    actor = run.system.spawn(catalog_sync_actor, catalog, options);
    run.settle();
  }
  static constexpr std::size_t in_flight_max = 2;
  void send(catalog::Command command) {
    caf::anon_send(catalog, apply_atom::value, std::move(command));
  }
  void apply(catalog::Command command) {
    auto applied = run.ask<Applied>(catalog, apply_atom::value, std::move(command));
    REQUIRE(applied.revision);
    run.settle();
  }
  static catalog::Command service(const std::string& name, model::StringMap annotations = {}) {
    model::Service out;
    out.meta.name = {"shop", name};
    out.meta.annotations = std::move(annotations);
    out.ports = {{.name = "http", .port = 80}};
    return catalog::Put{out, {}};
  }
  static catalog::Command slice(const std::string& name, const std::string& of,
                                const Texts& addresses) {
    model::EndpointSlice out;
    out.meta.name = {"shop", name};
    out.meta.labels = {{"kubernetes.io/service-name", of}};
    for (auto& address : addresses)
      out.endpoints.push_back({.addresses = {address}});
    out.ports = {{.name = "http", .port = 8080}};
    return catalog::Put{out, {}};
  }
  static catalog::Command remove(model::Kind kind, const std::string& name) {
    return catalog::Remove{{kind, {"shop", name}}, {}};
  }
  /// "NODE: ADDRESS" of a service's instances.
  Texts instances(const std::string& service) {
    auto view = run.ask<catalog::ViewPtr>(catalog, view_atom::value);
    Texts out;
    for (auto& it : catalog::instances_of(*view, {"", service}))
      out.push_back(it.instance->value.node + ": " + it.instance->value.address);
    return out;
  }
  catalog::Revision revision() {
    return run.ask<catalog::ViewPtr>(catalog, view_atom::value)->revision;
  }

  test::ActorFixture run;
  StorageActor storage = run.system.spawn(storage_actor, OpenStore{[] {
                                            return Result<std::unique_ptr<storage::Store>>{
                                                storage::make_memory_store()};
                                          }});
  CatalogActor catalog = run.system.spawn(catalog_actor, storage, CatalogActorOptions{});
  CatalogSyncActor actor;
  std::size_t compared = 0, most_in_flight = 0;
};

} // namespace

TEST_CASE("Services and their slices are followed into the catalog of services") {
  Fixture it;
  it.apply(it.service("api"));
  it.apply(it.slice("api-1", "api", {"10.0.0.1"}));
  it.start();
  CHECK(it.instances("api") == Texts{"k8s-sync: 10.0.0.1"});
  it.apply(it.slice("api-2", "api", {"10.0.0.2"}));
  CHECK(it.instances("api") == Texts{"k8s-sync: 10.0.0.1", "k8s-sync: 10.0.0.2"});
  it.apply(it.slice("api-1", "api", {}));
  CHECK(it.instances("api") == Texts{"k8s-sync: 10.0.0.2"});
  it.apply(it.remove(model::Kind::endpoint_slice, "api-2"));
  CHECK(it.instances("api") == Texts{});
  it.apply(it.slice("api-1", "api", {"10.0.0.1"}));
  it.apply(it.service("api", {{"consul.hashicorp.com/service-name", "billing"}}));
  CHECK(it.instances("api") == Texts{});
  CHECK(it.instances("billing") == Texts{"k8s-sync: 10.0.0.1"});
  it.apply(it.slice("api-1", "other", {"10.0.0.1"})); // It is another Service's now.
  CHECK(it.instances("billing") == Texts{});
  it.apply(it.slice("api-1", "api", {"10.0.0.1"}));
  it.apply(it.remove(model::Kind::service, "api"));
  CHECK(it.instances("billing") == Texts{});
}

TEST_CASE("Services of one name are one service, beside what somebody else registered") {
  Fixture it;
  it.start();
  it.apply(catalog::Register{.node = {.name = "vm", .address = "10.9.9.9"},
                             .instance =
                                 model::ServiceInstance{.service = "api", .address = "10.9.9.9"}});
  it.apply(it.service("api"));
  it.apply(it.slice("api-1", "api", {"10.0.0.1"}));
  it.apply(it.service("more", {{"consul.hashicorp.com/service-name", "api"}}));
  it.apply(it.slice("more-1", "more", {"10.0.0.2"}));
  CHECK(it.instances("api") == Texts{"k8s-sync: 10.0.0.1", "k8s-sync: 10.0.0.2", "vm: 10.9.9.9"});
  it.apply(it.remove(model::Kind::service, "api"));
  it.apply(it.remove(model::Kind::service, "more"));
  CHECK(it.instances("api") == Texts{"vm: 10.9.9.9"});
}

TEST_CASE("what somebody takes away of a synced Service is put back") {
  Fixture it;
  it.start();
  it.apply(it.service("api"));
  it.apply(it.slice("api-1", "api", {"10.0.0.1"}));
  it.apply(catalog::Deregister{.node = "k8s-sync"});
  CHECK(it.instances("api") == Texts{"k8s-sync: 10.0.0.1"});
}

TEST_CASE("after a restart that switches the sync off, only what was synced goes") {
  Fixture it;
  it.start();
  it.apply(it.service("api"));
  it.apply(it.slice("api-1", "api", {"10.0.0.1"}));
  it.apply(catalog::Register{.node = {.name = "k8s-sync", .address = "127.0.0.1"},
                             .instance = model::ServiceInstance{.service = "by-hand"}});
  it.start({});
  CHECK(it.instances("api") == Texts{});
  CHECK(it.instances("by-hand") == Texts{"k8s-sync: "});
  it.apply(it.slice("api-1", "api", {"10.0.0.2"}));
  CHECK(it.instances("api") == Texts{});
  it.start({.mode = kubernetes::SyncMode::annotated});
  CHECK(it.instances("api") == Texts{});
  it.start();
  CHECK(it.instances("api") == Texts{"k8s-sync: 10.0.0.2"});
}

TEST_CASE("whatever the order of turns, the catalog ends as the last slices have it") {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Fixture it{seed};
    it.start();
    for (int round = 0; round < 12; ++round) {
      auto which = it.run.random() % 5;
      auto name = "s" + std::to_string(which);
      Texts addresses;
      for (int host = 1; host < 4; ++host)
        if (it.run.random() % 2)
          addresses.push_back(fmt::format("10.0.{}.{}", which, host));
      it.send(it.service(name));
      it.send(it.slice(name, name, addresses));
      it.run.run_some(it.run.random() % 12);
    }
    it.run.settle(); // What is asked now is asked of the last state.
    for (int which = 0; which < 5; ++which) {
      Texts addresses;
      auto view = it.run.ask<catalog::ViewPtr>(it.catalog, view_atom::value);
      auto* slice = view->find<model::EndpointSlice>({"shop", "s" + std::to_string(which)});
      if (slice)
        for (auto& endpoint : slice->endpoints)
          addresses.push_back("k8s-sync: " + endpoint.addresses.front());
      INFO("seed " << seed);
      CHECK(it.instances("s" + std::to_string(which)) == addresses);
    }
  }
}

TEST_CASE("a changed slice costs its own Service, and an unchanged one writes nothing") {
  auto cost = [](int services) {
    Fixture it;
    for (int n = 0; n < services; ++n) {
      it.send(it.service("s" + std::to_string(n)));
      it.send(it.slice("s" + std::to_string(n), "s" + std::to_string(n), {"10.0.0.1"}));
    }
    it.start();
    auto before = it.compared;
    it.apply(it.slice("s1", "s1", {"10.0.0.1", "10.0.0.2"}));
    CHECK(it.instances("s1").size() == 2);
    auto after = it.compared;
    auto revision = it.revision();
    it.apply(it.slice("s1", "s1", {"10.0.0.2", "10.0.0.1"})); // Another object, the same instances.
    CHECK(it.revision() == revision + 1);
    return after - before;
  };
  auto few = cost(3), many = cost(300);
  CHECK(few == many);
  CHECK(many <= 3); // The slice, and once more when the instance is there.
}

TEST_CASE("no more Services than allowed have commands under way") {
  Fixture it;
  for (int n = 0; n < 20; ++n) {
    it.send(it.service("s" + std::to_string(n)));
    it.send(it.slice("s" + std::to_string(n), "s" + std::to_string(n), {"10.0.0.1"}));
  }
  it.start();
  CHECK(it.most_in_flight == Fixture::in_flight_max);
  for (int n = 0; n < 20; ++n)
    CHECK(it.instances("s" + std::to_string(n)) == Texts{"k8s-sync: 10.0.0.1"});
}
