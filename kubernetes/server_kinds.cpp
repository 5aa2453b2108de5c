#include "kubernetes/server_kinds.hpp"

#include "kubernetes/watch.hpp"

#include <algorithm>
#include <charconv>

namespace strait::kubernetes {

namespace {

using model::Kind;

constexpr std::string_view gateway_api = "gateway.networking.k8s.io";
constexpr std::string_view consul = "consul.hashicorp.com";
constexpr std::string_view legacy = "api-gateway.consul.hashicorp.com";
constexpr std::array<std::string_view, 2> v1{"v1"}, v1_beta{"v1", "v1beta1"},
    v1_alpha2{"v1", "v1alpha2"}, v1alpha1{"v1alpha1"};

/// As kubernetes/deployer labels them.
constexpr std::string_view pods_of_gateways =
    "app.kubernetes.io/managed-by=strait,gateway.networking.k8s.io/gateway-name";

constexpr std::array kinds{
    ServerKind{Kind::namespace_, "", "Namespace", "namespaces", v1, false, false, true},
    ServerKind{Kind::service, "", "Service", "services", v1, true, false, true},
    ServerKind{Kind::endpoint_slice, "discovery.k8s.io", "EndpointSlice", "endpointslices", v1,
               true, false, true},
    ServerKind{Kind::secret, "", "Secret", "secrets", v1, true, false, true, true},
    ServerKind{Kind::pod, "", "Pod", "pods", v1, true, false, true, false, pods_of_gateways},
    ServerKind{Kind::config_map, "", "ConfigMap", "configmaps", v1, true, false, true, true},
    ServerKind{Kind::gateway_class, gateway_api, "GatewayClass", "gatewayclasses", v1_beta, false,
               true},
    ServerKind{Kind::gateway, gateway_api, "Gateway", "gateways", v1_beta, true, true},
    ServerKind{Kind::listener_set, gateway_api, "ListenerSet", "listenersets", v1, true, true},
    ServerKind{Kind::http_route, gateway_api, "HTTPRoute", "httproutes", v1_beta, true, true},
    ServerKind{Kind::grpc_route, gateway_api, "GRPCRoute", "grpcroutes", v1, true, true},
    ServerKind{Kind::tls_route, gateway_api, "TLSRoute", "tlsroutes", v1, true, true},
    ServerKind{Kind::tcp_route, gateway_api, "TCPRoute", "tcproutes", v1_alpha2, true, true},
    ServerKind{Kind::udp_route, gateway_api, "UDPRoute", "udproutes", v1_alpha2, true, true},
    ServerKind{Kind::reference_grant, gateway_api, "ReferenceGrant", "referencegrants", v1_beta},
    ServerKind{Kind::backend_tls_policy, gateway_api, "BackendTLSPolicy", "backendtlspolicies", v1,
               true, true},
    ServerKind{Kind::gateway_class_config, consul, "GatewayClassConfig", "gatewayclassconfigs",
               v1alpha1, false},
    ServerKind{Kind::mesh_service, consul, "MeshService", "meshservices", v1alpha1},
    ServerKind{Kind::gateway_policy, consul, "GatewayPolicy", "gatewaypolicies", v1alpha1, true,
               true},
    ServerKind{Kind::route_auth_filter, consul, "RouteAuthFilter", "routeauthfilters", v1alpha1,
               true, true},
    ServerKind{Kind::route_retry_filter, consul, "RouteRetryFilter", "routeretryfilters", v1alpha1,
               true, true},
    ServerKind{Kind::route_timeout_filter, consul, "RouteTimeoutFilter", "routetimeoutfilters",
               v1alpha1, true, true},
    ServerKind{Kind::jwt_provider, consul, "JWTProvider", "jwtproviders", v1alpha1, true, true},
    ServerKind{Kind::service_resolver, consul, "ServiceResolver", "serviceresolvers", v1alpha1,
               true, true},
    ServerKind{Kind::exported_services, consul, "ExportedServices", "exportedservices", v1alpha1},
    ServerKind{Kind::service_intentions, consul, "ServiceIntentions", "serviceintentions",
               v1alpha1},
    ServerKind{Kind::gateway_class_config, legacy, "GatewayClassConfig", "gatewayclassconfigs",
               v1alpha1, false},
    ServerKind{Kind::mesh_service, legacy, "MeshService", "meshservices", v1alpha1},
};

const Node::List* list_at(const Node& node, std::string_view key) {
  auto* found = node.find(key);
  return found ? std::get_if<Node::List>(&found->value) : nullptr;
}

/// "v1.6.3" → {1, 6}; nothing for other texts.
std::optional<std::pair<int, int>> release_of(std::string_view text) {
  if (!text.starts_with('v'))
    return {};
  std::pair<int, int> out;
  auto* end = text.data() + text.size();
  auto [dot, bad_major] = std::from_chars(text.data() + 1, end, out.first);
  if (bad_major != std::errc{} || dot == end || *dot != '.')
    return {};
  if (std::from_chars(dot + 1, end, out.second).ec != std::errc{})
    return {};
  return out;
}

template <class List, class Text>
std::string joined(const List& list, Text text) {
  std::string out;
  for (auto& item : list)
    out += (out.empty() ? "" : ", ") + text(item);
  return out;
}

} // namespace

std::span<const ServerKind> server_kinds() { return kinds; }

std::string api_version(const ServerKind& kind, std::string_view version) {
  return kind.group.empty() ? std::string{version} : fmt::format("{}/{}", kind.group, version);
}

std::string collection_path(const ServerKind& kind, std::string_view version, std::string_view ns) {
  auto root = kind.group.empty() ? fmt::format("/api/{}", version)
                                 : fmt::format("/apis/{}/{}", kind.group, version);
  return ns.empty() ? fmt::format("{}/{}", root, kind.plural)
                    : fmt::format("{}/namespaces/{}/{}", root, ns, kind.plural);
}

std::string object_path(const ServerKind& kind, std::string_view version, const model::Name& name) {
  return collection_path(kind, version, kind.namespaced ? name.ns : "") + "/" + name.name;
}

Result<std::vector<std::string>> parse_group(std::string_view text) {
  auto tree = parse_json(text, "API group");
  if (!tree)
    return fail(tree.error());
  auto* versions = list_at(*tree, "versions");
  if (!versions)
    return fail(Errc::corrupt, "API group: expected versions");
  std::vector<std::string> out;
  for (auto& version : *versions)
    out.push_back(text_at(version, {"version"}));
  return out;
}

Result<std::set<std::string>> parse_resources(std::string_view text) {
  auto tree = parse_json(text, "API resources");
  if (!tree)
    return fail(tree.error());
  auto* resources = list_at(*tree, "resources");
  if (!resources)
    return fail(Errc::corrupt, "API resources: expected resources");
  std::set<std::string> out;
  for (auto& resource : *resources) {
    auto* verbs = list_at(resource, "verbs");
    auto can = [&](std::string_view verb) {
      return verbs && std::any_of(verbs->begin(), verbs->end(), [&](auto& it) {
               auto* word = std::get_if<std::string>(&it.value);
               return word && *word == verb;
             });
    };
    if (can("list") && can("watch"))
      out.insert(text_at(resource, {"name"}));
  }
  return out;
}

std::string_view served_version(const ServerKind& kind, const Resources& resources) {
  if (kind.built_in)
    return kind.versions[0];
  for (auto version : kind.versions) {
    auto found = resources.find({std::string{kind.group}, std::string{version}});
    if (!version.empty() && found != resources.end() &&
        found->second.contains(std::string{kind.plural}))
      return version;
  }
  return {};
}

ApiSupport support_of(const GatewayApi& api) {
  std::set<std::string> wrong;
  for (auto& [crd, version] : api.bundles) {
    auto release = release_of(version);
    if (!release || release->first != bundle_major || release->second < bundle_minor_min ||
        release->second > bundle_minor_max)
      wrong.insert(crd + " is of " + (version.empty() ? "an unknown release" : version));
  }
  ApiSupport out;
  out.supported = wrong.empty();
  auto word = [](auto& it) { return std::string{it}; };
  if (!wrong.empty())
    out.message =
        fmt::format("expected CRDs of Gateway API v{}.{} to v{}.{}; {}", bundle_major,
                    bundle_minor_min, bundle_major, bundle_minor_max, joined(wrong, word));
  if (!api.missing.empty())
    out.message += fmt::format("{}not installed, and left out: {}", out.message.empty() ? "" : "; ",
                               joined(api.missing, word));
  if (out.message.empty())
    out.message = "the installed CRDs are supported";
  return out;
}

} // namespace strait::kubernetes
