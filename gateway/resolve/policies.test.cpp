#include "gateway/resolve/backend_tls.hpp"
#include "gateway/resolve/resolve.hpp"
#include "gateway/resolve/test_catalog.hpp"
#include "net/test_certificates.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::gateway;
using namespace strait::gateway::resolve;

namespace {

const model::Name edge{"default", "edge"};
const std::string cluster = "service/default/web/80";

model::BackendTlsPolicy policy(std::string name, std::string section = "") {
  auto it = named<model::BackendTlsPolicy>("default", name);
  it.targets.push_back({.name = "web", .section_name = std::move(section)});
  it.well_known_ca = "System";
  it.hostname = name;
  return it;
}

/// One gateway with a route to Service "web".
struct Fixture {
  TestCatalog catalog;
  Fixture() {
    catalog.put(gateway_class(model::strait_controller));
    catalog.put(http_gateway());
    catalog.put(service("default", "web"));
    catalog.put(http_route("r", {"web"}));
  }
  void put_at(std::int64_t when, const model::BackendTlsPolicy& it) {
    catalog.now = WallTime{Millis{when}};
    catalog.put(it);
  }
  std::string sni() {
    auto resolved = resolve_cluster(catalog.view(), cluster).cluster;
    return resolved->refused ? "refused" : resolved->backend_tls ? resolved->backend_tls->sni : "-";
  }
  model::Reason accepted(const std::string& name) {
    auto bound = resolve_all(catalog.view(), edge, {});
    auto& said = bound.policies.at({model::Kind::backend_tls_policy, {"default", name}});
    return said.at(0).conditions.at(0).reason;
  }
};

} // namespace

TEST_CASE_METHOD(Fixture, "the oldest BackendTLSPolicy counts, and one for the port before it") {
  CHECK(sni() == "-");
  put_at(2, policy("a-young"));
  put_at(1, policy("z-old"));
  CHECK(sni() == "z-old");
  CHECK(accepted("z-old") == model::Reason::accepted);
  CHECK(accepted("a-young") == model::Reason::conflicted);
  put_at(3, policy("port", "http"));
  CHECK(sni() == "port");
  CHECK(accepted("port") == model::Reason::accepted);
  CHECK(accepted("z-old") == model::Reason::accepted);
  put_at(0, policy("other-port", "metrics"));
  CHECK(sni() == "port");
}

TEST_CASE_METHOD(Fixture, "a Service whose policy breaks is refused until it heals") {
  auto own = policy("own");
  own.well_known_ca.clear();
  own.ca_refs.push_back({.name = "ca"});
  catalog.put(own);
  CHECK(sni() == "refused");
  auto depends = resolve_cluster(catalog.view(), cluster).depends;
  CHECK(depends.contains({model::Kind::config_map, {"default", "ca"}}));
  CHECK(depends.contains({model::Kind::backend_tls_policy, {"default", ""}}));
  auto map = named<model::ConfigMap>("default", "ca");
  map.data["ca.crt"] = net::testing::issue({.common_name = "ca", .authority = true}).certificate;
  catalog.put(map);
  CHECK(sni() == "own");
  catalog.remove(model::Kind::config_map, {"default", "ca"});
  CHECK(sni() == "refused");
}

TEST_CASE_METHOD(Fixture,
                 "a Binder tells a policy's ancestors as routes reach its Service or not") {
  catalog.put(policy("own"));
  model::ObjectKey key{model::Kind::backend_tls_policy, {"default", "own"}};
  model::ObjectKey route{model::Kind::http_route, {"default", "r"}};
  Binder binder{edge, {}};
  binder.view_changed(catalog.view());
  CHECK(binder.depends().contains({model::Kind::backend_tls_policy, {}}));
  binder.route_changed(route, resolve_route(catalog.view(), route));
  CHECK(binder.take().policies.empty());
  (void)binder.clusters();
  binder.cluster_changed(resolve_cluster(catalog.view(), cluster).cluster);
  CHECK(binder.take().policies.at(key).size() == 1);
  CHECK(binder.take().policies.empty());
  binder.route_changed(route, nullptr);
  CHECK(binder.take().policies.at(key).empty());
}

TEST_CASE("of a ListenerSet's listeners the older set's serve; a change of age changes who does") {
  TestCatalog catalog;
  catalog.put(gateway_class(model::strait_controller));
  auto gateway = http_gateway();
  gateway.listener_sets = model::FromNamespaces::all;
  catalog.put(gateway);
  auto set = [&](const std::string& name, std::int64_t created) {
    auto it = named<model::ListenerSet>("team", name);
    catalog.now = WallTime{Millis{created}};
    it.parent = {.ns = "default", .name = "edge"};
    it.listeners.push_back({.name = "http", .port = 8001, .protocol = "HTTP"});
    catalog.put(it);
  };
  set("a", 2);
  set("b", 1);
  auto serving = [&] {
    std::vector<std::string> names;
    auto bound = resolve_all(catalog.view(), edge, {});
    for (auto& [name, listener] : bound.config->listeners)
      names.push_back(name);
    CHECK(bound.gateway.attached_listener_sets == 1);
    return names;
  };
  CHECK(serving() == std::vector<std::string>{"http", "team~b~http"});
  catalog.remove(model::Kind::listener_set, {"team", "b"});
  set("b", 3);
  CHECK(serving() == std::vector<std::string>{"http", "team~a~http"});
}
