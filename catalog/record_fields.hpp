#pragma once

#include "catalog/model/any_object.hpp"
#include "catalog/record_wire.hpp"

#include <array>

/// Which field of proto/records.proto each member is: one list per struct, for both directions.
/// A number that was ever written is never given to something else.
namespace strait::catalog::wire {

// ---- enumerations by number

template <auto last>
struct UpTo {
  static bool exists(std::uint64_t number) { return number <= static_cast<std::uint64_t>(last); }
};
template <>
struct StoredAsNumber<model::InvalidBackends> : UpTo<model::InvalidBackends::keep_last_good> {};
template <>
struct StoredAsNumber<model::CertificateRefReason> : UpTo<model::CertificateRefReason::consul> {};
template <>
struct StoredAsNumber<model::ListenerReadiness> : UpTo<model::ListenerReadiness::all_or_nothing> {};
template <>
struct StoredAsNumber<model::ListenerTls::Mode> : UpTo<model::ListenerTls::Mode::passthrough> {};
template <>
struct StoredAsNumber<model::FromNamespaces> : UpTo<model::FromNamespaces::none> {};
template <>
struct StoredAsNumber<model::LabelSelector::Operator>
    : UpTo<model::LabelSelector::Operator::does_not_exist> {};
template <>
struct StoredAsNumber<model::PathMatchType> : UpTo<model::PathMatchType::regex> {};
template <>
struct StoredAsNumber<model::ValueMatchType> : UpTo<model::ValueMatchType::regex> {};
template <>
struct StoredAsNumber<model::PathModifier::Type> : UpTo<model::PathModifier::Type::prefix> {};
template <>
struct StoredAsNumber<model::ExternalAuth::Protocol> : UpTo<model::ExternalAuth::Protocol::grpc> {};
template <>
struct StoredAsNumber<model::SessionPersistence::Type>
    : UpTo<model::SessionPersistence::Type::header> {};
template <>
struct StoredAsNumber<model::BackendTlsPolicy::SubjectAltName::Type>
    : UpTo<model::BackendTlsPolicy::SubjectAltName::Type::uri> {};
template <>
struct StoredAsNumber<model::JwtProvider::Location::Type>
    : UpTo<model::JwtProvider::Location::Type::cookie> {};
template <>
struct StoredAsNumber<model::Health> : UpTo<model::Health::maintenance> {};
template <>
struct StoredAsNumber<model::PeeringState> : UpTo<model::PeeringState::terminated> {};
template <>
struct StoredAsNumber<model::Kind> {
  static bool exists(std::uint64_t number) {
    return number <= 255 && to_string(static_cast<model::Kind>(number)) != "Unknown";
  }
};

// ---- enumerations by text: their table grows in the middle

template <>
struct StoredAsText<model::ConditionType> : std::true_type {
  static constexpr std::array all{
#define STRAIT_CONDITION(id, name) model::ConditionType::id,
#include "catalog/model/conditions.def"
  };
  static bool parse(std::string_view text, model::ConditionType& value) {
    for (auto each : all)
      if (to_string(each) == text)
        return value = each, true;
    return false;
  }
};
template <>
struct StoredAsText<model::Reason> : std::true_type {
  static constexpr std::array all{
#define STRAIT_REASON(id, name) model::Reason::id,
#include "catalog/model/conditions.def"
  };
  static bool parse(std::string_view text, model::Reason& value) {
    for (auto each : all)
      if (to_string(each) == text)
        return value = each, true;
    return false;
  }
};

// ---- common parts

template <class A>
void fields(A& a, model::Name& x) {
  a(1, x.ns), a(2, x.name);
}
template <class A>
void fields(A& a, model::ObjectKey& x) {
  a(1, x.kind), a(2, x.name);
}
template <class A>
void fields(A& a, model::Meta& x) {
  a(1, x.name), a(2, x.uid), a(3, x.generation), a(4, x.created), a(5, x.labels),
      a(6, x.annotations);
}
template <class A>
void fields(A& a, model::Unsupported& x) {
  a(1, x.path), a(2, x.problem);
}

// ---- gateway.hpp

template <class A>
void fields(A& a, model::ParametersRef& x) {
  a(1, x.group), a(2, x.kind), a(3, x.name), a(4, x.ns);
}
template <class A>
void fields(A& a, model::GatewayClass& x) {
  a(1, x.meta), a(2, x.controller_name), a(3, x.parameters), a(4, x.description);
}
template <class A>
void fields(A& a, model::ReferencePolicyOverride& x) {
  a(1, x.invalid_backends), a(2, x.certificate_ref_reason), a(3, x.listener_readiness);
}
template <class A>
void fields(A& a, model::Toleration& x) {
  a(1, x.key), a(2, x.op), a(3, x.value), a(4, x.effect), a(5, x.seconds);
}
template <class A>
void fields(A& a, model::GatewayClassConfig& x) {
  a(1, x.meta), a(2, x.reference_policy), a(3, x.service_type),
      a(4, x.map_privileged_container_ports), a(5, x.openshift_scc_name), a(6, x.unsupported),
      a(7, x.node_selector), a(8, x.tolerations), a(9, x.default_instances), a(10, x.min_instances),
      a(11, x.max_instances), a(12, x.resource_requests), a(13, x.resource_limits),
      a(14, x.copy_service_annotations), a(15, x.daemon_set), a(16, x.host_ports), a(17, x.image),
      a(18, x.log_level), a(19, x.metrics_enabled), a(20, x.metrics_port), a(21, x.metrics_path),
      a(22, x.max_connections);
}
template <class A>
void fields(A& a, model::CertificateRef& x) {
  a(1, x.group), a(2, x.kind), a(3, x.ns), a(4, x.name);
}
template <class A>
void fields(A& a, model::ListenerTls& x) {
  a(1, x.mode), a(2, x.certificates), a(3, x.options);
}
template <class A>
void fields(A& a, model::LabelSelector::Requirement& x) {
  a(1, x.key), a(2, x.op), a(3, x.values);
}
template <class A>
void fields(A& a, model::LabelSelector& x) {
  a(1, x.match_labels), a(2, x.match_expressions);
}
template <class A>
void fields(A& a, model::RouteGroupKind& x) {
  a(1, x.group), a(2, x.kind);
}
template <class A>
void fields(A& a, model::AllowedRoutes& x) {
  a(1, x.from), a(2, x.selector), a(3, x.kinds);
}
template <class A>
void fields(A& a, model::Listener& x) {
  a(1, x.name), a(2, x.hostname), a(3, x.port), a(4, x.protocol), a(5, x.tls), a(6, x.allowed);
}
template <class A>
void fields(A& a, model::GatewayAddress& x) {
  a(1, x.type), a(2, x.value);
}
template <class A>
void fields(A& a, model::ClientValidation::CaRef& x) {
  a(1, x.group), a(2, x.kind), a(3, x.ns), a(4, x.name);
}
template <class A>
void fields(A& a, model::ClientValidation& x) {
  a(1, x.ca_refs), a(2, x.insecure_fallback);
}
template <class A>
void fields(A& a, model::GatewayTls& x) {
  a(1, x.backend_client_certificate), a(2, x.frontend), a(3, x.frontend_per_port);
}
template <class A>
void fields(A& a, model::Infrastructure& x) {
  a(1, x.labels), a(2, x.annotations), a(3, x.parameters);
}
template <class A>
void fields(A& a, model::Gateway& x) {
  a(1, x.meta), a(2, x.class_name), a(3, x.listeners), a(4, x.addresses), a(5, x.unsupported),
      a(6, x.tls), a(7, x.infrastructure), a(8, x.listener_sets, model::FromNamespaces::none),
      a(9, x.listener_sets_selector);
}
template <class A>
void fields(A& a, model::ListenerSet::Parent& x) {
  a(1, x.group), a(2, x.kind), a(3, x.ns), a(4, x.name);
}
template <class A>
void fields(A& a, model::ListenerSet& x) {
  a(1, x.meta), a(2, x.parent), a(3, x.listeners), a(4, x.unsupported);
}

// ---- route.hpp

template <class A>
void fields(A& a, model::ParentRef& x) {
  a(1, x.group), a(2, x.kind), a(3, x.ns), a(4, x.name), a(5, x.section_name), a(6, x.port);
}
template <class A>
void fields(A& a, model::Header& x) {
  a(1, x.name), a(2, x.value);
}
template <class A>
void fields(A& a, model::HeaderModifier& x) {
  a(1, x.set), a(2, x.add), a(3, x.remove);
}
template <class A>
void fields(A& a, model::RequestHeaderModifier& x) {
  a(1, x.headers);
}
template <class A>
void fields(A& a, model::ResponseHeaderModifier& x) {
  a(1, x.headers);
}
template <class A>
void fields(A& a, model::UnsupportedFilter& x) {
  a(1, x.type);
}
template <class A>
void fields(A& a, model::BackendTarget& x) {
  a(1, x.group), a(2, x.kind), a(3, x.ns), a(4, x.name), a(5, x.port);
}
template <class A>
void fields(A& a, model::RequestMirror& x) {
  a(1, x.backend), a(2, x.numerator), a(3, x.denominator);
}
template <class A>
void fields(A& a, model::PathModifier& x) {
  a(1, x.type), a(2, x.value);
}
template <class A>
void fields(A& a, model::RequestRedirect& x) {
  a(1, x.scheme), a(2, x.hostname), a(3, x.path), a(4, x.port), a(5, x.status);
}
template <class A>
void fields(A& a, model::UrlRewrite& x) {
  a(1, x.hostname), a(2, x.path);
}
template <class A>
void fields(A& a, model::Cors& x) {
  a(1, x.allow_origins), a(2, x.allow_credentials), a(3, x.allow_methods), a(4, x.allow_headers),
      a(5, x.expose_headers), a(6, x.max_age);
}
template <class A>
void fields(A& a, model::ExternalAuth& x) {
  a(1, x.protocol), a(2, x.backend), a(3, x.path), a(4, x.allowed_headers),
      a(5, x.allowed_response_headers), a(6, x.forward_body);
}
template <class A>
void fields(A& a, model::ExtensionRef& x) {
  a(1, x.group), a(2, x.kind), a(3, x.name);
}
template <class A>
void fields(A& a, model::BackendRef& x) {
  a(1, x.group), a(2, x.kind), a(3, x.ns), a(4, x.name), a(5, x.port), a(6, x.weight),
      a(7, x.filters);
}
template <class A>
void fields(A& a, model::PathMatch& x) {
  a(1, x.type), a(2, x.value);
}
template <class A>
void fields(A& a, model::ValueMatch& x) {
  a(1, x.type), a(2, x.name), a(3, x.value);
}
template <class A>
void fields(A& a, model::HttpMatch& x) {
  a(1, x.path), a(2, x.headers), a(3, x.query), a(4, x.method);
}
template <class A>
void fields(A& a, model::Timeouts& x) {
  a(1, x.request), a(2, x.backend_request);
}
template <class A>
void fields(A& a, model::Retry& x) {
  a(1, x.codes), a(2, x.attempts), a(3, x.backoff);
}
template <class A>
void fields(A& a, model::SessionPersistence& x) {
  a(1, x.type), a(2, x.name), a(3, x.absolute_timeout), a(4, x.permanent);
}
template <class A>
void fields(A& a, model::HttpRule& x) {
  a(1, x.name), a(2, x.matches), a(3, x.filters), a(4, x.backends), a(5, x.timeouts), a(6, x.retry),
      a(7, x.session);
}
template <class A>
void fields(A& a, model::HttpRoute& x) {
  a(1, x.meta), a(2, x.parents), a(3, x.hostnames), a(4, x.rules), a(5, x.unsupported);
}
template <class A>
void fields(A& a, model::TcpRoute& x) {
  a(1, x.meta), a(2, x.parents), a(3, x.backends), a(4, x.unsupported);
}
template <class A>
void fields(A& a, model::GrpcMethodMatch& x) {
  a(1, x.type), a(2, x.service), a(3, x.method);
}
template <class A>
void fields(A& a, model::GrpcMatch& x) {
  a(1, x.method), a(2, x.headers);
}
template <class A>
void fields(A& a, model::GrpcRule& x) {
  a(1, x.name), a(2, x.matches), a(3, x.filters), a(4, x.backends), a(5, x.session);
}
template <class A>
void fields(A& a, model::GrpcRoute& x) {
  a(1, x.meta), a(2, x.parents), a(3, x.hostnames), a(4, x.rules), a(5, x.unsupported);
}
template <class A>
void fields(A& a, model::TlsRoute& x) {
  a(1, x.meta), a(2, x.parents), a(3, x.hostnames), a(4, x.backends), a(5, x.unsupported);
}
template <class A>
void fields(A& a, model::UdpRoute& x) {
  a(1, x.meta), a(2, x.parents), a(3, x.backends), a(4, x.unsupported);
}
template <class A>
void fields(A& a, model::ReferenceGrant::From& x) {
  a(1, x.group), a(2, x.kind), a(3, x.ns);
}
template <class A>
void fields(A& a, model::ReferenceGrant::To& x) {
  a(1, x.group), a(2, x.kind), a(3, x.name);
}
template <class A>
void fields(A& a, model::ReferenceGrant& x) {
  a(1, x.meta), a(2, x.from), a(3, x.to);
}
template <class A>
void fields(A& a, model::MeshService& x) {
  a(1, x.meta), a(2, x.service), a(3, x.peer);
}

// ---- policy.hpp

template <class A>
void fields(A& a, model::BackendTlsPolicy::Target& x) {
  a(1, x.group), a(2, x.kind), a(3, x.name), a(4, x.section_name);
}
template <class A>
void fields(A& a, model::BackendTlsPolicy::SubjectAltName& x) {
  a(1, x.type), a(2, x.value);
}
template <class A>
void fields(A& a, model::BackendTlsPolicy& x) {
  a(1, x.meta), a(2, x.targets), a(3, x.ca_refs), a(4, x.well_known_ca), a(5, x.hostname),
      a(6, x.subject_alt_names), a(7, x.options), a(8, x.unsupported);
}
template <class A>
void fields(A& a, model::JwtRequirement::Claim& x) {
  a(1, x.path), a(2, x.value);
}
template <class A>
void fields(A& a, model::JwtRequirement::Provider& x) {
  a(1, x.name), a(2, x.verify_claims);
}
template <class A>
void fields(A& a, model::JwtRequirement& x) {
  a(1, x.providers);
}
template <class A>
void fields(A& a, model::JwtProvider::Location& x) {
  a(1, x.type), a(2, x.name), a(3, x.value_prefix), a(4, x.forward);
}
template <class A>
void fields(A& a, model::JwtProvider::Fetch& x) {
  a(1, x.request_timeout), a(2, x.connect_timeout), a(3, x.retries), a(4, x.backoff_base),
      a(5, x.backoff_max), a(6, x.ca_pem), a(7, x.use_sni), a(8, x.asynchronously),
      a(9, x.discovery_type);
}
template <class A>
void fields(A& a, model::JwtProvider& x) {
  a(1, x.meta), a(2, x.issuer), a(3, x.audiences), a(4, x.local_jwks), a(5, x.remote_uri),
      a(6, x.refetch), a(7, x.locations), a(8, x.clock_skew_seconds), a(9, x.unsupported),
      a(10, x.fetch);
}
template <class A>
void fields(A& a, model::KeySet& x) {
  a(1, x.provider), a(2, x.uri), a(3, x.jwks), a(4, x.fetched), a(5, x.problem);
}
template <class A>
void fields(A& a, model::GatewayPolicy& x) {
  a(1, x.meta), a(2, x.target_group), a(3, x.target_kind), a(4, x.target_ns), a(5, x.target_name),
      a(6, x.target_section), a(7, x.override_jwt), a(8, x.default_jwt), a(9, x.unsupported);
}
template <class A>
void fields(A& a, model::RouteAuthFilter& x) {
  a(1, x.meta), a(2, x.jwt), a(3, x.unsupported);
}
template <class A>
void fields(A& a, model::RouteRetryFilter& x) {
  a(1, x.meta), a(2, x.num_retries), a(3, x.retry_on), a(4, x.retry_on_status_codes),
      a(5, x.retry_on_connect_failure), a(6, x.unsupported);
}
template <class A>
void fields(A& a, model::RouteTimeoutFilter& x) {
  a(1, x.meta), a(2, x.request_timeout), a(3, x.idle_timeout), a(4, x.unsupported);
}
template <class A>
void fields(A& a, model::ServiceResolver::Target& x) {
  a(1, x.service), a(2, x.ns), a(3, x.peer);
}
template <class A>
void fields(A& a, model::ServiceResolver& x) {
  a(1, x.meta), a(2, x.failover), a(3, x.unsupported);
}

// ---- cluster_objects.hpp

template <class A>
void fields(A& a, model::ServicePort& x) {
  a(1, x.name), a(2, x.port), a(3, x.target), a(4, x.protocol), a(5, x.app_protocol);
}
template <class A>
void fields(A& a, model::Service& x) {
  a(1, x.meta), a(2, x.ports), a(3, x.selector), a(4, x.cluster_ip), a(5, x.type), a(6, x.ingress);
}
template <class A>
void fields(A& a, model::EndpointSlice::Endpoint& x) {
  a(1, x.addresses), a(2, x.ready), a(3, x.serving), a(4, x.terminating);
}
template <class A>
void fields(A& a, model::EndpointSlice::Port& x) {
  a(1, x.name), a(2, x.port), a(3, x.protocol);
}
template <class A>
void fields(A& a, model::EndpointSlice& x) {
  a(1, x.meta), a(2, x.address_type), a(3, x.endpoints), a(4, x.ports);
}
template <class A>
void fields(A& a, model::Secret& x) {
  a(1, x.meta), a(2, x.type), a(3, x.data);
}
template <class A>
void fields(A& a, model::ConfigMap& x) {
  a(1, x.meta), a(2, x.data);
}
template <class A>
void fields(A& a, model::Namespace& x) {
  a(1, x.meta);
}
template <class A>
void fields(A& a, model::Pod& x) {
  a(1, x.meta), a(2, x.ip), a(3, x.host_ip), a(4, x.phase);
}

// ---- service.hpp

template <class A>
void fields(A& a, model::ServiceAddress& x) {
  a(1, x.address), a(2, x.port);
}
template <class A>
void fields(A& a, model::Node& x) {
  a(1, x.peer), a(2, x.name), a(3, x.id), a(4, x.address), a(5, x.datacenter),
      a(6, x.tagged_addresses), a(7, x.meta);
}
template <class A>
void fields(A& a, model::PeerMeta& x) {
  a(1, x.sni), a(2, x.spiffe_ids), a(3, x.protocol);
}
template <class A>
void fields(A& a, model::ServiceInstance& x) {
  a(1, x.peer), a(2, x.node), a(3, x.id), a(4, x.service), a(5, x.service_kind), a(6, x.tags),
      a(7, x.address), a(8, x.port), a(9, x.meta), a(10, x.tagged_addresses),
      a(11, x.weight_passing), a(12, x.weight_warning), a(13, x.enable_tag_override),
      a(14, x.proxy_destination), a(15, x.peer_meta);
}
template <class A>
void fields(A& a, model::CheckDefinition& x) {
  a(1, x.http), a(2, x.method), a(3, x.header), a(4, x.body), a(5, x.tcp), a(6, x.tls_skip_verify),
      a(7, x.interval), a(8, x.timeout), a(9, x.ttl), a(10, x.deregister_after),
      a(11, x.success_before_passing), a(12, x.failures_before_critical);
}
template <class A>
void fields(A& a, model::HealthCheck& x) {
  a(1, x.peer), a(2, x.node), a(3, x.id), a(4, x.name), a(5, x.status), a(6, x.notes),
      a(7, x.output), a(8, x.service_id), a(9, x.service_name), a(10, x.service_tags),
      a(11, x.type), a(12, x.definition);
}

// ---- peering.hpp

template <class A>
void fields(A& a, model::ExportedServices::Entry& x) {
  a(1, x.service), a(2, x.peers);
}
template <class A>
void fields(A& a, model::ExportedServices& x) {
  a(1, x.name), a(2, x.services), a(3, x.meta);
}
template <class A>
void fields(A& a, model::ServiceIntentions::Source& x) {
  a(1, x.name), a(2, x.peer), a(3, x.allow), a(4, x.description);
}
template <class A>
void fields(A& a, model::ServiceIntentions& x) {
  a(1, x.name), a(2, x.sources), a(3, x.meta);
}
template <class A>
void fields(A& a, model::PeeringStatus& x) {
  a(1, x.imported), a(2, x.exported), a(3, x.last_heartbeat), a(4, x.last_receive),
      a(5, x.last_send), a(6, x.lag), a(7, x.last_error);
}
template <class A>
void fields(A& a, model::Peering& x) {
  a(1, x.name), a(2, x.id), a(3, x.state), a(4, x.meta), a(5, x.peer_id), a(6, x.peer_ca_pems),
      a(7, x.peer_server_name), a(8, x.peer_server_addresses), a(9, x.manual_server_addresses),
      a(10, x.remote_datacenter), a(11, x.remote_partition), a(12, x.deleted_at), a(13, x.status),
      a(14, x.imported_store_id), a(15, x.imported_revision);
}
template <class A>
void fields(A& a, model::PeeringSecrets& x) {
  a(1, x.peering), a(2, x.establishment), a(3, x.pending_stream), a(4, x.active_stream);
}
template <class A>
void fields(A& a, model::TrustBundle& x) {
  a(1, x.peer), a(2, x.trust_domain), a(3, x.root_pems), a(4, x.exported_partition);
}
template <class A>
void fields(A& a, model::CertificateAuthority::Root& x) {
  a(1, x.id), a(2, x.certificate_pem), a(3, x.key_pem), a(4, x.not_before), a(5, x.not_after),
      a(6, x.active);
}
template <class A>
void fields(A& a, model::CertificateAuthority& x) {
  a(1, x.trust_domain), a(2, x.roots);
}

// ---- condition.hpp

template <class A>
void fields(A& a, model::Condition& x) {
  a(1, x.type), a(2, x.status), a(3, x.reason), a(4, x.message), a(5, x.observed_generation),
      a(6, x.transition);
}
template <class A>
void fields(A& a, model::ListenerStatus& x) {
  a(1, x.name), a(2, x.attached_routes), a(3, x.supported_kinds), a(4, x.conditions);
}
template <class A>
void fields(A& a, model::ParentStatus& x) {
  a(1, x.parent), a(2, x.controller), a(3, x.conditions);
}
template <class A>
void fields(A& a, model::ObjectStatus& x) {
  a(1, x.object), a(2, x.conditions), a(3, x.listeners), a(4, x.parents), a(5, x.addresses),
      a(6, x.supported_features), a(7, x.attached_listener_sets);
}

template <class A>
void fields(A& a, model::KeptRoute::Grant& x) {
  a(1, x.group), a(2, x.kind), a(3, x.ns), a(4, x.name);
}
template <class A>
void fields(A& a, model::KeptRoute& x) {
  a(1, x.gateway), a(2, x.route), a(3, x.generation), a(4, x.hostnames), a(5, x.granted),
      a(6, x.clusters), a(7, x.content);
}

} // namespace strait::catalog::wire
