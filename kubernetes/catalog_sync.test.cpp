#include "kubernetes/catalog_sync.hpp"

#include "base/result.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::kubernetes;

namespace {

const CatalogSyncOptions everything{.mode = SyncMode::all};

model::Service service(const std::string& name, model::StringMap annotations = {}) {
  model::Service out;
  out.meta.name = {"shop", name};
  out.meta.annotations = std::move(annotations);
  out.ports = {{.name = "dns", .port = 53, .protocol = "UDP"},
               {.name = "http", .port = 80, .target = "8080"},
               {.name = "admin", .port = 81, .target = "8081"}};
  return out;
}

model::EndpointSlice slice(const std::vector<std::string>& ready) {
  model::EndpointSlice out;
  for (auto& address : ready)
    out.endpoints.push_back({.addresses = {address}});
  out.ports = {{.name = "dns", .port = 5353, .protocol = "UDP"},
               {.name = "http", .port = 8080},
               {.name = "admin", .port = 8081}};
  return out;
}

Synced synced(const model::Service& from, const model::EndpointSlice& endpoints,
              const CatalogSyncOptions& options = everything) {
  return catalog_instances(from, {&endpoints}, options);
}

std::vector<std::string> ids(const Synced& of) {
  std::vector<std::string> out;
  for (auto& it : of.instances)
    out.push_back(it.id);
  return out;
}

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("a Service's ready endpoints are instances of the node k8s-sync, at its first TCP port") {
  auto endpoints = slice({"10.0.0.2", "10.0.0.1", "10.0.0.3", "10.0.0.4"});
  endpoints.endpoints[2].ready = false;
  endpoints.endpoints[3].terminating = true;
  auto found = synced(service("api"), endpoints);
  CHECK(found.problem.empty());
  CHECK(ids(found) == Texts{"shop/api/10.0.0.1:8080", "shop/api/10.0.0.2:8080"});
  auto& first = found.instances.front();
  CHECK(first.node == "k8s-sync");
  CHECK(first.service == "api");
  CHECK(first.address == "10.0.0.1");
  CHECK(first.port == 8080);
  CHECK(first.tags == Texts{"k8s"});
  CHECK(first.meta == model::StringMap{{"external-source", "kubernetes"},
                                       {"external-k8s-ns", "shop"},
                                       {"port-dns", "53"},
                                       {"port-http", "80"},
                                       {"port-admin", "81"}});
  CHECK(synced_from(first) == model::Name{"shop", "api"});
}

TEST_CASE(
    "the name in the catalog is as annotated, else with the namespace behind it if so asked") {
  auto named = [](const model::Service& from, bool suffix) {
    auto options = everything;
    options.namespace_suffix = suffix;
    return synced(from, slice({"10.0.0.1"}), options).instances.at(0).service;
  };
  CHECK(named(service("api"), true) == "api-shop");
  CHECK(named(service("api", {{"consul.hashicorp.com/service-name", "billing"}}), true) ==
        "billing");
}

TEST_CASE("no Service takes a name that is none, or the datacenter's own") {
  auto refused = [](const std::string& name) {
    auto found =
        synced(service("api", {{"consul.hashicorp.com/service-name", name}}), slice({"10.0.0.1"}));
    CHECK(found.problem.empty() == !found.instances.empty());
    return !found.problem.empty();
  };
  for (auto name : {"", "a b", "consul", "mesh-gateway"})
    CHECK(refused(name));
  CHECK(refused(std::string(254, 'a')));
  CHECK_FALSE(refused(std::string(253, 'a')));
  CHECK_FALSE(refused("consul-ui"));
}

TEST_CASE("a Service is synced as its annotation says, else as the mode has it") {
  auto with = [](const char* value) {
    return service("api", {{"consul.hashicorp.com/service-sync", value}});
  };
  CatalogSyncOptions annotated{.mode = SyncMode::annotated}, off;
  CHECK(is_synced(service("api"), everything));
  CHECK_FALSE(is_synced(with("false"), everything));
  CHECK_FALSE(is_synced(with("certainly"), everything));
  CHECK_FALSE(is_synced(service("api"), annotated));
  CHECK(is_synced(with("true"), annotated));
  CHECK(is_synced(with("T"), annotated));
  CHECK_FALSE(is_synced(with("true"), off));

  SECTION("a gateway's Service only if it says so") {
    auto of_gateway = service("edge");
    of_gateway.meta.labels = {{"app.kubernetes.io/managed-by", "strait"},
                              {"gateway.networking.k8s.io/gateway-name", "edge"}};
    CHECK_FALSE(is_synced(of_gateway, everything));
    of_gateway.meta.annotations["consul.hashicorp.com/service-sync"] = "true";
    CHECK(is_synced(of_gateway, everything));
  }
  SECTION("never in a namespace that is denied, or not allowed") {
    auto options = everything;
    options.denied_namespaces = {"kube-system", "shop"};
    CHECK_FALSE(is_synced(with("true"), options));
    options.denied_namespaces = {};
    options.allowed_namespaces = {"infra"};
    CHECK_FALSE(is_synced(with("true"), options));
    options.allowed_namespaces = {"infra", "shop"};
    CHECK(is_synced(with("true"), options));
  }
}

TEST_CASE("the port of the instances is as annotated: a port's name, or a number") {
  auto with = [](const char* value) {
    return synced(service("api", {{"consul.hashicorp.com/service-port", value}}),
                  slice({"10.0.0.1"}));
  };
  CHECK(ids(with("admin")) == Texts{"shop/api/10.0.0.1:8081"});
  CHECK(ids(with("9000")) == Texts{"shop/api/10.0.0.1:9000"});
  for (auto wrong : {"dns", "0", "65536", "http2", ""}) {
    auto found = with(wrong);
    CHECK(found.instances.empty());
    CHECK(found.problem ==
          fmt::format("Service shop/api: metadata.annotations[consul.hashicorp.com/service-port]: "
                      "\"{}\": expected the name of one of its TCP ports, or a number of 1..65535",
                      wrong));
  }
  auto udp = service("dns");
  udp.ports.resize(1);
  CHECK(synced(udp, slice({"10.0.0.1"})).instances.empty());
}

TEST_CASE("tags and meta are as annotated, but for what the sync itself says") {
  auto found = synced(service("api", {{"consul.hashicorp.com/service-tags", "blue, v2,,"},
                                      {"consul.hashicorp.com/service-meta-team", "web"},
                                      {"consul.hashicorp.com/service-meta-external-source", "x"},
                                      {"consul.hashicorp.com/service-meta-", "no key"}}),
                      slice({"10.0.0.1"}));
  auto& it = found.instances.at(0);
  CHECK(it.tags == Texts{"k8s", "blue", "v2"});
  CHECK(it.meta.at("team") == "web");
  CHECK(it.meta.at("external-source") == "kubernetes");
  CHECK_FALSE(it.meta.contains(""));
}

TEST_CASE("an address that two slices have is one instance") {
  auto one = slice({"10.0.0.1", "10.0.0.2"}), two = slice({"10.0.0.2", "fd00::1"});
  auto names = slice({"db.example.com"});
  names.address_type = "FQDN";
  auto found = catalog_instances(service("api"), {&one, &two, &names}, everything);
  CHECK(ids(found) ==
        Texts{"shop/api/10.0.0.1:8080", "shop/api/10.0.0.2:8080", "shop/api/fd00::1:8080"});
}

TEST_CASE("only the difference is put and removed, and nobody else's instances are touched") {
  auto registered = synced(service("api"), slice({"10.0.0.1", "10.0.0.2", "10.0.0.4"})).instances;
  registered[1].tags = {"stale"};
  model::ServiceInstance own{.node = "k8s-sync", .id = "shop/api/10.0.0.3:8080", .service = "x"};
  model::ServiceInstance other{.node = "k8s-sync", .id = "shop/api/by-hand", .service = "y"};
  REQUIRE_FALSE(synced_from(own));
  auto difference = sync_difference(
      {&registered[0], &registered[1], &registered[2], &own, &other},
      synced(service("api"), slice({"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.5"})).instances);
  REQUIRE(difference.put.size() == 2);
  CHECK(difference.put[0].id == "shop/api/10.0.0.2:8080");
  CHECK(difference.put[1].id == "shop/api/10.0.0.5:8080");
  CHECK(difference.remove == Texts{"shop/api/10.0.0.4:8080"});
}

TEST_CASE("an instance is the sync's own only by node, meta and id together") {
  auto it = synced(service("api"), slice({"10.0.0.1"})).instances.at(0);
  auto changed = [&](auto change) {
    auto copy = it;
    change(copy);
    return synced_from(copy).has_value();
  };
  CHECK(changed([](auto&) {}));
  CHECK_FALSE(changed([](auto& copy) { copy.node = "worker-1"; }));
  CHECK_FALSE(changed([](auto& copy) { copy.meta.erase("external-source"); }));
  CHECK_FALSE(changed([](auto& copy) { copy.meta["external-k8s-ns"] = "other"; }));
  CHECK_FALSE(changed([](auto& copy) { copy.id = "api-3f2a"; }));
}
