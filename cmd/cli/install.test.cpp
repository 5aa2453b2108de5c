#include "cmd/cli/fake_cluster.hpp"
#include "kubernetes/status_patch.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::cli;
using Catch::Matchers::Contains;
using kubernetes::FakeApiServer;
using kubernetes::Node;
using kubernetes::text_at;

namespace {

const std::string controller = "/apis/apps/v1/namespaces/strait/deployments/strait";
const std::string classes = "/apis/gateway.networking.k8s.io/v1/gatewayclasses";
const std::string lease = "/apis/coordination.k8s.io/v1/namespaces/strait/leases/strait-controller";
const std::string crd =
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/meshservices.consul.hashicorp.com";

/// What Kubernetes' own controllers do: every Deployment is ready at once.
void make_ready(const std::string& path, Node& object) {
  if (path.find("/deployments/") == std::string::npos)
    return;
  auto* replicas = kubernetes::node_at(object, {"spec", "replicas"});
  auto count = replicas ? *replicas : Node{std::int64_t{1}, {}};
  auto& status = FakeApiServer::child(object, "status");
  for (auto field : {"replicas", "updatedReplicas", "availableReplicas"})
    FakeApiServer::child(status, field) = count;
}

struct Installed : FakeCluster {
  Installed() {
    with([](FakeApiServer& it) { it.on_write = make_ready; });
  }
  Ran install(std::vector<std::string> more = {}) {
    more.insert(more.begin(), "install");
    return strait(std::move(more));
  }
  /// Whatever becomes of it, the API server answers this to such a request.
  void answer(const std::string& method, const std::string& path, int status) {
    with([=](FakeApiServer& it) {
      it.instead = [=](const net::HttpRequest& request) -> std::optional<net::HttpResponse> {
        if (request.method != method || request.path() != path)
          return {};
        return net::HttpResponse{status, {}, R"({"message":"the server's word"})"};
      };
    });
  }
};

std::string gateway_object(const std::string& name) {
  return fmt::format(R"({{"metadata":{{"name":"{}","namespace":"shop","labels":{{)"
                     R"("app.kubernetes.io/managed-by":"strait",)"
                     R"("gateway.networking.k8s.io/gateway-name":"edge"}}}}}})",
                     name);
}

std::string class_object(const std::string& controller_name) {
  return fmt::format(R"({{"apiVersion":"gateway.networking.k8s.io/v1","kind":"GatewayClass",)"
                     R"("metadata":{{"name":"mine","finalizers":["other","{}"]}},)"
                     R"("spec":{{"controllerName":"{}"}}}})",
                     kubernetes::gateway_exists_finalizer, controller_name);
}

std::size_t finalizers(const Node& object) {
  auto* list = kubernetes::node_at(object, {"metadata", "finalizers"});
  return list ? std::get<Node::List>(list->value).size() : 0;
}

std::ptrdiff_t place(const std::vector<std::string>& asked, const std::string& line) {
  auto found = std::find(asked.begin(), asked.end(), line);
  REQUIRE(found != asked.end());
  return found - asked.begin();
}

} // namespace

TEST_CASE("an installation makes its objects, waits until they are ready, and goes whole") {
  Installed cluster;
  auto ran = cluster.install({"--replicas", "2"});
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK_THAT(ran.out, Contains("is ready in namespace strait"));
  auto made = cluster.paths();
  for (auto& path : {controller, classes + "/strait", std::string{"/api/v1/namespaces/strait"},
                     std::string{"/api/v1/namespaces/strait/secrets/strait-authority"}, crd})
    CHECK(made.contains(path));
  cluster.put(lease, R"({"metadata":{"name":"strait-controller","namespace":"strait"}})");
  ran = cluster.strait({"uninstall"});
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  for (auto& path : cluster.paths())
    CHECK_THAT(path, Contains("/customresourcedefinitions/"));
  REQUIRE(!cluster.paths().empty());
  CHECK(cluster.strait({"uninstall", "--crds"}).code == 0);
  CHECK(cluster.paths().empty());
}

TEST_CASE("a CRD that is there stays as it is, unless it is to be overwritten") {
  Installed cluster;
  cluster.put(crd, R"({"metadata":{"name":"x"},"spec":{"newer":"yes"}})");
  REQUIRE(cluster.install().code == 0);
  CHECK(kubernetes::node_at(cluster.object(crd), {"spec", "versions"}) == nullptr);
  REQUIRE(cluster.strait({"upgrade", "--overwrite-crds"}).code == 0);
  CHECK(kubernetes::node_at(cluster.object(crd), {"spec", "versions"}) != nullptr);
}

TEST_CASE("what is installed is not installed again, what is not is not upgraded") {
  Installed cluster;
  auto ran = cluster.strait({"upgrade"});
  CHECK(ran.code == 3);
  CHECK_THAT(ran.err, Contains("not installed"));
  REQUIRE(cluster.install().code == 0);
  ran = cluster.install();
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, Contains("installed already"));
}

TEST_CASE("an upgrade removes what its settings do not ask for any more") {
  Installed cluster;
  REQUIRE(cluster.install({"--consul-class"}).code == 0);
  CHECK(cluster.paths().contains(classes + "/consul"));
  auto ran = cluster.strait({"upgrade"});
  REQUIRE(ran.code == 0);
  CHECK_THAT(ran.out, Contains("GatewayClass consul removed"));
  CHECK(!cluster.paths().contains(classes + "/consul"));
}

