#include "catalog/queries.hpp"

#include "catalog/catalog.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::catalog;

namespace {

struct Fixture {
  Catalog catalog;
  void done(const Command& command) {
    auto outcome = catalog.apply(command, WallTime{});
    INFO((outcome ? "" : outcome.error().detail));
    REQUIRE(outcome);
  }
  void instance(const std::string& service, std::vector<std::string> tags = {},
                const std::string& kind = "") {
    done(Register{.node = {.name = "n", .address = "10.0.0.1"},
                  .instance = model::ServiceInstance{.id = service + std::to_string(next_++),
                                                     .service = service,
                                                     .service_kind = kind,
                                                     .tags = std::move(tags)}});
  }
  void exports(std::vector<model::ExportedServices::Entry> entries) {
    done(Put{model::ExportedServices{.services = std::move(entries)}});
  }
  const View& view() const { return *catalog.view(); }
  int next_ = 0;
};

} // namespace

TEST_CASE_METHOD(Fixture, "the list of services has each one's tags and no imported ones") {
  instance("web", {"v1"});
  instance("web", {"v2", "v1"});
  instance("db");
  done(WritePeering{{.name = "east", .state = model::PeeringState::pending}});
  done(Import{
      "east", "api", {{.node = {.name = "m"}, .instance = {.id = "api", .service = "api"}}}});
  std::map<std::string, std::set<std::string>> expected{{"db", {}}, {"web", {"v1", "v2"}}};
  CHECK(services_with_tags(view()) == expected);
  CHECK(nodes(view()).size() == 1);
  REQUIRE(nodes(view(), "east").size() == 1);
  CHECK(nodes(view(), "east")[0]->value.name == "m");
}

TEST_CASE_METHOD(Fixture, "a wildcard exports what is typical, and never consul itself") {
  using Names = std::vector<std::string>;
  instance("web");
  instance("db");
  instance("consul");
  instance("web-proxy", {}, "connect-proxy");
  exports({{"*", {"east"}}, {"later", {"east", "west"}}, {"consul", {"west"}}});
  CHECK(exported_to(view(), "east") == Names{"db", "later", "web"});
  CHECK(exported_to(view(), "west") == Names{"later"});
  CHECK(exported_to(view(), "north").empty());
  CHECK(is_exported(view(), "web", "east"));
  CHECK_FALSE(is_exported(view(), "web", "west"));
  CHECK_FALSE(is_exported(view(), "web-proxy", "east"));
  CHECK_FALSE(is_exported(view(), "consul", "west"));
  CHECK(exported_peers(view(), "later") == Names{"east", "west"});
}

TEST_CASE_METHOD(Fixture, "intentions: an exact destination wins, then an exact source") {
  auto put = [&](std::string destination, std::vector<model::ServiceIntentions::Source> sources) {
    done(Put{model::ServiceIntentions{.name = std::move(destination), .sources = sources}});
  };
  CHECK(intention(view(), {"a", "", "web"}) == Decision::undecided);
  put("*", {{"*", "", false}, {"a", "", true}});
  CHECK(intention(view(), {"a", "", "web"}) == Decision::allow);
  CHECK(intention(view(), {"b", "", "web"}) == Decision::deny);
  put("web", {{"*", "", true}, {"a", "", false}, {"a", "east", true}});
  CHECK(intention(view(), {"a", "", "web"}) == Decision::deny);
  CHECK(intention(view(), {"b", "", "web"}) == Decision::allow);
  CHECK(intention(view(), {"a", "east", "web"}) == Decision::allow);
  CHECK(intention(view(), {"b", "east", "web"}) == Decision::undecided);
  CHECK(intention(view(), {"b", "", "db"}) == Decision::deny);
}

TEST_CASE_METHOD(Fixture, "an import replaces what there was and leaves what is equal") {
  auto given = [](std::string node, std::string id, model::Health health) {
    return Import::Instance{
        .node = {.name = std::move(node), .address = "10.9.0.1"},
        .instance = {.id = id, .service = "api"},
        .checks = {
            {.id = id + ":overall-check", .name = "all", .status = health, .service_id = id}}};
  };
  Import command{
      "east",
      "api",
      {given("m1", "a", model::Health::passing), given("m2", "b", model::Health::passing)}};
  CHECK(catalog.apply(command, WallTime{}).error().code == Errc::not_found);
  done(WritePeering{{.name = "east", .state = model::PeeringState::pending}});
  done(Register{.node = {.name = "m1", .address = "10.0.0.1"},
                .instance = model::ServiceInstance{.id = "a", .service = "api"}});
  done(command);
  CHECK(catalog.apply(command, WallTime{})->nothing());
  auto imported = instances_of(view(), {"east", "api"});
  REQUIRE(imported.size() == 2);
  CHECK(imported[0].node->value.address == "10.9.0.1");
  CHECK(imported[0].checks[0]->value.service_name == "api");

  auto before = view().revision;
  command.instances = {given("m1", "a", model::Health::critical)};
  done(command);
  imported = instances_of(view(), {"east", "api"});
  REQUIRE(imported.size() == 1);
  CHECK(imported[0].overall == model::Health::critical);
  CHECK(imported[0].instance->modified < before + 1);
  CHECK(nodes(view(), "east").size() == 1);

  SECTION("a service that is not listed any more goes away") { done(ImportList{"east", {"db"}}); }
  SECTION("and all of it with the peering") {
    done(ImportTrust{{.peer = "east", .trust_domain = "x.consul", .root_pems = {"pem"}}});
    done(ForgetPeering{"east", true});
    CHECK(view().find<model::Peering>({"", "east"})->state == model::PeeringState::terminated);
    CHECK(catalog.apply(command, WallTime{}).error().code == Errc::conflict);
    done(ForgetPeering{"east"});
    CHECK(view().table<model::Peering>().empty());
    CHECK(view().table<model::TrustBundle>().empty());
  }
  CHECK(nodes(view(), "east").empty());
  CHECK(instances_of(view(), {"", "api"}).size() == 1);
  CHECK(nodes(view()).size() == 1);
}
