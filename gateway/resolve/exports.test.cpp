#include "gateway/resolve/resolve.hpp"
#include "gateway/resolve/test_catalog.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::gateway;
using namespace strait::gateway::resolve;

namespace {

struct Fixture {
  TestCatalog catalog;
  Fixture() {
    catalog.apply(catalog::WriteAuthority{{.trust_domain = "own.consul"}});
    peer("dc2", model::PeeringState::active);
    exported({{"api", {"dc2"}}});
  }
  void peer(const std::string& name, model::PeeringState state) {
    catalog.apply(catalog::WritePeering{
        .peering = {.name = name, .id = name, .state = state, .remote_datacenter = "far"}});
    catalog.apply(catalog::ImportTrust{{name, name + ".consul", {"root"}, ""}});
  }
  void exported(std::vector<model::ExportedServices::Entry> services) {
    model::ExportedServices entry;
    entry.services = std::move(services);
    catalog.put(entry);
  }
  void intend(const std::string& destination, std::vector<model::ServiceIntentions::Source> from) {
    catalog.put(model::ServiceIntentions{.name = destination, .sources = std::move(from)});
  }
  void registered(const std::string& name) {
    catalog::Register command;
    command.node = {.name = "n1", .address = "10.0.0.1"};
    command.instance = model::ServiceInstance{.id = name, .service = name, .port = 80};
    catalog.apply(command);
  }
  ResolvedExports resolved() const { return resolve_exports(catalog.view()); }
  /// "allow NAME" or "deny NAME" of each caller of the export to dc2, in order.
  std::vector<std::string> callers(const std::string& service) const {
    auto exports = resolved().exports;
    auto* found = exports.find(service + ".default.default.dc2.external.own.consul");
    REQUIRE(found);
    std::vector<std::string> texts;
    for (auto& it : (*found)->callers) {
      const std::string prefix = "spiffe://dc2.consul/ns/default/dc/far/svc/";
      REQUIRE(it.spiffe_id.starts_with(prefix));
      texts.push_back((it.allow ? "allow " : "deny ") + it.spiffe_id.substr(prefix.size()));
    }
    return texts;
  }
};

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE_METHOD(Fixture, "without an intention for its peer nobody may call an export") {
  CHECK(callers("api").empty());
  intend("api", {{"web", "", true, ""}, {"*", "", true, ""}, {"web", "dc3", true, ""}});
  CHECK(callers("api").empty());
}

TEST_CASE_METHOD(Fixture, "an exact destination goes before \"*\", then an exact source") {
  intend("*", {{"*", "dc2", true, ""}, {"db", "dc2", false, ""}});
  intend("api", {{"*", "dc2", false, ""}, {"web", "dc2", true, ""}});
  CHECK(callers("api") == Texts{"allow web", "deny *", "deny db", "allow *"});
}

TEST_CASE_METHOD(Fixture, "an export names the cluster, the peer and its trust") {
  auto all = resolved();
  REQUIRE(all.exports.size() == 1);
  auto& [sni, it] = *all.exports.begin();
  CHECK(sni == "api.default.default.dc2.external.own.consul");
  CHECK(it->cluster == "exported/api");
  CHECK(it->peer == "dc2");
  CHECK(all.clusters == std::set<std::string>{"exported/api"});
  REQUIRE(all.trust.find("dc2"));
  CHECK((*all.trust.find("dc2"))->trust_domain == "dc2.consul");
}

TEST_CASE_METHOD(Fixture, "\"*\" exports the services that there are, as they come") {
  exported({{"*", {"dc2"}}});
  CHECK(resolved().exports.size() == 0);
  CHECK(resolved().depends.contains({model::Kind::service_instance, {"", ""}}));
  registered("web");
  registered("db");
  CHECK(resolved().clusters == std::set<std::string>{"exported/db", "exported/web"});
}

TEST_CASE_METHOD(Fixture, "a peering that ends lets nobody in any more, nor does one unknown") {
  exported({{"api", {"dc3", "unknown"}}});
  peer("dc3", model::PeeringState::active);
  CHECK(resolved().exports.size() == 1);
  auto ending = *catalog.view().find<model::Peering>({"", "dc3"});
  ending.state = model::PeeringState::deleting;
  catalog.apply(catalog::WritePeering{.peering = ending});
  CHECK(resolved().exports.size() == 0);
  CHECK_FALSE(resolved().trust.contains("dc3"));
}

TEST_CASE("without an authority of its own a datacenter exports nothing") {
  TestCatalog catalog;
  CHECK(resolve_exports(catalog.view()).exports.size() == 0);
  CHECK(resolve_exports(catalog.view())
            .depends.contains({model::Kind::certificate_authority, model::Name{}}));
}
