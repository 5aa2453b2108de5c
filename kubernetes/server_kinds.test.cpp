#include "kubernetes/server_kinds.hpp"

#include "kubernetes/deployer.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::kubernetes;

namespace {

const ServerKind& kind(std::string_view name, std::string_view group) {
  for (auto& it : server_kinds())
    if (it.name == name && it.group == group)
      return it;
  throw std::logic_error("no such kind");
}
constexpr std::string_view gateway_api = "gateway.networking.k8s.io";

} // namespace

TEST_CASE("every kind has one row for each of its groups, and a path for its objects") {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (auto& it : server_kinds()) {
    CHECK(seen.emplace(it.group, it.plural).second);
    CHECK(!it.versions[0].empty());
    bool entry = it.name == "ExportedServices" || it.name == "ServiceIntentions";
    CHECK((entry || model::to_string(it.kind) == it.name)); // Entries have Consul's own names.
  }
  CHECK(object_path(kind("Service", ""), "v1", {"shop", "web"}) ==
        "/api/v1/namespaces/shop/services/web");
  CHECK(object_path(kind("GatewayClass", gateway_api), "v1", {"", "strait"}) ==
        "/apis/gateway.networking.k8s.io/v1/gatewayclasses/strait");
  CHECK(collection_path(kind("EndpointSlice", "discovery.k8s.io"), "v1") ==
        "/apis/discovery.k8s.io/v1/endpointslices");
  CHECK(api_version(kind("Secret", ""), "v1") == "v1");
}

TEST_CASE("discovery tells versions, and the plurals that can be watched") {
  CHECK(*parse_group(R"({"kind":"APIGroup","versions":[{"groupVersion":"g/v1","version":"v1"},
                         {"version":"v1beta1"}]})") == std::vector<std::string>{"v1", "v1beta1"});
  CHECK(*parse_resources(R"({"resources":[
    {"name":"gateways","verbs":["get","list","watch"]},
    {"name":"gateways/status","verbs":["get","patch"]}]})") == std::set<std::string>{"gateways"});
  CHECK(!parse_group("{}"));
  CHECK(!parse_resources("5"));
}

TEST_CASE("of the versions served the best that Strait decodes is taken") {
  auto& grant = kind("ReferenceGrant", gateway_api);
  std::string group{gateway_api};
  Resources resources{{{group, "v1beta1"}, {"referencegrants"}}, {{group, "v1"}, {"gateways"}}};
  CHECK(served_version(grant, resources) == "v1beta1");
  resources[{group, "v1"}].insert("referencegrants");
  CHECK(served_version(grant, resources) == "v1");
  CHECK(served_version(kind("TCPRoute", gateway_api), resources).empty());
  CHECK(served_version(kind("Service", ""), {}) == "v1");
}

TEST_CASE("the release of the CRDs decides whether they are supported; what is missing is said") {
  CHECK(support_of({{}, {{"gateways", "v1.6.3"}, {"httproutes", "v1.7.0"}}}).supported);
  auto missing = support_of({{"TCPRoute", "UDPRoute"}, {{"gateways", "v1.6.0"}}});
  CHECK(missing.supported);
  CHECK(missing.message == "not installed, and left out: TCPRoute, UDPRoute");
  for (auto version : {"v1.5.1", "v1.8.0", "v2.6.0", "", "1.6", "v1", "v1.x"}) {
    auto support = support_of({{}, {{"gateways", version}, {"httproutes", "v1.6.3"}}});
    CHECK(!support.supported);
    CHECK_THAT(support.message, Catch::StartsWith("expected CRDs of Gateway API v1.6 to v1.7; "
                                                  "gateways is of "));
  }
}

TEST_CASE("of all pods only those of gateways are read, by the labels that the deployer gives") {
  CHECK(kind("Pod", "").label_selector ==
        fmt::format("{}={},{}", managed_by_label, managed_by_strait, gateway_name_label));
}
