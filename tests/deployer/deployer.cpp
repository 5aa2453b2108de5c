// links: strait_kubernetes
#include "kubernetes/deployer.hpp"

#include "kubernetes/object_path.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

using namespace strait;
using namespace strait::kubernetes;

namespace {

const std::filesystem::path folder{STRAIT_SOURCE_DIR "/tests/deployer"};

struct Case {
  model::Gateway gateway;
  std::optional<model::GatewayClassConfig> config;
  std::vector<ServedPort> ports{{80, false}, {8443, false}};
  DeployerSettings settings{.image = "strait-gateway:1", .feed_address = "strait.infra.svc:8504"};

  Case() {
    gateway.meta.name = {"shop", "edge"};
    gateway.meta.uid = "11111111-2222-3333-4444-555555555555";
    gateway.class_name = "strait";
  }
  Result<std::vector<Node>> objects() const {
    return desired_objects({gateway, config ? &*config : nullptr, ports,
                            FeedCertificate{"ROOTS", "CHAIN", "KEY"}, settings});
  }
  std::string text() const {
    auto all = objects();
    REQUIRE(all);
    std::string out;
    for (auto& object : *all)
      out += "---\n" + write_yaml(object);
    return out;
  }
};

/// The word of the test against the file; STRAIT_GOLDEN_ACCEPT=1 writes the file instead.
void check_golden(const std::string& name, const std::string& text) {
  auto path = folder / (name + ".out.yaml");
  if (std::getenv("STRAIT_GOLDEN_ACCEPT")) {
    std::ofstream{path} << text;
    return;
  }
  std::ifstream file{path};
  CHECK(std::string{std::istreambuf_iterator<char>{file}, {}} == text);
}

const Node* find(const std::vector<Node>& all, std::string_view kind) {
  for (auto& object : all)
    if (std::get<std::string>(object.find("kind")->value) == kind)
      return &object;
  return nullptr;
}
/// The value at "spec.template.spec"; fails the test if there is none.
const Node& at(const Node& node, std::string_view path) {
  auto* here = &node;
  while (!path.empty()) {
    auto dot = path.find('.');
    here = here->find(path.substr(0, dot));
    REQUIRE(here);
    path = dot == std::string_view::npos ? "" : path.substr(dot + 1);
  }
  return *here;
}
std::int64_t number_at(const Node& node, std::string_view path) {
  return std::get<std::int64_t>(at(node, path).value);
}

} // namespace

TEST_CASE("a Gateway whose class asks for nothing gets the least") {
  check_golden("plain", Case{}.text());
}

TEST_CASE("every field of the class and of the Gateway has its place") {
  Case it;
  it.gateway.infrastructure.labels = {{"team", "shop"},
                                      {"app.kubernetes.io/managed-by", "not to be changed"}};
  it.gateway.infrastructure.annotations = {{"example.com/cost-center", "42"}};
  it.gateway.addresses = {{"IPAddress", "203.0.113.7"}};
  it.gateway.meta.annotations = {
      {"service.example.com/scheme", "internal"},
      {"not-copied", "x"},
      {"consul.hashicorp.com/default-replicas", "3"},
      {"consul.hashicorp.com/liveness-probe", R"({"tcpSocket": {"port": "ready"}})"},
      {"consul.hashicorp.com/startup-probe",
       R"({"httpGet": {"path": "/ready", "port": 20000}, "failureThreshold": 30})"}};
  auto& config = it.config.emplace();
  config.service_type = "LoadBalancer";
  config.map_privileged_container_ports = 2000;
  config.openshift_scc_name = "restricted-v2";
  config.node_selector = {{"disk", "ssd"}};
  config.tolerations = {{"dedicated", "Equal", "gateways", "NoExecute", 60}};
  config.resource_requests = {{"cpu", "100m"}, {"memory", "64Mi"}};
  config.resource_limits = {{"memory", "128Mi"}};
  config.copy_service_annotations = {"service.example.com/scheme"};
  config.image = "registry.example.com/strait-gateway:2";
  config.log_level = "debug";
  config.metrics_enabled = true;
  config.metrics_port = 9102;
  config.metrics_path = "/numbers";
  config.max_connections = 5000;
  it.settings.image_pull_secrets = {"registry"};
  it.ports = {{443, false}, {80, false}, {53, true}, {53, false}, {80, false}};
  check_golden("everything", it.text());
}

