#include "cmd/cli/installation.hpp"

#include "kubernetes/deployment.hpp"
#include "kubernetes/object_path.hpp"
#include "kubernetes/watch.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>

using namespace strait;
using namespace strait::cli;
using kubernetes::Node;
using kubernetes::ObjectId;

namespace {

/// Who manages an object differs: everything else must not.
void forget_manager(Node& node) {
  if (auto* map = std::get_if<Node::Map>(&node.value)) {
    std::erase_if(*map, [](auto& member) {
      return member.key == "helm.sh/chart" || member.key == "app.kubernetes.io/managed-by";
    });
    for (auto& member : *map)
      forget_manager(member.value);
  } else if (auto* list = std::get_if<Node::List>(&node.value)) {
    for (auto& item : *list)
      forget_manager(item);
  }
}

std::map<ObjectId, Node> by_id(std::vector<Node> all) {
  std::map<ObjectId, Node> out;
  for (auto& node : all) {
    forget_manager(node);
    out.emplace(kubernetes::id_of(node).value(), std::move(node));
  }
  return out;
}

std::map<ObjectId, Node> chart(const std::string& name) {
  std::ifstream file{std::string{STRAIT_SOURCE_DIR} + "/tests/helm/golden/" + name + ".yaml"};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  auto parsed = kubernetes::parse_yaml(text, name);
  REQUIRE(parsed.errors.empty());
  // Helm's hooks do what `strait uninstall` does.
  std::erase_if(parsed.documents, [](const Node& it) {
    return kubernetes::node_at(it, {"metadata", "annotations", "helm.sh/hook"}) != nullptr;
  });
  return by_id(std::move(parsed.documents));
}

InstallSettings settings() {
  InstallSettings out;
  out.ns = "infra";
  out.version = "0.1.0";
  out.image = "strait:0.1.0";
  out.gateway_image = "strait-gateway:0.1.0";
  return out;
}

void check_like_chart(const std::string& golden, const InstallSettings& settings) {
  auto made = by_id(installation(embedded_manifest(), settings).value());
  auto expected = chart(golden);
  for (auto& [id, node] : expected) {
    INFO(kubernetes::to_string(id));
    REQUIRE(made.contains(id));
    INFO("made:\n"
         << kubernetes::write_yaml(made.at(id)) << "the chart's:\n"
         << kubernetes::write_yaml(node));
    CHECK(kubernetes::same(made.at(id), node));
  }
  CHECK(made.size() == expected.size());
}

} // namespace

TEST_CASE("what is installed is what the chart makes") {
  check_like_chart("default", settings());
  auto openshift = settings();
  openshift.openshift = true;
  openshift.map_privileged_container_ports = 2000;
  check_like_chart("openshift", openshift);
}

TEST_CASE("settings reach the objects") {
  auto given = settings();
  given.consul_class = true;
  given.metrics_port = 9102;
  given.replicas = 3;
  std::string text;
  auto all = installation(embedded_manifest(), given).value();
  for (auto& object : all)
    text += kubernetes::write_yaml(object);
  for (auto line : {"controllerName: hashicorp.com/consul-api-gateway-controller",
                    "--metrics-port=9102", "replicas: 3", "prometheus.io/port: \"9102\""})
    CHECK_THAT(text, Catch::Contains(line));
}

TEST_CASE("every object and every CRD has a path") {
  auto all = installation(embedded_manifest(), settings()).value();
  auto crds = custom_resource_definitions(embedded_crds()).value();
  CHECK(crds.size() >= 2);
  all.insert(all.end(), crds.begin(), crds.end());
  for (auto& node : all)
    CHECK(kubernetes::path_of(kubernetes::id_of(node).value()));
}

TEST_CASE("a manifest that asks for what is not known is an error") {
  CHECK_FALSE(installation("a: ${nothing}\n", {}));
  CHECK_FALSE(installation("a: b #if nothing\n", {}));
  CHECK(installation("a: b #if consul\n", {})->empty());
}
