#include "catalog/model/any_object.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace strait::model {

namespace {

struct KindRow {
  Kind kind;
  std::string_view name, group;
};

constexpr std::string_view gateway_group = "gateway.networking.k8s.io";
constexpr std::string_view consul_group = "consul.hashicorp.com";

constexpr std::array kinds{
    KindRow{Kind::gateway_class, "GatewayClass", gateway_group},
    KindRow{Kind::gateway_class_config, "GatewayClassConfig", consul_group},
    KindRow{Kind::gateway, "Gateway", gateway_group},
    KindRow{Kind::http_route, "HTTPRoute", gateway_group},
    KindRow{Kind::tcp_route, "TCPRoute", gateway_group},
    KindRow{Kind::reference_grant, "ReferenceGrant", gateway_group},
    KindRow{Kind::mesh_service, "MeshService", consul_group},
    KindRow{Kind::service, "Service", ""},
    KindRow{Kind::endpoint_slice, "EndpointSlice", "discovery.k8s.io"},
    KindRow{Kind::secret, "Secret", ""},
    KindRow{Kind::config_map, "ConfigMap", ""},
    KindRow{Kind::namespace_, "Namespace", ""},
    KindRow{Kind::pod, "Pod", ""},
    KindRow{Kind::grpc_route, "GRPCRoute", gateway_group},
    KindRow{Kind::tls_route, "TLSRoute", gateway_group},
    KindRow{Kind::udp_route, "UDPRoute", gateway_group},
    KindRow{Kind::listener_set, "ListenerSet", gateway_group},
    KindRow{Kind::backend_tls_policy, "BackendTLSPolicy", gateway_group},
    KindRow{Kind::gateway_policy, "GatewayPolicy", consul_group},
    KindRow{Kind::route_auth_filter, "RouteAuthFilter", consul_group},
    KindRow{Kind::route_retry_filter, "RouteRetryFilter", consul_group},
    KindRow{Kind::route_timeout_filter, "RouteTimeoutFilter", consul_group},
    KindRow{Kind::jwt_provider, "JWTProvider", consul_group},
    KindRow{Kind::key_set, "KeySet", consul_group},
    KindRow{Kind::kept_route, "KeptRoute", consul_group},
    KindRow{Kind::node, "Node", consul_group},
    KindRow{Kind::service_instance, "ServiceInstance", consul_group},
    KindRow{Kind::health_check, "HealthCheck", consul_group},
    KindRow{Kind::exported_services, "exported-services", consul_group},
    KindRow{Kind::service_intentions, "service-intentions", consul_group},
    KindRow{Kind::service_resolver, "ServiceResolver", consul_group},
    KindRow{Kind::peering, "Peering", consul_group},
    KindRow{Kind::peering_secrets, "PeeringSecrets", consul_group},
    KindRow{Kind::trust_bundle, "TrustBundle", consul_group},
    KindRow{Kind::certificate_authority, "CertificateAuthority", consul_group},
    KindRow{Kind::object_status, "ObjectStatus", consul_group},
    KindRow{Kind::service_index, "ServiceIndex", consul_group},
    KindRow{Kind::kind_index, "KindIndex", consul_group},
};

bool equal_fold(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

constexpr std::array condition_names = {
#define STRAIT_CONDITION(id, text) std::string_view{text},
#include "catalog/model/conditions.def"
};
constexpr std::array reason_names = {
#define STRAIT_REASON(id, text) std::string_view{text},
#include "catalog/model/conditions.def"
};

/// Records of one node: "peer/node", so that imported ones sort apart from our own.
std::string node_scope(const std::string& peer, const std::string& node) {
  return peer + "/" + node;
}

} // namespace

std::string_view to_string(Kind kind) {
  for (auto& row : kinds)
    if (row.kind == kind)
      return row.name;
  return "Unknown";
}

std::optional<Kind> kind_from(std::string_view name) {
  for (auto& row : kinds)
    if (equal_fold(row.name, name))
      return row.kind;
  return {};
}

std::string_view api_group(Kind kind) {
  for (auto& row : kinds)
    if (row.kind == kind)
      return row.group;
  return "";
}

std::string to_string(const Name& name) {
  return name.ns.empty() ? name.name : name.ns + "/" + name.name;
}

std::string to_string(const Unsupported& field) {
  return field.problem.empty() ? field.path + " is not supported"
                               : field.path + ": " + field.problem;
}

std::string to_string(const ObjectKey& key) {
  return std::string{to_string(key.kind)} + " " + to_string(key.name);
}

std::string_view to_string(ConditionType type) {
  return condition_names[static_cast<std::size_t>(type)];
}
std::string_view to_string(Reason reason) { return reason_names[static_cast<std::size_t>(reason)]; }

std::string_view to_string(Health health) {
  constexpr std::array names{"passing", "warning", "critical", "maintenance"};
  return names[static_cast<std::size_t>(health)];
}
std::optional<Health> health_from(std::string_view text) {
  for (auto health : {Health::passing, Health::warning, Health::critical, Health::maintenance})
    if (to_string(health) == text)
      return health;
  return {};
}
Health worse(Health a, Health b) { return std::max(a, b); }

std::string_view to_string(PeeringState state) {
  constexpr std::array names{"UNDEFINED", "PENDING",  "ESTABLISHING", "ACTIVE",
                             "FAILING",   "DELETING", "TERMINATED"};
  return names[static_cast<std::size_t>(state)];
}

bool matches(const LabelSelector& selector, const StringMap& labels) {
  for (auto& [key, value] : selector.match_labels) {
    auto it = labels.find(key);
    if (it == labels.end() || it->second != value)
      return false;
  }
  using Operator = LabelSelector::Operator;
  return std::all_of(selector.match_expressions.begin(), selector.match_expressions.end(),
                     [&](auto& need) {
                       auto it = labels.find(need.key);
                       bool has = it != labels.end();
                       bool listed = has && std::find(need.values.begin(), need.values.end(),
                                                      it->second) != need.values.end();
                       switch (need.op) {
                       case Operator::in:
                         return listed;
                       case Operator::not_in:
                         return !listed;
                       case Operator::exists:
                         return has;
                       case Operator::does_not_exist:
                         return !has;
                       }
                       return false;
                     });
}

ObjectKey key_of(const Manifest& object) {
  return std::visit([](auto& it) { return key_of(it); }, object);
}
const Meta& meta_of(const Manifest& object) {
  return std::visit([](auto& it) -> const Meta& { return it.meta; }, object);
}
Meta& meta_of(Manifest& object) {
  return std::visit([](auto& it) -> Meta& { return it.meta; }, object);
}

ObjectKey key_of(const Node& node) { return {Kind::node, {node.peer, node.name}}; }
ObjectKey key_of(const ServiceInstance& instance) {
  return {Kind::service_instance, {node_scope(instance.peer, instance.node), instance.id}};
}
ObjectKey key_of(const HealthCheck& check) {
  return {Kind::health_check, {node_scope(check.peer, check.node), check.id}};
}
ObjectKey key_of(const ExportedServices& entry) {
  return {Kind::exported_services, {"", entry.name}};
}
ObjectKey key_of(const ServiceIntentions& entry) {
  return {Kind::service_intentions, {"", entry.name}};
}
ObjectKey key_of(const Peering& peering) { return {Kind::peering, {"", peering.name}}; }
ObjectKey key_of(const PeeringSecrets& secrets) {
  return {Kind::peering_secrets, {"", secrets.peering}};
}
ObjectKey key_of(const TrustBundle& bundle) { return {Kind::trust_bundle, {"", bundle.peer}}; }
ObjectKey key_of(const CertificateAuthority&) {
  return {Kind::certificate_authority, {"", "connect"}};
}
ObjectKey key_of(const KeySet& set) { return {Kind::key_set, set.provider}; }
ObjectKey key_of(const KeptRoute& kept) {
  return {Kind::kept_route, {to_string(kept.route), to_string(kept.gateway)}};
}
ObjectKey key_of(const ObjectStatus& status) {
  return {Kind::object_status,
          {std::string{to_string(status.object.kind)}, to_string(status.object.name)}};
}

} // namespace strait::model
