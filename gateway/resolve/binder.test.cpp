#include "gateway/resolve/conditions.hpp"
#include "gateway/resolve/plan.hpp"
#include "gateway/resolve/resolve.hpp"
#include "gateway/resolve/test_catalog.hpp"
#include "net/test_certificates.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::gateway;
using namespace strait::gateway::resolve;

namespace {

const model::Name edge{"default", "edge"};

model::ObjectKey key_of(const std::string& route) {
  return {model::Kind::http_route, {"default", route}};
}

/// One gateway's Binder over a catalog, with the parts that actors do played by hand.
struct Fixture {
  TestCatalog catalog;
  Binder binder{edge, {}};
  Config applied; ///< What a proxy has that only applied deltas after its first configuration.

  Fixture() {
    start(model::strait_controller);
    for (auto& name : {"web", "api"})
      catalog.put(service("default", name));
    catalog.put(service("shop", "web"));
    catalog.put(http_gateway());
    look();
  }

  void start(std::string_view controller, std::optional<model::InvalidBackends> policy = {}) {
    auto it = gateway_class(controller);
    if (policy) {
      auto config = named<model::GatewayClassConfig>("", "settings");
      config.reference_policy.invalid_backends = policy;
      catalog.put(config);
      it.parameters = {"consul.hashicorp.com", "GatewayClassConfig", "settings", ""};
    }
    catalog.put(it);
  }

  void look() { binder.view_changed(catalog.view()); }
  void resolve(const std::string& name) {
    binder.route_changed(key_of(name), resolve_route(catalog.view(), key_of(name)));
  }
  void route(const std::string& name, const std::vector<std::string>& services) {
    catalog.put(http_route(name, services));
    resolve(name);
  }
  void tell(const std::string& cluster, std::vector<Endpoint> endpoints = {{"10.0.0.1", 80, 1}}) {
    binder.cluster_changed(
        std::make_shared<const Cluster>(Cluster{.id = cluster, .endpoints = endpoints}));
  }
  Binder::Taken take() {
    auto taken = binder.take();
    if (taken.delta)
      applied = apply(applied, *taken.delta);
    else if (taken.config)
      applied = *taken.config;
    if (taken.config)
      CHECK(to_text(applied) == to_text(*taken.config));
    return taken;
  }
  /// The clusters of the served route's one rule, "500" for a refusal; "-" if it is not served.
  std::string served(const std::string& route) {
    take();
    auto* found = applied.routes.find(binding_key("http", to_string(key_of(route))));
    if (!found)
      return "-";
    std::string text;
    for (auto& backend : std::get<HttpRoute>((*found)->route).rules.at(0).backends)
      text += (text.empty() ? "" : " ") + (backend.cluster.empty() ? "500" : backend.cluster);
    return text;
  }
};

const std::string web = "service/default/web/80", api = "service/default/api/80",
                  shop = "service/shop/web/80";

} // namespace

TEST_CASE_METHOD(Fixture, "a new route is served once all its clusters are known") {
  route("r", {"web", "api"});
  CHECK_FALSE(binder.complete());
  CHECK(binder.clusters() == std::set<std::string>{api, web});
  CHECK(served("r") == "-");
  tell(web);
  CHECK(served("r") == "-");
  tell(api);
  CHECK(binder.complete());
  CHECK(served("r") == web + " " + api);
}

TEST_CASE_METHOD(Fixture,
                 "a changed route that waits for endpoints is served as before meanwhile") {
  route("r", {"web"});
  tell(web);
  REQUIRE(served("r") == web);
  route("r", {"api"});
  CHECK(served("r") == web);
  CHECK(binder.clusters() == std::set<std::string>{api, web});
  tell(api);
  CHECK(served("r") == api);
  CHECK(binder.clusters() == std::set<std::string>{api});
  CHECK_FALSE(applied.clusters.contains(web));
}

