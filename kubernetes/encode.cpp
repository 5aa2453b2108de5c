#include "kubernetes/encode.hpp"

#include "kubernetes/encode_kinds.hpp"

namespace strait::kubernetes {

namespace {

struct Head {
  std::string_view api_version, kind;
};
/// In the order of Document.
constexpr Head heads[] = {
    {"gateway.networking.k8s.io/v1", "GatewayClass"},
    {"consul.hashicorp.com/v1alpha1", "GatewayClassConfig"},
    {"gateway.networking.k8s.io/v1", "Gateway"},
    {"gateway.networking.k8s.io/v1", "HTTPRoute"},
    {"gateway.networking.k8s.io/v1", "TCPRoute"},
    {"gateway.networking.k8s.io/v1", "ReferenceGrant"},
    {"consul.hashicorp.com/v1alpha1", "MeshService"},
    {"v1", "Service"},
    {"discovery.k8s.io/v1", "EndpointSlice"},
    {"v1", "Secret"},
    {"v1", "ConfigMap"},
    {"v1", "Namespace"},
    {"consul.hashicorp.com/v1alpha1", "ExportedServices"},
    {"consul.hashicorp.com/v1alpha1", "ServiceIntentions"},
    {"gateway.networking.k8s.io/v1", "GRPCRoute"},
    {"gateway.networking.k8s.io/v1", "TLSRoute"},
    {"gateway.networking.k8s.io/v1", "UDPRoute"},
    {"gateway.networking.k8s.io/v1", "ListenerSet"},
    {"gateway.networking.k8s.io/v1", "BackendTLSPolicy"},
    {"consul.hashicorp.com/v1alpha1", "GatewayPolicy"},
    {"consul.hashicorp.com/v1alpha1", "RouteAuthFilter"},
    {"consul.hashicorp.com/v1alpha1", "RouteRetryFilter"},
    {"consul.hashicorp.com/v1alpha1", "RouteTimeoutFilter"},
    {"consul.hashicorp.com/v1alpha1", "JWTProvider"},
    {"consul.hashicorp.com/v1alpha1", "ServiceResolver"},
    {"v1", "Pod"},
};
static_assert(std::size(heads) == std::variant_size_v<Document>);

Node encode_meta(const model::Meta& meta) {
  MapWriter out;
  out.put("name", meta.name.name);
  out.put_unless_empty("namespace", meta.name.ns);
  out.put_unless_empty("uid", meta.uid);
  out.put("generation", meta.generation);
  if (meta.created != WallTime{})
    out.put("creationTimestamp", to_rfc3339(meta.created));
  out.put_unless_empty("labels", meta.labels);
  out.put_unless_empty("annotations", meta.annotations);
  return out.take();
}

/// A config entry's Meta stands in the annotations of its object. "*" is no name of an object.
template <class Entry>
Node encode_entry_meta(const Entry& entry) {
  MapWriter out;
  out.put("name", entry.name == "*" ? std::string{"wildcard"} : entry.name);
  out.put_unless_empty("annotations", entry.meta);
  return out.take();
}

Node encode_conditions(const std::vector<model::Condition>& conditions) {
  return list_of(conditions, [](auto& condition) {
    MapWriter out;
    out.put("type", model::to_string(condition.type));
    out.put("status", condition.status ? "True" : "False");
    out.put("reason", model::to_string(condition.reason));
    out.put("message", condition.message);
    out.put("observedGeneration", condition.observed_generation);
    out.put("lastTransitionTime", to_rfc3339(condition.transition));
    return out.take();
  });
}

bool is_route(model::Kind kind) {
  using model::Kind;
  return kind == Kind::http_route || kind == Kind::grpc_route || kind == Kind::tcp_route ||
         kind == Kind::tls_route || kind == Kind::udp_route;
}

Node encode_status(const model::ObjectStatus& status, model::Kind kind) {
  MapWriter out;
  out.put_unless_empty("addresses", list_of(status.addresses, [](auto& address) {
                         MapWriter one;
                         bool name =
                             address.find_first_not_of("0123456789abcdef.:") != std::string::npos;
                         one.put("type", name ? "Hostname" : "IPAddress");
                         one.put("value", address);
                         return one.take();
                       }));
  out.put_unless_empty("conditions", encode_conditions(status.conditions));
  out.put_unless_empty("listeners", list_of(status.listeners, [](auto& listener) {
                         MapWriter one;
                         one.put("name", listener.name);
                         one.put("attachedRoutes", std::int64_t{listener.attached_routes});
                         one.put("supportedKinds",
                                 list_of(listener.supported_kinds, encode_group_kind));
                         one.put("conditions", encode_conditions(listener.conditions));
                         return one.take();
                       }));
  bool policy = kind == model::Kind::backend_tls_policy;
  auto parents = list_of(status.parents, [&](auto& parent) {
    MapWriter one;
    one.put(policy ? "ancestorRef" : "parentRef", encode_parent(parent.parent));
    one.put("controllerName", parent.controller);
    one.put("conditions", encode_conditions(parent.conditions));
    return one.take();
  });
  if (kind == model::Kind::gateway && !(status.conditions.empty() && status.listeners.empty()))
    out.put("attachedListenerSets", std::int64_t{status.attached_listener_sets});
  if (is_route(kind) || policy)
    out.put(policy ? "ancestors" : "parents", std::move(parents));
  else
    out.put_unless_empty("parents", std::move(parents));
  out.put_unless_empty("supportedFeatures", list_of(status.supported_features, [](auto& feature) {
                         MapWriter one;
                         one.put("name", feature);
                         return one.take();
                       }));
  return out.take();
}

} // namespace

Node encode(const Document& document, const model::ObjectStatus* status) {
  MapWriter out;
  auto& head = heads[document.index()];
  out.put("apiVersion", head.api_version);
  out.put("kind", head.kind);
  std::visit(
      [&](auto& object) {
        if constexpr (requires { object.meta.name; })
          out.put("metadata", encode_meta(object.meta));
        else
          out.put("metadata", encode_entry_meta(object));
        encode(out, object);
      },
      document);
  if (status)
    out.put_unless_empty("status", encode_status(*status, key_of(document).kind));
  return out.take();
}

std::string to_yaml(const Document& document, const model::ObjectStatus* status) {
  std::string text;
  for (auto& field : unsupported_in(document)) {
    text += "# not implemented, and left out: " + field.path;
    text += '\n';
  }
  return text + write_yaml(encode(document, status));
}

std::string to_json(const Document& document, const model::ObjectStatus* status) {
  return write_json(encode(document, status)) + "\n";
}

Node list_document(std::vector<Node> items) {
  MapWriter out;
  out.put("apiVersion", "v1");
  out.put("kind", "List");
  out.put("items", Node{std::move(items), {}});
  return out.take();
}

} // namespace strait::kubernetes
