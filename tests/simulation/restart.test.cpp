// links: strait_actors
#include "datacenter.hpp"

#include <filesystem>

using namespace strait;
using simulation::Datacenter;

namespace {

/// A directory that goes with the test.
struct Directory {
  std::string path = (std::filesystem::temp_directory_path() / "strait-kept-XXXXXX").string();
  Directory() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Directory() { std::filesystem::remove_all(path); }
  actors::OpenStore store() const {
    return [path = path]() -> Result<std::unique_ptr<storage::Store>> {
      storage::RocksOptions options;
      options.path = path;
      return storage::open_rocksdb(options);
    };
  }
};

const model::Name edge{"default", "edge"};

model::HttpRoute route_to(const std::string& service) {
  model::HttpRoute route;
  route.meta.name = {"default", "shop"};
  route.parents.push_back({.ns = "default", .name = "edge"});
  model::HttpRule rule;
  rule.matches.push_back({.path = {model::PathMatchType::prefix, "/"}});
  rule.backends.push_back({.name = service, .port = 80});
  route.rules.push_back(std::move(rule));
  return route;
}

void begin(Datacenter& datacenter, model::InvalidBackends policy) {
  model::GatewayClassConfig config;
  config.meta.name = {"", "settings"};
  config.reference_policy.invalid_backends = policy;
  datacenter.write(catalog::Put{config, {}});
  model::GatewayClass gateway_class;
  gateway_class.meta.name = {"", "strait"};
  gateway_class.controller_name = model::strait_controller;
  gateway_class.parameters = {"consul.hashicorp.com", "GatewayClassConfig", "settings", ""};
  datacenter.write(catalog::Put{gateway_class, {}});
  model::Gateway gateway;
  gateway.meta.name = edge;
  gateway.class_name = "strait";
  gateway.listeners.push_back({.name = "http", .port = 8000, .protocol = "HTTP"});
  datacenter.write(catalog::Put{gateway, {}});
  model::Service service;
  service.meta.name = {"default", "web"};
  service.ports.push_back({.name = "http", .port = 80});
  datacenter.write(catalog::Put{service, {}});
  datacenter.write(catalog::Put{route_to("web"), {}});
  datacenter.quiet();
}

/// The cluster that the route's one backend names; "" for a 500, "-" if it is not served.
std::string served(Datacenter& datacenter) {
  auto found = datacenter.recorder.snapshots.find(edge);
  if (found == datacenter.recorder.snapshots.end())
    return "-";
  auto* route = found->second->config.routes.find("http/HTTPRoute default/shop");
  return route ? std::get<gateway::HttpRoute>((*route)->route).rules[0].backends[0].cluster : "-";
}

std::size_t kept(Datacenter& datacenter) {
  return datacenter.view->load()->table<model::KeptRoute>().size();
}

} // namespace

TEST_CASE("under KeepLastGood a broken route serves on when the agent starts again") {
  Directory directory;
  const std::string web = "service/default/web/80";
  {
    Datacenter before{1, {}, {}, directory.store()};
    begin(before, model::InvalidBackends::keep_last_good);
    REQUIRE(served(before) == web);
    CHECK(kept(before) == 1);
    before.write(catalog::Put{route_to("gone"), {}});
    before.quiet();
    REQUIRE(served(before) == web);
  }
  {
    Datacenter after{2, {}, {}, directory.store()};
    after.quiet();
    CHECK(served(after) == web);
    CHECK(kept(after) == 1);
    after.write(catalog::Remove{{model::Kind::http_route, {"default", "shop"}}, {}});
    after.quiet();
    CHECK(kept(after) == 0);
    after.write(catalog::Put{route_to("gone"), {}}); // Another of its name.
    after.quiet();
    CHECK(served(after).empty());
  }
}

TEST_CASE("what is kept goes with the policy, and without it nothing is kept") {
  Datacenter datacenter{3, {}};
  begin(datacenter, model::InvalidBackends::keep_last_good);
  CHECK(kept(datacenter) == 1);
  model::GatewayClassConfig config;
  config.meta.name = {"", "settings"};
  config.reference_policy.invalid_backends = model::InvalidBackends::respond_500;
  datacenter.write(catalog::Put{config, {}});
  datacenter.quiet();
  CHECK(kept(datacenter) == 0);
  datacenter.write(catalog::Put{route_to("gone"), {}});
  datacenter.quiet();
  CHECK(served(datacenter).empty());
}

TEST_CASE("a Gateway's count of routes is not begun anew by a restart") {
  constexpr std::int32_t routes = 40;
  Directory directory;
  auto counted = [](Datacenter& datacenter) {
    model::ObjectStatus named{.object = {model::Kind::gateway, edge}};
    auto view = datacenter.view->load();
    auto* status = view ? view->find<model::ObjectStatus>(model::key_of(named).name) : nullptr;
    return status && !status->listeners.empty() ? status->listeners[0].attached_routes : -1;
  };
  {
    Datacenter before{1, {}, {}, directory.store()};
    begin(before, model::InvalidBackends::respond_500);
    for (int i = 1; i < routes; ++i) {
      auto route = route_to("web");
      route.meta.name.name = fmt::format("shop-{}", i);
      before.write(catalog::Put{route, {}});
    }
    before.quiet();
    REQUIRE(counted(before) == routes);
  }
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Datacenter after{seed, {}, {}, directory.store()};
    auto look = [&] {
      auto count = counted(after);
      if (count != -1) // Before the store is read.
        REQUIRE(count == routes);
    };
    for (int moment = 0; moment < 20; ++moment) {
      for (; !after.fixture.scheduler.jobs.empty(); look())
        after.fixture.run_some(1);
      after.fixture.advance(std::chrono::milliseconds{50});
      look();
    }
    after.quiet();
    REQUIRE(counted(after) == routes);
    auto removed = fmt::format("shop-{}", seed); // What is true later is said.
    after.write(catalog::Remove{{model::Kind::http_route, {"default", removed}}, {}});
    after.quiet();
    REQUIRE(counted(after) == routes - 1);
    auto route = route_to("web");
    route.meta.name.name = removed;
    after.write(catalog::Put{route, {}});
    after.quiet();
  }
}