TEST_CASE_METHOD(Fixture, "a route that lost a grant waits for nothing") {
  catalog.put(grant_in("shop"));
  route("r", {"shop/web"});
  tell(shop);
  REQUIRE(served("r") == shop);
  catalog.remove(model::Kind::reference_grant, {"shop", "let-in"});
  route("r", {"shop/web", "api"});
  CHECK(binder.complete());
  CHECK(served("r") == "500 " + api);
  REQUIRE(applied.clusters.contains(api));
  CHECK((*applied.clusters.find(api))->endpoints.empty());
  tell(api);
  CHECK(served("r") == "500 " + api);
  CHECK((*applied.clusters.find(api))->endpoints.size() == 1);
}

TEST_CASE_METHOD(Fixture, "an edit that drops what lost its grant waits for nothing either") {
  catalog.put(grant_in("shop"));
  route("r", {"shop/web"});
  tell(shop);
  REQUIRE(served("r") == shop);
  catalog.remove(model::Kind::reference_grant, {"shop", "let-in"});
  route("r", {"api"});
  CHECK(served("r") == api);
}

TEST_CASE_METHOD(Fixture, "a cluster's change replaces one pointer and no route") {
  route("r", {"web"});
  route("s", {"web"});
  tell(web);
  take();
  auto bound = binder.counters().routes_bound;
  tell(web, {{"10.0.0.2", 80, 1}});
  auto taken = take();
  REQUIRE(taken.delta);
  CHECK(taken.delta->clusters.size() == 1);
  CHECK(taken.delta->routes.empty());
  CHECK(taken.delta->listeners.empty());
  CHECK(taken.routes.empty());
  CHECK_FALSE(taken.gateway);
  CHECK(binder.counters().routes_bound == bound);
}