TEST_CASE("what is made is of the kinds that are followed and removed, in their order") {
  Case it;
  it.gateway.meta.annotations = {{"consul.hashicorp.com/hpa-enabled", "true"},
                                 {"consul.hashicorp.com/hpa-minimum-replicas", "2"}};
  auto& config = it.config.emplace();
  config.openshift_scc_name = "restricted-v2";
  config.service_type = "ClusterIP";
  std::set<std::string> made;
  for (bool daemon_set : {false, true}) {
    config.daemon_set = daemon_set;
    auto* kind = std::begin(deployed_kinds);
    auto objects = it.objects();
    REQUIRE(objects);
    for (auto& object : *objects) {
      auto id = id_of(object).value();
      kind = std::find_if(kind, std::end(deployed_kinds), [&](auto& row) {
        return row.kind == id.kind && row.api_version == id.api_version;
      });
      INFO(id.kind);
      REQUIRE(kind != std::end(deployed_kinds));
      CHECK(kind->constraint == id.api_version.starts_with("rbac."));
      made.insert(id.kind);
    }
  }
  CHECK(made.size() == std::size(deployed_kinds));
}

TEST_CASE("an autoscaler has the count of the pods to itself") {
  Case it;
  it.gateway.meta.annotations = {{"consul.hashicorp.com/hpa-enabled", "true"},
                                 {"consul.hashicorp.com/hpa-minimum-replicas", "2"},
                                 {"consul.hashicorp.com/hpa-maximum-replicas", "6"},
                                 {"consul.hashicorp.com/hpa-cpu-utilization-target", "70"}};
  check_golden("autoscaled", it.text());
}

TEST_CASE("a DaemonSet with ports of the nodes lets the old pod go first") {
  Case it;
  auto& config = it.config.emplace();
  config.daemon_set = true;
  config.host_ports = true;
  check_golden("daemon-set", it.text());
}

TEST_CASE("metrics are served at Consul's port where a class asks for no more than metrics") {
  Case it;
  it.gateway.infrastructure.annotations = {{"prometheus.io/path", "/own"}};
  it.config.emplace().metrics_port = 9102;
  CHECK_THAT(it.text(), !Catch::Contains("metrics"));
  it.config->metrics_enabled = true;
  it.config->metrics_port = 0;
  auto all = *it.objects();
  auto& pod = at(*find(all, "Deployment"), "spec.template");
  auto annotations = write_json(at(pod, "metadata.annotations"), 0);
  CHECK(annotations == R"({"prometheus.io/path":"/own","prometheus.io/port":"20200",)"
                       R"("prometheus.io/scrape":"true"})");
  auto& container = std::get<Node::List>(at(pod, "spec.containers").value).at(0);
  auto arguments = write_json(at(container, "args"), 0);
  CHECK_THAT(arguments, Catch::Contains(R"("--metrics-port=20200","--metrics-path=/metrics")"));
  CHECK_THAT(arguments, !Catch::Contains("--max-connections"));
  CHECK_THAT(write_json(at(container, "ports"), 0),
             Catch::Contains(R"({"name":"metrics","containerPort":20200,"protocol":"TCP"})"));
}

TEST_CASE("Services are as the class has it") {
  Case it;
  it.config.emplace();
  CHECK_FALSE(find(*it.objects(), "Service")); // No type, no Service.
  it.config->service_type = "ClusterIP";
  it.gateway.addresses = {{"IPAddress", "10.0.0.7"}, {"Hostname", "a.example"}, {"IPAddress", ""}};
  auto all = *it.objects();
  auto* service = find(all, "Service");
  REQUIRE(service);
  CHECK(write_json(at(*service, "spec.externalIPs"), 0) == R"(["10.0.0.7"])");
  it.ports.clear();
  CHECK_FALSE(find(*it.objects(), "Service")); // The API has no Service without a port.
}

