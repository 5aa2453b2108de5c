#pragma once

#include "catalog/model/object.hpp"

#include <map>

namespace strait::model {

/// Controller names that Strait answers to (specification B4). The rules that a class starts from
/// follow the name; GatewayClassConfig.spec.referencePolicy overrides them.
inline constexpr std::string_view consul_controller = "hashicorp.com/consul-api-gateway-controller";
inline constexpr std::string_view strait_controller = "strait.dev/gateway-controller";

struct ParametersRef {
  std::string group, kind, name, ns;
  friend bool operator==(const ParametersRef&, const ParametersRef&) = default;
};

struct GatewayClass {
  static constexpr Kind kind = Kind::gateway_class;
  Meta meta;
  std::string controller_name;
  std::optional<ParametersRef> parameters;
  std::string description;
  friend bool operator==(const GatewayClass&, const GatewayClass&) = default;
};

enum class InvalidBackends : std::uint8_t { respond_500, detach_route, keep_last_good };
enum class CertificateRefReason : std::uint8_t { upstream, consul };
enum class ListenerReadiness : std::uint8_t { independent, all_or_nothing };

/// What happens around references that do not resolve (specification, note under B14).
struct ReferencePolicy {
  InvalidBackends invalid_backends = InvalidBackends::respond_500;
  CertificateRefReason certificate_ref_reason = CertificateRefReason::upstream;
  ListenerReadiness listener_readiness = ListenerReadiness::independent;
  friend bool operator==(const ReferencePolicy&, const ReferencePolicy&) = default;
};

/// What a GatewayClassConfig says of each; absent means: as the controller name has it.
struct ReferencePolicyOverride {
  std::optional<InvalidBackends> invalid_backends;
  std::optional<CertificateRefReason> certificate_ref_reason;
  std::optional<ListenerReadiness> listener_readiness;
  friend bool operator==(const ReferencePolicyOverride&, const ReferencePolicyOverride&) = default;
};

/// A toleration, as the pod has it (core/v1).
struct Toleration {
  std::string key, op, value, effect;
  std::optional<std::int64_t> seconds;
  friend bool operator==(const Toleration&, const Toleration&) = default;
};

/// How the pods of a class' gateways run (Consul's GatewayClassConfig, both API groups, and
/// Strait's own fields). What is not said is not set: no resources, no Service without a type.
struct GatewayClassConfig {
  static constexpr Kind kind = Kind::gateway_class_config;
  Meta meta;
  ReferencePolicyOverride reference_policy;
  std::string service_type; ///< ClusterIP, NodePort, LoadBalancer; empty: unset.
  std::int32_t map_privileged_container_ports = 0;
  std::string openshift_scc_name;
  std::vector<Unsupported> unsupported;
  StringMap node_selector;
  std::vector<Toleration> tolerations;
  std::optional<std::int32_t> default_instances, min_instances, max_instances;
  StringMap resource_requests, resource_limits;      ///< "cpu" → "100m"
  std::vector<std::string> copy_service_annotations; ///< Keys copied from Gateway to Service.
  bool daemon_set = false;                           ///< Instead of a Deployment.
  bool host_ports = false;                           ///< useHostPorts
  std::string image;     ///< Of strait-gateway; empty: the controller's.
  std::string log_level; ///< Empty: info.
  std::optional<bool> metrics_enabled;
  std::uint16_t metrics_port = 0; ///< 0: 20200.
  std::string metrics_path;       ///< Empty: /metrics.
  std::optional<std::int32_t> max_connections;
  friend bool operator==(const GatewayClassConfig&, const GatewayClassConfig&) = default;
};

/// A reference from a Gateway to a certificate's Secret.
struct CertificateRef {
  std::string group; ///< "" is core.
  std::string kind = "Secret";
  std::string ns; ///< Empty: the Gateway's own.
  std::string name;
  friend bool operator==(const CertificateRef&, const CertificateRef&) = default;
};

struct ListenerTls {
  enum class Mode : std::uint8_t { terminate, passthrough };
  Mode mode = Mode::terminate;
  std::vector<CertificateRef> certificates;
  StringMap options; ///< Version and cipher limits, by their annotation-style keys.
  friend bool operator==(const ListenerTls&, const ListenerTls&) = default;
};

enum class FromNamespaces : std::uint8_t { same, all, selector, none };

/// metav1.LabelSelector.
struct LabelSelector {
  enum class Operator : std::uint8_t { in, not_in, exists, does_not_exist };
  struct Requirement {
    std::string key;
    Operator op = Operator::in;
    std::vector<std::string> values;
    friend bool operator==(const Requirement&, const Requirement&) = default;
  };
  StringMap match_labels;
  std::vector<Requirement> match_expressions;
  friend bool operator==(const LabelSelector&, const LabelSelector&) = default;
};
bool matches(const LabelSelector& selector, const StringMap& labels);

struct RouteGroupKind {
  std::string group = "gateway.networking.k8s.io";
  std::string kind;
  friend auto operator<=>(const RouteGroupKind&, const RouteGroupKind&) = default;
  friend bool operator==(const RouteGroupKind&, const RouteGroupKind&) = default;
};

struct AllowedRoutes {
  FromNamespaces from = FromNamespaces::same;
  LabelSelector selector;
  std::vector<RouteGroupKind> kinds; ///< Empty: what the protocol allows.
  friend bool operator==(const AllowedRoutes&, const AllowedRoutes&) = default;
};

struct Listener {
  std::string name;
  std::string hostname; ///< Empty: every host.
  std::uint16_t port = 0;
  std::string protocol; ///< "HTTP", "HTTPS", "TLS", "TCP", "UDP", or another that is then reported.
  std::optional<ListenerTls> tls;
  AllowedRoutes allowed;
  friend bool operator==(const Listener&, const Listener&) = default;
};

struct GatewayAddress {
  std::string type = "IPAddress";
  std::string value;
  friend bool operator==(const GatewayAddress&, const GatewayAddress&) = default;
};

/// FrontendTLSValidation: whose client certificates are accepted.
struct ClientValidation {
  struct CaRef {
    std::string group;
    std::string kind = "ConfigMap";
    std::string ns; ///< Empty: the Gateway's own.
    std::string name;
    friend bool operator==(const CaRef&, const CaRef&) = default;
  };
  std::vector<CaRef> ca_refs;
  bool insecure_fallback = false; ///< AllowInsecureFallback
  friend bool operator==(const ClientValidation&, const ClientValidation&) = default;
};

/// Gateway.spec.tls
struct GatewayTls {
  std::optional<CertificateRef> backend_client_certificate;
  std::optional<ClientValidation> frontend;                                   ///< Of every port …
  std::map<std::uint16_t, std::optional<ClientValidation>> frontend_per_port; ///< … but these.
  friend bool operator==(const GatewayTls&, const GatewayTls&) = default;
};

/// Gateway.spec.infrastructure
struct Infrastructure {
  StringMap labels, annotations;
  std::optional<ParametersRef> parameters; ///< In the Gateway's namespace, or cluster-wide.
  friend bool operator==(const Infrastructure&, const Infrastructure&) = default;
};

struct Gateway {
  static constexpr Kind kind = Kind::gateway;
  Meta meta;
  std::string class_name;
  std::vector<Listener> listeners;
  std::vector<GatewayAddress> addresses;
  std::vector<Unsupported> unsupported;
  GatewayTls tls;
  Infrastructure infrastructure;
  FromNamespaces listener_sets = FromNamespaces::none; ///< allowedListeners.namespaces.from
  LabelSelector listener_sets_selector;
  friend bool operator==(const Gateway&, const Gateway&) = default;
};

/// The name of the Kubernetes objects that a Gateway's pods run by (Deployment, Service,
/// ServiceAccount, …; in the Gateway's namespace): its own name where that is a DNS label of at
/// most 63 characters that begins with a letter, else what of it fits and a hash of the whole.
/// Stable: never change what it answers.
std::string deployed_name(const Name& gateway);
/// The label of those objects and its value: the Gateway's name, or a shorter one where that is no
/// label.
inline constexpr std::string_view gateway_name_label = "gateway.networking.k8s.io/gateway-name";
std::string gateway_label_value(const Name& gateway);

/// More listeners of a Gateway, in an object of their own.
struct ListenerSet {
  static constexpr Kind kind = Kind::listener_set;
  Meta meta;
  struct Parent {
    std::string group = "gateway.networking.k8s.io";
    std::string kind = "Gateway";
    std::string ns; ///< Empty: the ListenerSet's own.
    std::string name;
    friend bool operator==(const Parent&, const Parent&) = default;
  };
  Parent parent;
  std::vector<Listener> listeners;
  std::vector<Unsupported> unsupported;
  friend bool operator==(const ListenerSet&, const ListenerSet&) = default;
};

} // namespace strait::model
