#include "gateway/resolve/failover.hpp"

#include "gateway/resolve/test_catalog.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::gateway;
using namespace strait::gateway::resolve;

namespace {

using Target = model::ServiceResolver::Target;
using Ids = std::vector<std::string>;

struct Fixture {
  TestCatalog catalog;
  void resolver(std::string ns, std::string name, std::vector<Target> failover) {
    auto it = named<model::ServiceResolver>(std::move(ns), std::move(name));
    it.failover = std::move(failover);
    catalog.put(it);
  }
  Ids of(const std::string& cluster) {
    auto resolved = resolve_cluster(catalog.view(), cluster);
    depends = resolved.depends;
    return resolved.cluster->failover;
  }
  /// "Accepted/ResolvedRefs" and what is wrong.
  std::string status(std::string ns, std::string name) {
    model::ObjectKey key{model::Kind::service_resolver, {std::move(ns), std::move(name)}};
    auto resolved = resolve_policy(catalog.view(), key);
    REQUIRE(resolved);
    CHECK(resolved->status.object == key);
    depends = resolved->depends;
    std::string text, why;
    for (auto& it : resolved->status.conditions) {
      text += (text.empty() ? "" : "/") + std::string{it.status ? "yes" : "no"};
      if (!it.status && why.empty())
        why = ": " + it.message;
    }
    return text + why;
  }
  Topics depends;
};

} // namespace

TEST_CASE_METHOD(Fixture, "a Service's stand-ins are of its namespace and port, or of a peer") {
  resolver("shop", "web", {{"backup", "", ""}, {"", "", "dc2"}, {"other", "", "dc3"}});
  CHECK(of("service/shop/web/80") ==
        Ids{"service/shop/backup/80", "peer/dc2/web", "peer/dc3/other"});
  CHECK(depends.contains({model::Kind::service_resolver, {"shop", "web"}}));
  CHECK_FALSE(depends.contains({model::Kind::service_resolver, {"shop", "backup"}}));
  CHECK(of("service/shop/web/80/udp") == Ids{"service/shop/backup/80/udp"});
  CHECK(of("service/default/web/80").empty());
  CHECK(of("catalog/web").empty());
}

TEST_CASE_METHOD(Fixture, "namespace default is the catalog's too") {
  resolver("default", "web", {{"backup", "", ""}, {"", "", "dc2"}, {"backup", "default", ""}});
  CHECK(of("service/default/web/80") == Ids{"service/default/backup/80", "peer/dc2/web"});
  CHECK(of("catalog/web") == Ids{"catalog/backup", "peer/dc2/web"});
  CHECK(depends.contains({model::Kind::service_resolver, {"default", "web"}}));
}

TEST_CASE_METHOD(Fixture, "nothing stands in for what peers ask for, nor for what a peer has") {
  resolver("default", "web", {{"", "", "dc2"}});
  CHECK(of("exported/web").empty());
  CHECK_FALSE(depends.contains({model::Kind::service_resolver, {"default", "web"}}));
  CHECK(of("peer/dc3/web").empty());
}

TEST_CASE_METHOD(Fixture, "a resolver that cannot be carried out wholly has no effect") {
  auto it = named<model::ServiceResolver>("default", "web");
  it.failover = {{"backup", "", ""}};
  it.unsupported = {{"spec.redirect"}};
  catalog.put(it);
  CHECK(of("catalog/web").empty());
  CHECK(status("default", "web").starts_with("no/no: spec.redirect is not supported: expected"));
  resolver("default", "web", {{"backup", "shop", ""}});
  CHECK(of("catalog/web").empty());
  CHECK(status("default", "web") ==
        "no/no: spec.failover.*.targets[0].namespace: expected default, the resolver's own");
  resolver("default", "web", {{"backup", "", ""}, {"web", "", ""}});
  CHECK(of("catalog/web").empty());
  CHECK(
      status("default", "web") ==
      "no/no: spec.failover.*.targets[1]: is the service itself: expected another one, or a peer");
}

TEST_CASE_METHOD(Fixture, "a resolver says which target is not there") {
  resolver("shop", "web", {{"backup", "", ""}, {"", "", "dc2"}});
  const std::string at = "yes/no: spec.failover.*.targets";
  CHECK(status("shop", "web") == at + "[0]: there is no Service shop/backup");
  catalog.put(service("shop", "backup"));
  CHECK(status("shop", "web") == at + "[1]: there is no peering dc2");
  CHECK(depends.contains({model::Kind::service, {"shop", "backup"}}));
  CHECK(depends.contains({model::Kind::peering, {"", "dc2"}}));
  catalog.apply(catalog::WritePeering{.peering = {.name = "dc2", .id = "dc2"}});
  CHECK(status("shop", "web") == at + "[1]: peer dc2 exports no service web");
  CHECK(depends.contains({model::Kind::service_instance, {"dc2", "web"}}));
  // All its instances may be gone, as long as it is exported.
  catalog.apply(catalog::ReportPeering{.name = "dc2",
                                       .status = model::PeeringStatus{.imported = {"api", "web"}}});
  CHECK(status("shop", "web") == "yes/yes");
  resolver("default", "web", {{"spare", "", ""}});
  CHECK(status("default", "web") == at + "[0]: there is no Service default/spare");
  catalog.apply(catalog::Register{.node = {.name = "n1", .address = "10.0.0.1"},
                                  .instance = model::ServiceInstance{.service = "spare"}});
  CHECK(status("default", "web") == "yes/yes");
}