TEST_CASE("a pod is allowed to bind low ports only where it does") {
  Case it;
  auto sysctls = [&] {
    auto all = *it.objects();
    return at(*find(all, "Deployment"), "spec.template.spec.securityContext").find("sysctls") !=
           nullptr;
  };
  CHECK(sysctls());
  it.config.emplace().map_privileged_container_ports = 2000;
  CHECK_FALSE(sysctls());
  CHECK(container_port(80, &*it.config) == 2080);
  CHECK(container_port(1024, &*it.config) == 3024);
  CHECK(container_port(1025, &*it.config) == 1025);
  CHECK(container_port(80, nullptr) == 80);
  it.config.reset();
  it.ports = {{8080, false}};
  CHECK_FALSE(sysctls());
}

TEST_CASE("the count of pods is kept between the least and the most of the class") {
  Case it;
  auto& config = it.config.emplace();
  auto replicas = [&] { return number_at(*find(*it.objects(), "Deployment"), "spec.replicas"); };
  CHECK(replicas() == 1);
  config.default_instances = 2;
  CHECK(replicas() == 2);
  config.max_instances = 4;
  it.gateway.meta.annotations["consul.hashicorp.com/default-replicas"] = "9";
  CHECK(replicas() == 4);
  config.min_instances = 6; // Contradictory: the least wins.
  CHECK(replicas() == 6);
}

TEST_CASE("an annotation that is wrong is an error that names it") {
  for (auto [name, value, expected] :
       {std::tuple{"default-replicas", "0", "expected a whole number from 1 to 1000, got \"0\""},
        {"default-replicas", "two", "got \"two\""},
        {"hpa-enabled", "yes", "expected true or false, got \"yes\""},
        {"readiness-probe", "{", "expected a probe of core/v1 as a JSON object"},
        {"liveness-probe", "[]", "expected a probe of core/v1 as a JSON object"}}) {
    Case it;
    it.gateway.meta.annotations[std::string{"consul.hashicorp.com/"} + name] = value;
    auto objects = it.objects();
    REQUIRE_FALSE(objects);
    CHECK(objects.error().code == Errc::invalid);
    CHECK_THAT(objects.error().detail,
               Catch::StartsWith("Gateway shop/edge: metadata.annotations[consul.hashicorp.com/" +
                                 std::string{name}));
    CHECK_THAT(objects.error().detail, Catch::Contains(expected));
  }
  Case it;
  it.gateway.meta.annotations = {{"consul.hashicorp.com/hpa-enabled", "true"},
                                 {"consul.hashicorp.com/hpa-minimum-replicas", "20"}};
  CHECK_THAT(it.objects().error().detail, Catch::Contains("at least hpa-minimum-replicas, 20"));
}

TEST_CASE("names and labels fit, whatever the Gateway is called") {
  Case it;
  it.gateway.meta.name.name = std::string(200, 'a') + ".b";
  auto all = *it.objects();
  for (auto& object : all) {
    auto id = id_of(object);
    REQUIRE(id);
    CHECK(path_of(*id));
    if (id->kind != "Secret")
      CHECK(id->name.name.size() == 63);
    for (auto& label : std::get<Node::Map>(at(object, "metadata.labels").value))
      CHECK(std::get<std::string>(label.value.value).size() <= 63);
  }
}

TEST_CASE("objects are found at their paths") {
  CHECK(path_of({"apps/v1", "Deployment", {"shop", "edge"}}) ==
        "/apis/apps/v1/namespaces/shop/deployments/edge");
  CHECK(collection_of({"v1", "Service", {"shop", "edge"}}) == "/api/v1/namespaces/shop/services");
  CHECK(collection_of({"v1", "Service", {}}) == "/api/v1/services");
  CHECK(path_of({"rbac.authorization.k8s.io/v1", "ClusterRole", {"", "strait"}}) ==
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/strait");
  CHECK_FALSE(path_of({"v1", "Pod", {"shop", "edge"}}));
  auto nameless = parse_yaml("apiVersion: v1\nkind: Service\n", "x").documents.front();
  CHECK(id_of(nameless).error().detail == "object Service : metadata.name: expected a string");
}
