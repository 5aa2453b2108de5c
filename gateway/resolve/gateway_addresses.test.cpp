#include "gateway/resolve/gateway_addresses.hpp"

#include "gateway/resolve/test_catalog.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::gateway;
using namespace strait::gateway::resolve;

namespace {

const Settings on_kubernetes{.kubernetes = true};

struct Fixture {
  TestCatalog catalog;
  model::Gateway gateway = http_gateway(); // default/edge
  Topics depends;

  Fixture() {
    auto its_class = gateway_class(model::strait_controller);
    its_class.parameters = model::ParametersRef{"consul.hashicorp.com", "GatewayClassConfig", "c"};
    catalog.put(its_class);
  }
  GatewayAddresses of(std::string service_type) {
    auto config = named<model::GatewayClassConfig>("", "c");
    config.service_type = std::move(service_type);
    catalog.put(config);
    depends.clear();
    return addresses_of(catalog.view(), gateway, on_kubernetes, depends);
  }
  /// What counts beside the class and its parameters.
  Topics looked_at() const {
    auto out = depends;
    CHECK(out.erase({model::Kind::gateway_class, {"", "edge"}}) == 1);
    CHECK(out.erase({model::Kind::gateway_class_config, {"", "c"}}) == 1);
    return out;
  }
  void pod(std::string ns, std::string name, std::string gateway_label, std::string ip,
           std::string host, std::string phase = "Running") {
    auto it = named<model::Pod>(std::move(ns), std::move(name));
    it.meta.labels = {{std::string{model::gateway_name_label}, std::move(gateway_label)}};
    it.ip = std::move(ip);
    it.host_ip = std::move(host);
    it.phase = std::move(phase);
    catalog.put(it);
  }
};

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE_METHOD(Fixture, "a Gateway has the addresses of its balancer, or its cluster IP") {
  CHECK(of("LoadBalancer").missing->message == "Service edge has no address yet");
  CHECK(looked_at() == Topics{{model::Kind::service, {"default", "edge"}}});
  auto own = service("default", "edge");
  own.type = "LoadBalancer";
  own.cluster_ip = "10.0.0.9";
  own.ingress = {"192.0.2.7"};
  catalog.put(own);
  CHECK(of("LoadBalancer").assigned == Texts{"192.0.2.7"});
  own.type = "ClusterIP";
  catalog.put(own);
  CHECK(of("ClusterIP").assigned == Texts{"10.0.0.9"});
}

TEST_CASE_METHOD(Fixture, "NodePort means the nodes of its pods, no Service the pods") {
  for (auto type : {"NodePort", ""}) {
    auto none = of(type);
    REQUIRE(none.missing);
    CHECK(none.missing->reason == model::Reason::address_not_assigned);
    CHECK(none.missing->message == "no pod of the gateway has an address yet");
    CHECK(looked_at() == Topics{{model::Kind::pod, {"default", ""}}});
  }
  pod("default", "edge-2", "edge", "10.1.0.2", "192.0.2.1");
  pod("default", "edge-1", "edge", "10.1.0.1", "192.0.2.1");
  pod("default", "edge-3", "edge", "", "", "Pending");
  pod("default", "edge-4", "edge", "10.1.0.4", "192.0.2.4", "Failed");
  pod("default", "other-1", "other", "10.1.0.5", "192.0.2.5");
  pod("apart", "edge-1", "edge", "10.1.0.6", "192.0.2.6");
  CHECK(of("").assigned == Texts{"10.1.0.1", "10.1.0.2"});
  CHECK(of("NodePort").assigned == Texts{"192.0.2.1"});
  CHECK_FALSE(of("NodePort").missing);
}

TEST_CASE_METHOD(Fixture, "no Gateway has more addresses than its status may") {
  for (std::size_t i = 0; i < addresses_max + 3; ++i)
    pod("default", "edge-" + std::to_string(i), "edge", "10.1.0." + std::to_string(100 + i), "");
  auto assigned = of("").assigned;
  CHECK(assigned.size() == addresses_max);
  CHECK(assigned.front() == "10.1.0.100");
}
