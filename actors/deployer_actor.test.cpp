#include "actors/deployer_actor.hpp"

#include "actors/kubernetes_fixture.test.hpp"

using namespace strait;
using namespace strait::actors;
using namespace std::chrono_literals;
using kubernetes::FakeApiServer;
using kubernetes::Node;
using kubernetes::text_at;

namespace {

const model::Name edge{"shop", "edge"};
const std::string account = "/api/v1/namespaces/shop/serviceaccounts/edge";
const std::string deployment = "/apis/apps/v1/namespaces/shop/deployments/edge";
const std::string service = "/api/v1/namespaces/shop/services/edge";

struct Deployed : test::KubernetesFixture {
  Deployed() {
    DeployerOptions options;
    options.client = client;
    options.settings.image = "strait-gateway:1";
    options.settings.feed_address = "strait.infra.svc:8504";
    options.datacenter = "dc1";
    options.resolution.kubernetes = true;
    options.now = [this] { return now; };
    options.report = [this](const model::Name& name, const std::optional<Error>& error) {
      CHECK(name == edge);
      reported.push_back(error ? error->detail : "fine");
    };
    actor = run.system.spawn(deployer_actor, catalog, options);
    auto authority =
        peering::make_authority("11111111-2222-3333-4444-555555555555.consul", now_wall());
    REQUIRE(authority);
    apply(catalog::WriteAuthority{*authority});
    put(model::Namespace{.meta = {.name = {"", "shop"}}});
    configure("ClusterIP");
    gateway_class(std::string{model::strait_controller});
    gateway();
  }
  ~Deployed() { end(actor); }

  void configure(const std::string& service_type, const std::string& constraint = {}) {
    model::GatewayClassConfig config{.meta = {.name = {"", "strait"}}};
    config.service_type = service_type;
    config.openshift_scc_name = constraint;
    put(config);
  }
  void gateway_class(const std::string& controller) {
    put(model::GatewayClass{.meta = {.name = {"", "strait"}},
                            .controller_name = controller,
                            .parameters = model::ParametersRef{
                                "consul.hashicorp.com", "GatewayClassConfig", "strait", {}}});
  }
  void gateway() {
    model::Gateway it{.meta = {.name = edge, .uid = "uid-edge"}, .class_name = "strait"};
    it.listeners = {{.name = "http", .port = 8080, .protocol = "HTTP"}};
    put(it);
  }
  void lead(bool leads) { caf::anon_send(actor, lead_atom::value, leads); }
  bool deploys() {
    return until([&] { return !reported.empty() && reported.back() == "fine"; });
  }
  /// As somebody else would do it.
  void change(const std::string& path, std::initializer_list<std::string_view> field,
              const std::string& value) {
    auto object = server.object(path);
    auto* at = &object;
    for (auto key : field)
      at = &FakeApiServer::child(*at, key);
    at->value = value;
    server.put(path, write_json(object, 0));
  }
  std::size_t writes() const {
    return static_cast<std::size_t>(
        std::count_if(server.asked.begin(), server.asked.end(),
                      [](auto& line) { return !line.starts_with("GET "); }));
  }
  void pass(Millis by) {
    now += by;
    run.advance(by);
    quiet();
  }

  std::vector<std::string> reported;
  DeployerActor actor;
};

} // namespace

TEST_CASE("only a leader deploys, all that the Gateway needs and nothing twice") {
  Deployed it;
  it.quiet();
  CHECK(it.server.asked ==
        std::vector<std::string>(test::KubernetesFixture::quiet_rounds, "GET /quiet"));
  it.lead(true);
  REQUIRE(it.deploys());
  CHECK(it.server.paths() == std::set<std::string>{account, deployment, service,
                                                   "/api/v1/namespaces/shop/secrets/edge-feed"});
  auto made = it.server.object(deployment);
  auto* owners = kubernetes::node_at(made, {"metadata", "ownerReferences"});
  REQUIRE(owners);
  CHECK(text_at(std::get<Node::List>(owners->value).front(), {"uid"}) == "uid-edge");
  auto writes = it.writes();
  CHECK(writes == 4);
  it.pass(5s);
  CHECK(it.writes() == writes);
}

TEST_CASE("what somebody changes in our fields is set right, what he adds is his") {
  Deployed it;
  it.lead(true);
  REQUIRE(it.deploys());
  auto wanted = text_at(it.server.object(service), {"spec", "type"});
  CHECK(wanted == "ClusterIP");
  it.change(service, {"metadata", "annotations", "example.com/own"}, "yes");
  it.quiet();
  auto writes = it.writes();
  it.change(service, {"spec", "type"}, "ExternalName");
  REQUIRE(it.until([&] { return it.writes() > writes; }));
  it.quiet();
  CHECK(text_at(it.server.object(service), {"spec", "type"}) == wanted);
  CHECK(text_at(it.server.object(service), {"metadata", "annotations", "example.com/own"}) ==
        "yes");
  CHECK(it.writes() == writes + 1);

  SECTION("also when he removes the object") {
    it.server.remove(account);
    REQUIRE(it.until([&] { return it.server.has(account); }));
  }
  SECTION("but not by one who does not lead any more") {
    it.lead(false);
    it.quiet();
    it.server.remove(account);
    it.change(service, {"spec", "type"}, "ExternalName");
    it.pass(5s);
    CHECK(!it.server.has(account));
    CHECK(text_at(it.server.object(service), {"spec", "type"}) == "ExternalName");
    it.lead(true); // And again by one who does.
    REQUIRE(it.until([&] {
      return it.server.has(account) &&
             text_at(it.server.object(service), {"spec", "type"}) == wanted;
    }));
  }
}