TEST_CASE("what Helm installed is neither upgraded nor uninstalled") {
  Installed cluster;
  cluster.put(controller, R"({"metadata":{"name":"strait","namespace":"strait",)"
                          R"("labels":{"app.kubernetes.io/managed-by":"Helm"}}})");
  for (auto command : {"upgrade", "uninstall"}) {
    auto ran = cluster.strait({command});
    CHECK(ran.code == 1);
    CHECK_THAT(ran.err, Contains("if Helm made it, use helm " + std::string{command}));
  }
  CHECK(cluster.paths() == std::set<std::string>{controller});
}

TEST_CASE("pods that do not become ready are named when the time is over") {
  Installed cluster;
  cluster.with([](FakeApiServer& it) { it.on_write = {}; });
  auto ran = cluster.install({"--timeout", "1ms"});
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, Contains("Deployment strait/strait: 0 of 1 ready when the time was over"));
}

TEST_CASE("a refusal names the object and has the server's words") {
  Installed cluster;
  cluster.answer("PATCH", controller, 403);
  auto ran = cluster.install();
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, Contains("Deployment strait/strait: the API server answered 403: "
                               "the server's word"));
}

TEST_CASE("a cluster without the Gateway API gets the rest, and a word") {
  Installed cluster;
  cluster.answer("PATCH", classes + "/strait", 404);
  auto ran = cluster.install();
  CHECK(ran.code == 0);
  CHECK_THAT(ran.err, Contains("does not have the Gateway API yet, so GatewayClass strait"));
  CHECK(cluster.paths().contains(controller));
}

TEST_CASE("the controller ends before what runs for Gateways goes, and only that goes") {
  Installed cluster;
  REQUIRE(cluster.install().code == 0);
  const std::string edge = "/apis/apps/v1/namespaces/shop/deployments/edge";
  const std::string foreign = "/apis/apps/v1/namespaces/shop/deployments/other";
  const std::string service = "/api/v1/namespaces/shop/services/edge";
  cluster.put(edge, gateway_object("edge"));
  cluster.put(service, gateway_object("edge"));
  cluster.put(foreign, R"({"metadata":{"name":"other","namespace":"shop",)"
                       R"("labels":{"app.kubernetes.io/managed-by":"strait"}}})");
  SECTION("with the gateways") {
    REQUIRE(cluster.strait({"uninstall"}).code == 0);
    CHECK(!cluster.paths().contains(edge));
    CHECK(!cluster.paths().contains(service));
    auto asked = cluster.asked();
    CHECK(place(asked, "DELETE " + controller) < place(asked, "DELETE " + edge));
  }
  SECTION("or without") {
    REQUIRE(cluster.strait({"uninstall", "--keep-gateways"}).code == 0);
    CHECK(cluster.paths().contains(edge));
    CHECK(cluster.paths().contains(service));
  }
  CHECK(cluster.paths().contains(foreign));
  CHECK(!cluster.paths().contains(controller));
}

TEST_CASE("classes of our controllers are let go of, also those that others made") {
  Installed cluster;
  REQUIRE(cluster.install().code == 0);
  auto [name, left] =
      GENERATE(std::pair{"strait.dev/gateway-controller", std::size_t{1}},
               std::pair{"hashicorp.com/consul-api-gateway-controller", std::size_t{1}},
               std::pair{"example.com/controller", std::size_t{2}});
  cluster.put(classes + "/mine", class_object(name));
  REQUIRE(cluster.strait({"uninstall"}).code == 0);
  CHECK(finalizers(cluster.object(classes + "/mine")) == left);
}

TEST_CASE("letting go of a class that others write to is tried again, a few times") {
  Installed cluster;
  cluster.put(classes + "/mine", class_object("strait.dev/gateway-controller"));
  cluster.answer("PATCH", classes + "/mine", 409);
  auto ran = cluster.strait({"uninstall"});
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err,
             Contains("GatewayClass mine: the API server answered 409: the server's word"));
  auto tries = cluster.with([](FakeApiServer& it) {
    it.instead = {};
    return it.count_asked("PATCH", classes + "/mine");
  });
  CHECK(tries == 5);
  CHECK(cluster.strait({"uninstall"}).code == 0);
  CHECK(finalizers(cluster.object(classes + "/mine")) == 1);
}

TEST_CASE("Helm's hook takes only what Helm leaves, with the controller's rights") {
  Installed cluster;
  REQUIRE(cluster.install().code == 0);
  const std::string edge = "/api/v1/namespaces/shop/services/edge";
  cluster.put(edge, gateway_object("edge"));
  cluster.put(lease, R"({"metadata":{"name":"strait-controller","namespace":"strait"}})");
  cluster.answer("GET", "/apis/rbac.authorization.k8s.io/v1/roles", 403);
  auto before = cluster.paths();
  auto ran = cluster.strait({"uninstall", "--for-helm", "strait"});
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  for (auto& path : {edge, lease, controller})
    before.erase(path);
  CHECK(cluster.paths() == before);

  SECTION("which must be allowed to see everything else") {
    cluster.answer("GET", "/api/v1/secrets", 403);
    CHECK(cluster.strait({"uninstall", "--for-helm", "strait"}).code == 1);
  }
  SECTION("and ends no Deployment but Strait's") {
    cluster.put("/apis/apps/v1/namespaces/strait/deployments/web",
                R"({"metadata":{"name":"web","namespace":"strait"}})");
    ran = cluster.strait({"uninstall", "--for-helm", "web"});
    CHECK(ran.code == 1);
    CHECK_THAT(ran.err, Contains("Deployment strait/web is not Strait's"));
  }
}

TEST_CASE("what does not go is named when the time is over") {
  Installed cluster;
  REQUIRE(cluster.install().code == 0);
  cluster.answer("DELETE", "/api/v1/namespaces/strait/services/strait", 200); // And stays.
  auto ran = cluster.strait({"uninstall", "--timeout", "1ms"});
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, Contains("Service strait/strait: still there when the time was over"));
}
