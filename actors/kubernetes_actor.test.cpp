#include "actors/kubernetes_actor.hpp"

#include "actors/kubernetes_fixture.test.hpp"

using namespace strait;
using namespace strait::actors;
using namespace std::chrono_literals;

namespace {

const std::string group = "gateway.networking.k8s.io";
const std::string crd =
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gatewayclasses." + group;
const std::string classes = "/apis/" + group + "/v1/gatewayclasses";

struct Edge : test::KubernetesFixture {
  Edge() {
    KubeStatusOptions writing;
    writing.client = client;
    writing.catalog = catalog;
    status = run.system.spawn(kube_status_actor, writing);
    options.client = client;
    options.catalog = catalog;
    options.status = status;
    server.put("/api/v1/namespaces/shop",
               R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}})");
    server.put(classes + "/a", R"({"apiVersion":"gateway.networking.k8s.io/v1",)"
                               R"("kind":"GatewayClass","metadata":{"name":"a"},)"
                               R"("spec":{"controllerName":"strait.dev/gateway-controller"}})");
  }
  ~Edge() {
    end(actor);
    end(status);
  }
  void start() { actor = run.system.spawn(kubernetes_actor, options); }
  void serve_classes() {
    server.serve_kinds(group, "v1", {"gatewayclasses"});
    server.put(crd, fmt::format(R"({{"metadata":{{"name":"gatewayclasses.{}"}}}})", group));
  }
  /// Everything is in, as the agent is told.
  bool synced() {
    auto pending = std::make_shared<bool>(false);
    run.system.spawn([pending, to = actor](caf::event_based_actor* asker) {
      asker->request(to, caf::infinite, synced_atom::value).then([pending](bool in) {
        *pending = in;
      });
    });
    return until([&] { return *pending; });
  }
  bool has_class() { return view()->find<model::GatewayClass>({"", "a"}) != nullptr; }
  bool has_secret(const std::string& name) {
    return view()->find<model::Secret>({"shop", name}) != nullptr;
  }
  std::size_t rounds() const { return server.count_asked("GET", "/apis/" + group); }

  KubernetesOptions options;
  KubeStatusActor status;
  KubernetesActor actor;
};

} // namespace

TEST_CASE("a cluster without the Gateway API is in once its built-in kinds are") {
  Edge it;
  it.start();
  REQUIRE(it.synced());
  CHECK(it.view()->find<model::Namespace>({"", "shop"}) != nullptr);
  CHECK(!it.has_class());
}

TEST_CASE("a cluster is in when the kinds are that it serves") {
  Edge it;
  it.serve_classes();
  it.start();
  REQUIRE(it.synced());
  CHECK(it.has_class());
}

TEST_CASE("a kind whose CRD comes later is mirrored then, and goes with its CRD") {
  Edge it;
  it.start();
  REQUIRE(it.synced());
  it.serve_classes();
  auto before = it.rounds();
  it.quiet();
  CHECK(it.rounds() == before); // CRDs come in swarms: it is waited until they have settled.
  it.run.advance(it.options.discover_settle);
  REQUIRE(it.until([&] { return it.has_class(); }));
  CHECK(it.rounds() == before + 1);

  it.server.unserve(group);
  it.server.remove(crd);
  it.quiet();
  it.run.advance(it.options.discover_hurry);
  REQUIRE(it.until([&] { return !it.has_class(); }));
}

TEST_CASE("a CRD that is served some moments after it came is found by the rounds that follow") {
  Edge it;
  it.start();
  REQUIRE(it.synced());
  it.server.put(crd, fmt::format(R"({{"metadata":{{"name":"gatewayclasses.{}"}}}})", group));
  it.quiet();
  it.run.advance(it.options.discover_settle);
  it.quiet();
  CHECK(!it.has_class());
  it.server.serve_kinds(group, "v1", {"gatewayclasses"});
  it.run.advance(it.options.discover_hurry);
  REQUIRE(it.until([&] { return it.has_class(); }));
}

TEST_CASE("a server that fails has not lost its kinds, and is asked again later and later") {
  Edge it;
  it.serve_classes();
  it.start();
  REQUIRE(it.synced());
  it.server.instead = [](const net::HttpRequest& request) -> std::optional<net::HttpResponse> {
    if (!request.path().starts_with("/apis/" + group))
      return {};
    return net::HttpResponse{500, {}, "{}"};
  };
  it.run.advance(it.options.discover_again);
  it.quiet();
  auto failed = it.rounds();
  it.run.advance(it.options.retry_min);
  it.quiet();
  CHECK(it.rounds() == failed + 1);
  it.run.advance(it.options.retry_min); // Now it is twice as long.
  it.quiet();
  CHECK(it.rounds() == failed + 1);
  CHECK(it.has_class());
  it.server.instead = {};
  it.server.unserve(group);
  REQUIRE(it.until([&] {
    it.run.advance(it.options.retry_min);
    return !it.has_class();
  }));
}

TEST_CASE("only Secrets that something refers to are read, and no more than the maximum") {
  Edge it;
  it.options.references_max = 2;
  for (auto name : {"one", "two", "three", "unused"})
    it.server.put(fmt::format("/api/v1/namespaces/shop/secrets/{}", name),
                  fmt::format(R"({{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"{}",)"
                              R"("namespace":"shop"}},"data":{{}}}})",
                              name));
  it.serve_classes();
  it.start();
  REQUIRE(it.synced());
  auto refer_to = [&](std::vector<std::string> names) {
    model::Gateway gateway{.meta = {.name = {"shop", "edge"}}, .class_name = "a"};
    for (auto& name : names) {
      model::Listener listener{.name = "https", .port = 443, .protocol = "HTTPS"};
      listener.tls.emplace();
      listener.tls->certificates = {{.name = name}};
      gateway.listeners.push_back(listener);
    }
    it.put(gateway);
  };
  it.quiet();
  CHECK(it.server.count_asked("GET", "/api/v1/namespaces/shop/secrets") == 0);
  refer_to({"one", "two"});
  REQUIRE(it.until([&] { return it.has_secret("one") && it.has_secret("two"); }));
  refer_to({"one", "two", "three"});
  it.quiet();
  CHECK(!it.has_secret("three"));
  refer_to({"two", "three"});
  REQUIRE(it.until([&] { return !it.has_secret("one") && it.has_secret("three"); }));
  CHECK(it.has_secret("two"));
  CHECK(!it.has_secret("unused"));
  CHECK(it.server.count_asked("GET", "/api/v1/secrets") == 0);
}