TEST_CASE("Roles are looked after where a security context constraint is asked for") {
  Deployed it;
  const std::string roles = "/apis/rbac.authorization.k8s.io/v1/roles";
  const std::string role = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles/edge";
  it.lead(true);
  REQUIRE(it.deploys());
  it.quiet();
  CHECK(it.server.watches(roles) == 0); // Nobody may list them elsewhere.
  CHECK(!it.server.has(role));
  it.configure("ClusterIP", "restricted-v2");
  REQUIRE(it.until([&] { return it.server.has(role) && it.server.watches(roles) == 1; }));
  it.quiet();
  it.server.remove(role);
  REQUIRE(it.until([&] { return it.server.has(role); }));
  it.quiet();
  it.configure("ClusterIP");
  REQUIRE(it.until([&] { return !it.server.has(role); }));
}

TEST_CASE("what is not wanted any more is removed, and nothing of a Gateway that is gone") {
  Deployed it;
  it.lead(true);
  REQUIRE(it.deploys());
  SECTION("an object") {
    it.configure("");
    REQUIRE(it.until([&] { return !it.server.has(service); }));
    it.quiet();
    CHECK(it.server.has(deployment));
  }
  SECTION("all, when the class becomes another's") {
    it.gateway_class("example.com/controller");
    REQUIRE(it.until([&] { return it.server.paths().empty(); }));
  }
  SECTION("none: Kubernetes removes what a Gateway owned") {
    it.forget<model::Gateway>(edge);
    it.quiet();
    CHECK(it.server.count_asked("DELETE", deployment) == 0);
  }
  SECTION("what an earlier leader left, too") {
    it.lead(false);
    it.quiet();
    it.gateway_class("example.com/controller");
    it.quiet();
    CHECK(it.server.has(deployment));
    it.gateway_class(std::string{model::strait_controller});
    it.configure("");
    it.lead(true);
    REQUIRE(it.until([&] { return !it.server.has(service); }));
  }
}

TEST_CASE("an object of the same name that is another's is not touched, and said") {
  Deployed it;
  it.server.put(deployment, R"({"metadata":{"name":"edge","namespace":"shop","uid":"theirs"}})");
  auto theirs = write_json(it.server.object(deployment));
  it.lead(true);
  REQUIRE(it.until([&] { return !it.reported.empty(); }));
  CHECK_THAT(it.reported.back(),
             Catch::Contains("Deployment shop/edge: exists and does not belong to this Gateway"));
  it.pass(40s);
  CHECK(write_json(it.server.object(deployment)) == theirs);
  CHECK(it.server.has(service)); // The rest is made.
  it.server.remove(deployment);
  REQUIRE(it.until([&] {
    it.now += 31s;
    it.run.advance(1s);
    return it.server.has(deployment);
  }));
  REQUIRE(it.deploys());
}

TEST_CASE("a refusal is reported in the server's words, and tried again later and later") {
  Deployed it;
  it.server.instead = [](const net::HttpRequest& request) -> std::optional<net::HttpResponse> {
    if (request.method != "PATCH" || request.path() != service)
      return {};
    return net::HttpResponse{403, {}, R"({"message":"quota exceeded"})"};
  };
  it.lead(true);
  REQUIRE(it.until([&] { return !it.reported.empty(); }));
  CHECK_THAT(it.reported.back(), Catch::Contains("quota exceeded"));
  auto tries = [&] { return it.server.count_asked("PATCH", service); };
  it.quiet();
  CHECK(tries() == 1);
  it.pass(1s); // After half a second …
  CHECK(tries() == 2);
  it.pass(1s); // … then after one, …
  CHECK(tries() == 3);
  it.pass(1s); // … then after two.
  CHECK(tries() == 3);
  it.server.instead = {};
  REQUIRE(it.until([&] {
    it.now += 1s;
    it.run.advance(1s);
    return it.server.has(service);
  }));
  REQUIRE(it.deploys());
}

TEST_CASE("what stands in the way of a deployment is said of the Gateway, what passes is not") {
  struct Case {
    Errc code;
    std::optional<model::Reason> reason;
  };
  for (auto [code, reason] :
       {Case{Errc::invalid, model::Reason::invalid},
        Case{Errc::conflict, model::Reason::no_resources},
        Case{Errc::denied, model::Reason::no_resources},
        Case{Errc::not_found, model::Reason::no_resources}, Case{Errc::unavailable, {}}}) {
    INFO(static_cast<int>(code));
    auto said = deployment_status(edge, Error{code, "Service shop/edge: why"});
    REQUIRE(said.has_value() == reason.has_value());
    if (!said)
      continue;
    CHECK(said->gateway == edge);
    REQUIRE(said->problem);
    CHECK(said->problem->reason == *reason);
    CHECK(said->problem->message == "Service shop/edge: why");
  }
  auto free = deployment_status(edge, {});
  REQUIRE(free);
  CHECK_FALSE(free->problem);
}
