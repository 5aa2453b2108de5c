#include "catalog/catalog.hpp"
#include "catalog/queries.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::catalog;

namespace {

constexpr WallTime t0{Millis{1'000}};
constexpr WallTime t1{Millis{2'000}};

struct Fixture {
  Catalog catalog;

  Outcome done(const Command& command, WallTime now = t0) {
    auto outcome = catalog.apply(command, now);
    INFO((outcome ? "" : outcome.error().detail));
    REQUIRE(outcome);
    return std::move(*outcome);
  }
  /// The error, having checked that nothing changed.
  Error refused(const Command& command) {
    auto before = catalog.view();
    auto outcome = catalog.apply(command, t0);
    REQUIRE_FALSE(outcome);
    CHECK(catalog.view() == before);
    return outcome.error();
  }
  const View& view() const { return *catalog.view(); }
};

model::Gateway gateway(std::string class_name = "strait") {
  model::Gateway gateway;
  gateway.meta.name = {"default", "edge"};
  gateway.class_name = std::move(class_name);
  return gateway;
}
const model::ObjectKey edge{model::Kind::gateway, {"default", "edge"}};

Register instance(const std::string& node, const std::string& service, const std::string& id = "") {
  Register command;
  command.node = {.name = node, .address = "10.0.0.1"};
  command.instance = model::ServiceInstance{.id = id, .service = service, .port = 80};
  return command;
}
model::HealthCheck check(const std::string& id, model::Health status,
                         const std::string& service_id = "") {
  return {.id = id, .name = id, .status = status, .service_id = service_id};
}

} // namespace

TEST_CASE_METHOD(Fixture, "a new object gets an identity, and an equal one changes nothing") {
  auto outcome = done(Put{gateway()});
  CHECK(outcome.commit.revision == 1);
  CHECK(outcome.commit.writes.size() == 1);
  CHECK(outcome.changed == std::vector{edge});
  auto& meta = view().find<model::Gateway>(edge.name)->meta;
  CHECK(meta.generation == 1);
  CHECK(meta.created == t0);
  CHECK(meta.uid.size() == 36);
  CHECK(done(Put{gateway()}, t1).nothing());
  CHECK(view().revision == 1);
}

TEST_CASE_METHOD(Fixture, "generation grows with the spec and not with labels") {
  done(Put{gateway()});
  auto uid = view().find<model::Gateway>(edge.name)->meta.uid;
  auto labelled = gateway();
  labelled.meta.labels["team"] = "a";
  done(Put{labelled}, t1);
  CHECK(view().find<model::Gateway>(edge.name)->meta.generation == 1);
  done(Put{gateway("other")}, t1);
  auto& meta = view().find<model::Gateway>(edge.name)->meta;
  CHECK(meta.generation == 2);
  CHECK(meta.uid == uid);
  CHECK(meta.created == t0);
  CHECK(view().record<model::Gateway>(edge.name)->created == 1);
  CHECK(view().record<model::Gateway>(edge.name)->modified == 3);
  CHECK(view().kind_revision(model::Kind::gateway) == 3);
}

TEST_CASE_METHOD(Fixture, "an object from Kubernetes keeps the identity that it has there") {
  auto object = gateway();
  object.meta.uid = "6f1d9a3e-95d4-4f6e-9d53-6c7a1a0e2b11";
  object.meta.generation = 7;
  object.meta.created = t1;
  done(Put{object});
  CHECK(view().find<model::Gateway>(edge.name)->meta == object.meta);
}

TEST_CASE_METHOD(Fixture, "compare-and-set refuses what changed since it was read") {
  CHECK(refused(Put{gateway(), 5}).code == Errc::conflict);
  done(Put{gateway(), 0});
  CHECK(refused(Put{gateway("b"), 0}).code == Errc::conflict);
  CHECK(refused(Put{gateway("b"), 2}).detail ==
        "Gateway default/edge: was changed at revision 1, expected 2");
  done(Put{gateway("b"), 1});
  CHECK(refused(Remove{edge, 1}).code == Errc::conflict);
  done(Remove{edge, 2});
  CHECK(view().table<model::Gateway>().empty());
  CHECK(view().kind_revision(model::Kind::gateway) == 3);
  CHECK(refused(Remove{edge}).code == Errc::not_found);
}

TEST_CASE_METHOD(Fixture, "conditions keep their transition time as long as their status") {
  done(Put{gateway()});
  auto status = [&](bool accepted, std::string message) {
    return ReportStatus{{.object = edge,
                         .conditions = {{.type = model::ConditionType::accepted,
                                         .status = accepted,
                                         .reason = model::Reason::accepted,
                                         .message = std::move(message)}}}};
  };
  model::Name name{"Gateway", "default/edge"};
  done(status(true, "a"), t0);
  CHECK(done(status(true, "a"), t1).nothing());
  done(status(true, "b"), t1);
  CHECK(view().find<model::ObjectStatus>(name)->conditions[0].transition == t0);
  done(status(false, "b"), t1);
  CHECK(view().find<model::ObjectStatus>(name)->conditions[0].transition == t1);

  SECTION("the status goes away with its object") {
    done(Remove{edge});
    CHECK(view().table<model::ObjectStatus>().empty());
    CHECK(done(status(true, "late")).nothing());
  }
}

TEST_CASE_METHOD(Fixture, "what proxies serve stands until something else is said of it") {
  done(Put{gateway()});
  auto status = [&](std::optional<bool> serving) {
    model::ObjectStatus it{.object = edge, .listeners = {{.name = "http"}}};
    auto& conditions = it.listeners[0].conditions;
    conditions.push_back({.type = model::ConditionType::accepted, .status = true});
    if (serving)
      conditions.push_back({.type = model::ConditionType::serving, .status = *serving});
    return ReportStatus{it};
  };
  auto stored = [&] {
    return view().find<model::ObjectStatus>({"Gateway", "default/edge"})->listeners[0].conditions;
  };
  done(status({}));
  CHECK(stored().size() == 1);
  done(status(true), t0);
  CHECK(done(status({}), t1).nothing());
  REQUIRE(stored().size() == 2);
  CHECK(stored()[1].transition == t0);
  done(status(false), t1);
  CHECK_FALSE(stored()[1].status);
}

TEST_CASE_METHOD(Fixture, "register writes node, instance and checks as one change") {
  auto command = instance("n1", "web");
  command.checks = {check("alive", model::Health::passing),
                    check("http", model::Health::warning, "web")};
  auto outcome = done(command);
  CHECK(outcome.commit.revision == 1);
  CHECK(outcome.services == std::vector<ServiceKey>{{"", "web"}});
  auto instances = instances_of(view(), {"", "web"});
  REQUIRE(instances.size() == 1);
  CHECK(instances[0].node->value.address == "10.0.0.1");
  CHECK(instances[0].checks.size() == 2);
  CHECK(instances[0].checks[1]->value.service_name == "web");
  CHECK(instances[0].overall == model::Health::warning);
  CHECK(service_index(view(), {"", "web"}) == 1);
  CHECK(done(command).nothing());
}

TEST_CASE_METHOD(Fixture, "register refuses with Consul's words") {
  auto detail = [&](auto change) {
    auto command = instance("n1", "web");
    change(command);
    auto error = refused(command);
    CHECK(error.code == Errc::invalid);
    return error.detail;
  };
  CHECK(detail([](auto& c) { c.node.name.clear(); }) == "Must provide node");
  CHECK(detail([](auto& c) { c.node.address.clear(); }) ==
        "Must provide address if SkipNodeUpdate is not set");
  CHECK(detail([](auto& c) { c.node.id = "7"; }) == "Bad node ID: 7: must be a UUID");
  CHECK(detail([](auto& c) { c.instance->service.clear(); }) ==
        "Must provide service name (Service.Service)");
  CHECK(detail([](auto& c) { c.instance->service.clear(), c.instance->id = "i"; }) ==
        "Must provide service name (Service.Service) when service ID is provided");
  CHECK(detail([](auto& c) { c.instance->address = "0.0.0.0"; }) == "Invalid service address");
  CHECK(detail([](auto& c) { c.node.peer = "east"; }) ==
        "cannot register requests with PeerName in them");
  CHECK(detail([](auto& c) { c.checks = {check("c", model::Health::passing, "db")}; }) ==
        "Unknown service ID 'db' for check ID 'c'");
}

TEST_CASE_METHOD(Fixture, "a check or a node that changes wakes the services it speaks of") {
  auto command = instance("n1", "web");
  command.checks = {check("alive", model::Health::passing),
                    check("http", model::Health::passing, "web")};
  done(command);
  done(instance("n1", "db"));
  done(instance("n2", "api"));
  CHECK(service_index(view(), {"", "web"}) == 1);
  CHECK(service_index(view(), {"", "db"}) == 2);

  done(ReportCheck{"n1", "http", model::Health::critical, "no answer"});
  CHECK(service_index(view(), {"", "web"}) == 4);
  CHECK(service_index(view(), {"", "db"}) == 2);
  CHECK(done(ReportCheck{"n1", "http", model::Health::critical, "no answer"}).nothing());

  done(ReportCheck{"n1", "alive", model::Health::warning, ""});
  CHECK(service_index(view(), {"", "web"}) == 5);
  CHECK(service_index(view(), {"", "db"}) == 5);
  CHECK(service_index(view(), {"", "api"}) == 3);

  Register moved{.node = {.name = "n1", .address = "10.0.0.9"}};
  auto outcome = done(moved);
  CHECK(outcome.services == std::vector<ServiceKey>{{"", "db"}, {"", "web"}});
  CHECK(service_index(view(), {"", "api"}) == 3);
  CHECK(refused(ReportCheck{"n1", "none", model::Health::passing, ""}).code == Errc::not_found);
}

TEST_CASE_METHOD(Fixture, "deregistering takes the instance's checks, or all of the node") {
  auto command = instance("n1", "web");
  command.checks = {check("alive", model::Health::passing),
                    check("http", model::Health::passing, "web")};
  done(command);
  done(instance("n1", "db"));
  CHECK(done(Deregister{"n1", "nothing", ""}).nothing());
  CHECK(done(Deregister{"n9", "", ""}).nothing());

  done(Deregister{"n1", "web", ""});
  CHECK(instances_of(view(), {"", "web"}).empty());
  CHECK(view().table<model::HealthCheck>().size() == 1);
  CHECK(view().services.size() == 1);
  CHECK(view().extinction == 3);
  CHECK(service_index(view(), {"", "web"}) == 3);
  CHECK(service_index(view(), {"", "never"}) == 3);

  done(Deregister{"n1", "", ""});
  CHECK(view().table<model::Node>().empty());
  CHECK(view().table<model::ServiceInstance>().empty());
  CHECK(view().table<model::HealthCheck>().empty());
  CHECK(view().checks.empty());
  CHECK(view().node_instances.empty());
  CHECK(view().services.empty());
}

TEST_CASE_METHOD(Fixture, "an instance that changes its service leaves the old one") {
  done(instance("n1", "web", "i"));
  auto outcome = done(instance("n1", "db", "i"));
  CHECK(outcome.services == std::vector<ServiceKey>{{"", "db"}, {"", "web"}});
  CHECK(instances_of(view(), {"", "web"}).empty());
  CHECK(instances_of(view(), {"", "db"}).size() == 1);
}

TEST_CASE("a command beyond a named maximum is refused and changes nothing") {
  Fixture fixture;
  fixture.catalog = Catalog{{.checks_per_register_max = 2,
                             .instances_per_import_max = 1,
                             .name_bytes_max = 10,
                             .object_bytes_max = 200,
                             .check_output_bytes_max = 5}};
  fixture.done(WritePeering{{.name = "east", .state = model::PeeringState::pending}});
  auto refused = [&](const Command& command) {
    auto error = fixture.refused(command);
    CHECK(error.code == Errc::exhausted);
    return error.detail;
  };
  auto many = instance("n1", "web");
  for (auto id : {"a", "b", "c"})
    many.checks.push_back(check(id, model::Health::passing));
  CHECK(refused(many) == "Checks: has 3 checks, at most 2 may be registered at once");
  Import::Instance imported{.node = {.name = "m"}, .instance = {.id = "i", .service = "web"}};
  CHECK(refused(Import{"east", "web", {imported, imported}}) ==
        "import of web from east: has 2 instances, at most 1");
  CHECK(refused(instance("node-0123456", "web")) == "Node: must not be longer than 10 bytes");
  CHECK(refused(instance("n1", "service-0123456")) ==
        "Service.Service: must not be longer than 10 bytes");
  auto long_name = gateway();
  long_name.meta.name.name = "gateway-0123";
  CHECK(refused(Put{long_name}) == "Gateway: name: must not be longer than 10 bytes");
  auto large = gateway(std::string(200, 'x'));
  CHECK(refused(Put{large}).starts_with("Gateway default/edge: has 2"));

  auto command = instance("n1", "web");
  command.checks = {check("c", model::Health::critical)};
  fixture.done(command);
  fixture.done(ReportCheck{"n1", "c", model::Health::passing, "0123456789"});
  CHECK(fixture.view().find<model::HealthCheck>({"/n1", "c"})->output == "01234");
}

TEST_CASE_METHOD(Fixture, "only what has no other command is written by Put") {
  CHECK(refused(Put{model::Node{.name = "n"}}).code == Errc::invalid);
  CHECK(refused(Remove{{model::Kind::node, {"", "n"}}}).code == Errc::invalid);
  CHECK(refused(Remove{{model::Kind::service_index, {"", "n"}}}).code == Errc::invalid);
  CHECK(refused(Put{model::Gateway{}}).detail == "Gateway: name: must not be empty");
}

TEST_CASE_METHOD(Fixture, "a peering and its secrets are one change, and go together") {
  using model::PeeringState;
  model::Peering east{.name = "east", .state = PeeringState::pending};
  auto outcome = done(WritePeering{east, model::PeeringSecrets{.establishment = "e"}, 0});
  CHECK(outcome.changed.size() == 2);
  CHECK(view().find<model::Peering>({"", "east"})->id.size() == 36);
  CHECK(view().find<model::PeeringSecrets>({"", "east"})->establishment == "e");

  auto dialer = east;
  dialer.peer_server_addresses = {"10.1.0.1:8503"};
  CHECK(refused(WritePeering{dialer}).detail.find("Cannot switch peering dialing mode") !=
        std::string::npos);

  model::PeeringStatus status{.imported = {"api"}, .lag = 3};
  done(ReportPeering{.name = "east", .state = PeeringState::active, .status = status});
  CHECK(done(ReportPeering{.name = "east", .status = status}).nothing());
  CHECK(view().find<model::Peering>({"", "east"})->status == status);

  east.state = PeeringState::deleting;
  done(WritePeering{east});
  CHECK(view().table<model::PeeringSecrets>().empty());
  auto words = "Peering east: cannot write to peering that is marked for deletion";
  CHECK(refused(WritePeering{east}).detail == words);
  CHECK(refused(ReportPeering{.name = "east", .state = PeeringState::active}).detail == words);
  CHECK(refused(ImportTrust{{.peer = "east"}}).code == Errc::conflict);
  done(ForgetPeering{"east"});
  CHECK(done(ForgetPeering{"east"}).nothing());
  CHECK(refused(ReportPeering{.name = "east"}).code == Errc::not_found);
}

TEST_CASE_METHOD(Fixture, "the dialer goes on trusting a peer whose roots change") {
  done(WritePeering{{.name = "west",
                     .state = model::PeeringState::pending,
                     .peer_ca_pems = {"old"},
                     .peer_server_addresses = {"10.1.0.1:8503"}}});
  ImportTrust trust{{.peer = "west", .trust_domain = "w.consul", .root_pems = {"old", "new"}}};
  done(trust);
  CHECK(view().find<model::Peering>({"", "west"})->peer_ca_pems == trust.bundle.root_pems);
  CHECK(*view().find<model::TrustBundle>({"", "west"}) == trust.bundle);
  CHECK(done(trust).nothing());
}

TEST_CASE_METHOD(Fixture, "a mirrored object does not take the place of one that is written here") {
  done(Put{gateway()});
  auto object = gateway();
  object.meta.uid = "6f1d9a3e-95d4-4f6e-9d53-6c7a1a0e2b11";
  object.class_name = "other";
  CHECK(refused(Put{object, {}, true}) ==
        Error{Errc::conflict, "Gateway default/edge: one of that name is written here, so the "
                              "mirrored one is left out"});
  CHECK(!is_mirrored(view().find<model::Gateway>(edge.name)->meta));
  done(Remove{edge});
  done(Put{object, {}, true});
  CHECK(is_mirrored(view().find<model::Gateway>(edge.name)->meta));
  object.meta.generation = 9;
  done(Put{object, {}, true});
  CHECK(view().find<model::Gateway>(edge.name)->meta.generation == 9);
}

TEST_CASE_METHOD(Fixture, "a key set is kept beside its provider, and goes with it") {
  const model::Name name{"default", "issuer"};
  WriteKeySet write{{.provider = name, .uri = "https://issuer.test/keys", .jwks = "{}"}};
  CHECK(refused(write).code == Errc::not_found);
  model::JwtProvider provider;
  provider.meta.name = name;
  done(Put{provider});
  CHECK(done(write).changed == std::vector{model::ObjectKey{model::Kind::key_set, name}});
  CHECK(done(write).nothing());
  CHECK(view().find<model::KeySet>(name)->jwks == "{}");
  CHECK(refused(Put{model::KeySet{.provider = name}}).code == Errc::invalid);
  done(WriteKeySet{{.provider = name}});
  CHECK(view().find<model::KeySet>(name) == nullptr);
  done(write);
  done(Remove{{model::Kind::jwt_provider, name}});
  CHECK(view().find<model::KeySet>(name) == nullptr);
}

TEST_CASE_METHOD(Fixture,
                 "what is kept of a route is there once, and goes with route and Gateway") {
  const model::ObjectKey key{model::Kind::http_route, {"default", "r"}};
  KeepRoute keep{edge.name, key, model::KeptRoute{.gateway = edge.name, .route = key}};
  keep.kept->content = "bytes";
  done(Put{gateway()});
  CHECK(refused(keep).code == Errc::not_found); // Without the route.
  model::HttpRoute route;
  route.meta.name = key.name;
  done(Put{route});
  done(keep);
  CHECK(done(keep).nothing());
  auto name = model::key_of(*keep.kept).name;
  CHECK(view().find<model::KeptRoute>(name)->content == "bytes");
  SECTION("it is taken back") { done(KeepRoute{edge.name, key, {}}); }
  SECTION("the route goes") { done(Remove{key}); }
  SECTION("the Gateway goes") { done(Remove{edge}); }
  CHECK_FALSE(view().find<model::KeptRoute>(name));
}

TEST_CASE_METHOD(Fixture, "what is kept of a route has a maximum") {
  model::HttpRoute route;
  route.meta.name = {"default", "r"};
  done(Put{gateway()});
  done(Put{route});
  KeepRoute keep{edge.name, key_of(route), model::KeptRoute{}};
  keep.kept->content.resize(CommandLimits{}.object_bytes_max + 1);
  CHECK(refused(keep).code == Errc::exhausted);
}
