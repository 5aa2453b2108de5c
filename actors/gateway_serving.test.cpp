#include "actors/gateway_serving.hpp"

#include "gateway/resolve/test_catalog.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::actors;
using namespace strait::gateway::resolve;

namespace {

const model::Name edge{"default", "edge"};
const model::ObjectKey gateway_key{model::Kind::gateway, edge},
    route_key{model::Kind::http_route, {"default", "r"}};

/// A Binder over a catalog, and what its answers mean.
struct Fixture {
  TestCatalog catalog;
  Binder binder{edge, {}};
  GatewayServing serving{edge};
  std::uint64_t epoch = 0;

  Fixture() {
    catalog.put(gateway_class(model::strait_controller));
    catalog.put(service("default", "web"));
    catalog.put(http_gateway());
    binder.view_changed(catalog.view());
    step();
    serve();
  }
  Binder::Taken step() {
    auto taken = binder.take();
    serving.took(taken);
    epoch = taken.config ? taken.config->epoch : 0;
    return taken;
  }
  void serve() { serving.ledger().served(1, epoch); }
  void route(const std::string& service) {
    catalog.put(http_route("r", {service}));
    binder.route_changed(route_key, resolve_route(catalog.view(), route_key));
  }
  void endpoints() {
    auto id = "service/default/web/80";
    binder.cluster_changed(std::make_shared<const gateway::Cluster>(gateway::Cluster{.id = id}));
  }
  /// "Kind/listener=word" of each word.
  std::string words() {
    std::string text;
    for (auto& it : serving.words())
      text += (text.empty() ? "" : " ") + std::string{to_string(it.object.kind)} +
              (it.listener.empty() ? "" : "/" + it.listener) + "=" +
              std::vector<std::string>{"unknown", "serving", "pending",
                                       "none"}[static_cast<std::size_t>(it.word)];
    return text;
  }
};

const model::Condition* serving_of(const std::vector<model::Condition>& conditions) {
  for (auto& it : conditions)
    if (it.type == model::ConditionType::serving)
      return &it;
  return nullptr;
}

} // namespace

TEST_CASE_METHOD(Fixture, "listeners and routes are served with the configuration they came in") {
  CHECK(words() == "Gateway/http=serving");
  route("web");
  step();
  CHECK(words() == "HTTPRoute=pending"); // It waits for endpoints.
  serve();
  CHECK(words().empty());
  endpoints();
  step();
  CHECK(words().empty());
  serve();
  CHECK(words() == "HTTPRoute=serving");
}

TEST_CASE_METHOD(Fixture, "a count of routes changes nothing about a listener") {
  words();
  route("gone"); // Served at once: its share is answered with 500.
  auto taken = step();
  CHECK(taken.gateway);
  CHECK(words() == "HTTPRoute=pending");
  serve();
  CHECK(words() == "HTTPRoute=serving");
}

TEST_CASE_METHOD(Fixture, "what no listener serves says so, and its word is taken back") {
  route("gone");
  step();
  serve();
  words();
  auto gateway = http_gateway();
  gateway.listeners[0].protocol = "SCTP";
  catalog.put(gateway);
  binder.view_changed(catalog.view());
  auto taken = step();
  CHECK(words() == "Gateway/http=unknown HTTPRoute=unknown");
  auto* listener = serving_of(taken.gateway->listeners.at(0).conditions);
  REQUIRE(listener);
  CHECK_FALSE(listener->status);
  CHECK(listener->reason == model::Reason::not_programmed);
  auto* parent = serving_of(taken.routes.at(route_key).at(0).conditions);
  REQUIRE(parent);
  CHECK_FALSE(parent->status);
  catalog.put(http_gateway());
  binder.view_changed(catalog.view());
  taken = step();
  CHECK_FALSE(serving_of(taken.routes.at(route_key).at(0).conditions));
  CHECK(words() == "Gateway/http=pending HTTPRoute=pending");
}

TEST_CASE_METHOD(Fixture, "a listener of a ListenerSet is known by its set") {
  auto gateway = http_gateway();
  gateway.listener_sets = model::FromNamespaces::all;
  catalog.put(gateway);
  auto set = named<model::ListenerSet>("team", "s");
  set.parent.ns = "default";
  set.parent.name = "edge";
  set.listeners.push_back({.name = "more", .port = 8001, .protocol = "HTTP"});
  catalog.put(set);
  binder.view_changed(catalog.view());
  words();
  step();
  serve();
  CHECK(words() == "ListenerSet/more=serving");
  set.listeners[0].hostname = "a.example.com";
  catalog.put(set);
  binder.view_changed(catalog.view());
  step();
  CHECK(words() == "ListenerSet/more=pending");
  catalog.remove(model::Kind::listener_set, {"team", "s"});
  binder.view_changed(catalog.view());
  step();
  CHECK(words() == "ListenerSet/more=unknown");
}

TEST_CASE_METHOD(Fixture, "a listener's new certificate is a change of the listener") {
  words();
  Binder::Taken taken;
  auto listener = std::make_shared<gateway::Listener>(gateway::Listener{.name = "http"});
  listener->tls.certificates = {"Secret default/cert"};
  gateway::Config config;
  config.epoch = epoch + 1;
  config.listeners = config.listeners.with("http", listener);
  gateway::Delta delta{.from = epoch, .epoch = epoch + 1};
  delta.certificates.emplace_back("Secret default/cert", std::make_shared<gateway::Certificate>());
  taken.config = std::make_shared<const gateway::Config>(config);
  taken.delta = std::make_shared<const gateway::Delta>(delta);
  serving.took(taken);
  CHECK(words() == "Gateway/http=pending");
}