TEST_CASE_METHOD(Fixture, "of 10,000 bound routes the change of one binds one") {
  tell(web);
  for (int i = 0; i < 10'000; ++i) {
    auto name = "r" + std::to_string(i);
    auto resolved = std::make_shared<ResolvedRoute>();
    resolved->route = key_of(name);
    resolved->parents = {{.ns = "default", .name = "edge"}};
    resolved->content = HttpRoute{};
    resolved->clusters = {web};
    binder.route_changed(key_of(name), resolved);
  }
  tell(web);
  CHECK(take().config->routes.size() == 10'000);
  auto before = binder.counters();
  route("r5000", {"web"});
  auto taken = take();
  REQUIRE(taken.delta);
  CHECK(taken.delta->routes.size() == 1);
  CHECK(taken.delta->clusters.empty());
  CHECK(taken.routes.size() == 1);
  CHECK(binder.counters().routes_bound == before.routes_bound + 1);
  CHECK(binder.counters().listeners_checked == before.listeners_checked + 1);
  binder.route_changed(key_of("r5000"), nullptr);
  taken = take();
  REQUIRE(taken.delta);
  CHECK(taken.delta->routes.size() == 1);
  CHECK(taken.config->routes.size() == 9'999);
  CHECK(binder.counters().routes_bound == before.routes_bound + 1);
  CHECK(taken.gateway->listeners.at(0).attached_routes == 9'999);
}

TEST_CASE_METHOD(Fixture, "a cluster that is left and taken up again is not waited for anew") {
  route("r", {"web"});
  tell(web);
  REQUIRE(served("r") == web);
  auto in_use = binder.clusters();
  binder.route_changed(key_of("r"), nullptr);
  tell(web, {{"10.0.0.2", 80, 1}}); // Whoever tells has not heard that it was left.
  resolve("r");
  CHECK(binder.clusters() == in_use);
  CHECK(binder.complete());
  CHECK(served("r") == web);
  CHECK((*applied.clusters.find(web))->endpoints.at(0).address == "10.0.0.2");

  binder.route_changed(key_of("r"), nullptr);
  CHECK(binder.clusters().empty());
  resolve("r");
  CHECK_FALSE(binder.complete());
}

TEST_CASE_METHOD(Fixture, "what was changed and changed back is in no delta") {
  route("r", {"web"});
  tell(web);
  take();
  route("r", {"web", "web"});
  route("r", {"web"});
  tell(web, {});
  tell(web);
  auto before = applied.epoch;
  auto taken = take();
  CHECK_FALSE(taken.delta);
  CHECK(taken.config->epoch == before);
}

TEST_CASE_METHOD(Fixture, "detached for want of a grant, a route returns with it (B12)") {
  start(model::consul_controller);
  look();
  catalog.put(grant_in("shop"));
  route("r", {"web", "shop/web"});
  tell(web);
  tell(shop);
  REQUIRE(served("r") == web + " " + shop);
  catalog.remove(model::Kind::reference_grant, {"shop", "let-in"});
  resolve("r");
  auto taken = take();
  REQUIRE(taken.delta);
  CHECK(taken.delta->routes.size() == 1);
  CHECK(taken.delta->clusters.size() == 2);
  CHECK(taken.gateway->listeners.at(0).attached_routes == 0);
  auto& conditions = taken.routes.at(key_of("r")).at(0).conditions;
  CHECK_FALSE(conditions.at(0).status);
  CHECK(conditions.at(0).reason == model::Reason::ref_not_permitted);
  catalog.put(grant_in("shop"));
  resolve("r");
  tell(web);
  tell(shop);
  CHECK(served("r") == web + " " + shop);
}

TEST_CASE_METHOD(Fixture, "KeepLastGood serves the last good route, and says so") {
  start(model::strait_controller, model::InvalidBackends::keep_last_good);
  look();
  auto good = http_route("r", {"web"});
  good.hostnames = {"old.example.com"};
  catalog.put(good);
  resolve("r");
  tell(web);
  REQUIRE(served("r") == web);
  auto bad = http_route("r", {"gone"});
  bad.hostnames = {"new.example.com"};
  catalog.put(bad);
  resolve("r");
  auto taken = take();
  CHECK_FALSE(taken.delta); // As before, hostnames too.
  auto conditions = taken.routes.at(key_of("r")).at(0).conditions;
  REQUIRE(conditions.size() == 3);
  CHECK(conditions[0].status);
  CHECK(conditions[1].reason == model::Reason::backend_not_found);
  CHECK(conditions[2].type == model::ConditionType::partially_invalid);
  CHECK(conditions[2].message.starts_with("Fall Back"));
  CHECK(conditions[2].observed_generation == 1);
  CHECK(conditions[0].observed_generation == 2);

  SECTION("until it resolves again") {
    route("r", {"web"});
    taken = take();
    CHECK(taken.routes.at(key_of("r")).at(0).conditions.size() == 2);
    CHECK(served("r") == web);
  }
  SECTION("but not where it may not be any more") {
    bad.parents[0].section_name = "other";
    catalog.put(bad);
    resolve("r");
    CHECK(served("r") == "-");
  }
  SECTION("and a Binder that starts then has nothing to fall back to") {
    binder = Binder{edge, {}};
    applied = {};
    look();
    resolve("r");
    CHECK(served("r") == "500");
  }
}

TEST_CASE_METHOD(Fixture, "KeepLastGood never bridges a grant that is gone") {
  start(model::strait_controller, model::InvalidBackends::keep_last_good);
  look();
  catalog.put(grant_in("shop"));
  route("r", {"shop/web"});
  tell(shop);
  REQUIRE(served("r") == shop);
  SECTION("while granted, another missing reference is bridged") {
    route("r", {"shop/web", "gone"});
    CHECK(served("r") == shop);
  }
  SECTION("the route still refers to it") {
    catalog.remove(model::Kind::reference_grant, {"shop", "let-in"});
    resolve("r");
    CHECK(served("r") == "500");
  }
  SECTION("the route refers to something else that is missing") {
    catalog.remove(model::Kind::reference_grant, {"shop", "let-in"});
    route("r", {"gone"});
    CHECK(served("r") == "500");
  }
}

TEST_CASE_METHOD(Fixture, "a certificate that is renewed binds no route anew") {
  auto gateway = http_gateway();
  bool selects = GENERATE(false, true);
  model::Listener https{.name = "https", .port = 8443, .protocol = "HTTPS"};
  https.tls = model::ListenerTls{};
  https.tls->certificates.push_back({.name = "cert"});
  if (selects) {
    https.allowed.from = model::FromNamespaces::selector;
    https.allowed.selector.match_labels = {{"tier", "gold"}};
  }
  gateway.listeners.push_back(https);
  auto secret = named<model::Secret>("default", "cert");
  secret.type = "kubernetes.io/tls";
  auto issued = [&secret] {
    auto pair = net::testing::issue({.common_name = "example.com"});
    secret.data = {{"tls.crt", pair.certificate}, {"tls.key", pair.key}};
  };
  issued();
  auto home = named<model::Namespace>("", "default");
  catalog.put(home);
  catalog.put(gateway);
  catalog.put(secret);
  look();
  route("r", {"web"});
  tell(web);
  take();

  auto before = binder.counters().routes_bound;
  issued();
  catalog.put(secret);
  look();
  auto taken = take();
  REQUIRE(taken.delta);
  CHECK(taken.delta->certificates.size() == 1);
  CHECK(taken.delta->routes.empty());
  CHECK(taken.delta->listeners.empty());
  CHECK(binder.counters().routes_bound == before);

  // Labels of namespaces matter only to who selects by them.
  home.meta.labels = {{"tier", "gold"}};
  catalog.put(home);
  look();
  CHECK(binder.counters().routes_bound == before + (selects ? 1 : 0));
  CHECK(take().config->routes.size() == 2);
}

TEST_CASE_METHOD(Fixture, "an identity that comes and changes is a certificate of its own") {
  auto identity = [](std::string chain) {
    return std::make_shared<const Certificate>(Certificate{"identity", std::move(chain), "key"});
  };
  take();
  binder.identity_changed(identity("a"));
  CHECK(take().delta->certificates.size() == 1);
  binder.identity_changed(identity("b"));
  CHECK((*take().config->certificates.find("identity"))->chain_pem == "b");
  look();
  CHECK_FALSE(take().delta);
}

TEST_CASE_METHOD(Fixture, "session keys reach the proxies beside the identity, as they are") {
  auto keys =
      std::make_shared<const Certificate>(Certificate{"session-key", {}, "second\nfirst\n"});
  auto identity = std::make_shared<const Certificate>(Certificate{"identity", "chain", "key"});
  take();
  binder.identity_changed(keys);
  binder.identity_changed(identity);
  auto config = take().config;
  CHECK(*config->certificates.find("session-key") == keys);
  CHECK(to_text(*config).find("first") == std::string::npos); // Told of, never shown.
  auto whole = resolve_all(catalog.view(), edge, {}, {keys, identity}).config;
  CHECK(whole->certificates == config->certificates);
}

TEST_CASE_METHOD(Fixture, "a gateway that is no longer ours takes back what was said") {
  route("r", {"web"});
  tell(web);
  CHECK(take().config);
  auto gateway = http_gateway();
  gateway.class_name = "unknown";
  catalog.put(gateway);
  look();
  auto taken = take();
  CHECK_FALSE(taken.config);
  REQUIRE(taken.gateway);
  CHECK(taken.gateway->conditions.at(0).reason == model::Reason::pending);
  CHECK(taken.routes.at(key_of("r")).empty());
  auto foreign = named<model::GatewayClass>("", "unknown");
  foreign.controller_name = "example.com/other";
  catalog.put(foreign);
  look();
  taken = take();
  REQUIRE(taken.gateway);
  CHECK(taken.gateway->conditions.empty());
}

TEST_CASE_METHOD(Fixture,
                 "what is kept of a route is told when it changes, and serves a next Binder") {
  start(model::strait_controller, model::InvalidBackends::keep_last_good);
  look();
  route("r", {"web"});
  tell(web);
  auto taken = take();
  REQUIRE(taken.kept.contains(key_of("r")));
  auto kept = taken.kept.at(key_of("r"));
  CHECK(kept->clusters == std::set<std::string>{web});
  resolve("r");
  CHECK(take().kept.empty()); // As it was.
  binder.not_kept(key_of("r"));
  CHECK(take().kept.contains(key_of("r")));
  route("r", {"gone"});
  CHECK(take().kept.empty()); // Of what is broken nothing is kept.

  binder = Binder{edge, {}};
  applied = {};
  binder.remember(kept);
  look();
  resolve("r");
  binder.all_routes_told();
  tell(web);
  CHECK(served("r") == web);
  SECTION("it goes with the policy") {
    auto config = named<model::GatewayClassConfig>("", "settings");
    config.reference_policy.invalid_backends = model::InvalidBackends::respond_500;
    catalog.put(config);
    look();
    CHECK_FALSE(take().kept.at(key_of("r")));
  }
  SECTION("it goes with the route") {
    binder.route_changed(key_of("r"), nullptr);
    CHECK_FALSE(take().kept.at(key_of("r")));
  }
}

TEST_CASE_METHOD(Fixture, "what is kept is nothing under another policy, or once nobody names it") {
  route("r", {"web"});
  tell(web);
  CHECK(take().kept.empty());
  start(model::strait_controller, model::InvalidBackends::keep_last_good);
  look();
  auto kept = take().kept.at(key_of("r"));
  binder = Binder{edge, {}};
  binder.remember(kept);
  look();
  CHECK(take().kept.empty()); // It may still come.
  binder.all_routes_told();
  CHECK_FALSE(take().kept.at(key_of("r")));
}

TEST_CASE_METHOD(Fixture, "a revoked grant rules over what a Binder before kept") {
  start(model::strait_controller, model::InvalidBackends::keep_last_good);
  catalog.put(grant_in("shop"));
  look();
  route("r", {"shop/web"});
  tell(shop);
  auto kept = take().kept.at(key_of("r"));
  catalog.remove(model::Kind::reference_grant, {"shop", "let-in"});
  route("r", {"shop/web", "gone"});
  binder = Binder{edge, {}};
  applied = {};
  binder.remember(kept);
  look();
  resolve("r");
  tell(shop);
  CHECK(served("r") == "500 500");
}

TEST_CASE_METHOD(Fixture, "of every route that is served in another way it tells how it stands") {
  take();
  route("r", {"web"});
  auto taken = take();
  REQUIRE(taken.services.contains(key_of("r")));
  CHECK(taken.services.at(key_of("r")).waits);
  tell(web);
  taken = take();
  CHECK_FALSE(taken.services.at(key_of("r")).waits);
  CHECK(taken.services.at(key_of("r")).parents == std::vector{true});
  CHECK(taken.routes.empty());
  tell(web, {}); // Endpoints are no change of the route.
  CHECK(take().services.empty());
  auto gateway = http_gateway();
  gateway.listeners[0].protocol = "SCTP";
  catalog.put(gateway);
  look();
  taken = take();
  CHECK(taken.services.at(key_of("r")).parents == std::vector{false});
  CHECK(taken.routes.contains(key_of("r")));
  binder.route_changed(key_of("r"), nullptr);
  CHECK(take().services.at(key_of("r")).parents.empty());
}

TEST_CASE_METHOD(Fixture, "epochs can go on from those of a Binder before") {
  Binder next{edge, {}, 41};
  next.view_changed(catalog.view());
  auto taken = next.take();
  CHECK(taken.config->epoch == 42);
  CHECK_FALSE(taken.delta);
  CHECK(next.take().config->epoch == 42);
}

TEST_CASE("a listener with a field that cannot be carried out fails alone") {
  Fixture it;
  auto gateway = http_gateway();
  gateway.listeners.push_back({.name = "other", .port = 8001, .protocol = "HTTP"});
  gateway.unsupported = {{"spec.listeners[1].allowedRoutes.namespaces", "expected a selector"}};
  it.catalog.put(gateway);
  it.look();
  it.route("one", {"web"});
  it.tell(web);
  CHECK(it.served("one") == web);
  auto plan = plan_gateway(it.catalog.view(), edge, {});
  REQUIRE(plan.listeners.size() == 2);
  CHECK(plan.listeners[0].programmed);
  CHECK_FALSE(plan.listeners[1].programmed);
  auto& accepted = find(plan.listeners[1].conditions, model::ConditionType::accepted);
  CHECK(accepted.reason == model::Reason::unsupported_value);
  CHECK(accepted.message == "spec.listeners[1].allowedRoutes.namespaces: expected a selector");

  gateway.unsupported = {{"spec.infrastructure.labels", "expected a label"}};
  it.catalog.put(gateway);
  CHECK_FALSE(plan_gateway(it.catalog.view(), edge, {}).programmed);
}

TEST_CASE("a route with a field that cannot be carried out is refused, and says which") {
  Fixture it;
  auto route = http_route("one", {"web"});
  it.catalog.put(route);
  it.resolve("one");
  it.tell(web);
  CHECK(it.served("one") == web);
  route.unsupported = {{"spec.rules[0]", "expected something else"}};
  it.catalog.put(route);
  it.resolve("one");
  CHECK(it.served("one") == "-");
  CHECK(resolve_route(it.catalog.view(), key_of("one"))->refused->message ==
        "spec.rules[0]: expected something else");
}

TEST_CASE("no listener of a pod can have the port that says whether it is ready") {
  Fixture it;
  auto gateway = http_gateway();
  gateway.listeners.push_back({.name = "ready", .port = 20000, .protocol = "HTTP"});
  it.catalog.put(gateway);
  CHECK(plan_gateway(it.catalog.view(), edge, {}).listeners.at(1).programmed);
  Settings pods;
  pods.kubernetes = true;
  auto plan = plan_gateway(it.catalog.view(), edge, pods);
  auto& accepted = find(plan.listeners.at(1).conditions, model::ConditionType::accepted);
  CHECK(accepted.reason == model::Reason::port_unavailable);
  CHECK(find(plan.listeners.at(0).conditions, model::ConditionType::accepted).status);
}

TEST_CASE_METHOD(Fixture, "what stands in for a cluster is known before a route is served") {
  auto tell_web = [&](std::vector<std::string> failover) {
    binder.cluster_changed(std::make_shared<const Cluster>(
        Cluster{.id = web, .endpoints = {{"10.0.0.1", 80, 1}}, .failover = std::move(failover)}));
  };
  using Ids = std::set<std::string>;
  const std::string far = "peer/dc2/web";
  route("r", {"web"});
  tell_web({api, far});
  CHECK(served("r") == "-");
  CHECK(binder.clusters() == Ids{api, far, web});
  // What would stand in for a stand-in is of no matter.
  binder.cluster_changed(std::make_shared<const Cluster>(
      Cluster{.id = api, .endpoints = {{"10.0.0.2", 80, 1}}, .failover = {shop}}));
  CHECK_FALSE(binder.complete());
  tell(far);
  CHECK(binder.complete());
  CHECK(served("r") == web);
  CHECK(binder.clusters() == Ids{api, far, web});
  CHECK((*applied.clusters.find(api))->endpoints.size() == 1);
  CHECK(applied.clusters.contains(far));

  // Its endpoints may change while it stands in, and so may what stands in.
  tell(far, {});
  take();
  CHECK((*applied.clusters.find(far))->endpoints.empty());
  auto bound = binder.counters().routes_bound;
  tell_web({shop});
  take();
  CHECK(binder.counters().routes_bound == bound);
  CHECK(binder.clusters() == Ids{shop, web});
  CHECK_FALSE(applied.clusters.contains(far));
  CHECK((*applied.clusters.find(shop))->endpoints.empty());
  tell(shop);
  take();
  CHECK((*applied.clusters.find(shop))->endpoints.size() == 1);

  // A route of its own keeps it when it stands in no more, and nothing else does.
  route("s", {"shop/web"});
  catalog.put(grant_in("shop"));
  resolve("s");
  REQUIRE(served("s") == shop);
  tell_web({});
  take();
  CHECK(binder.clusters() == Ids{shop, web});
  CHECK(applied.clusters.contains(shop));
  catalog.remove(model::Kind::http_route, {"default", "s"});
  resolve("s");
  take();
  CHECK(binder.clusters() == Ids{web});
  tell_web({shop});
  catalog.remove(model::Kind::http_route, {"default", "r"});
  resolve("r");
  take();
  CHECK(binder.clusters().empty());
  CHECK(applied.clusters.size() == 0);
}
