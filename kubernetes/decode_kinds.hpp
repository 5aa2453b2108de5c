#pragma once

#include "kubernetes/document_types.hpp"
#include "kubernetes/fields.hpp"

/// One decoder per kind, for decode.cpp. Each reads all but apiVersion, kind, metadata and status.
namespace strait::kubernetes {

void decode(Fields& root, model::GatewayClass& out);
void decode(Fields& root, model::GatewayClassConfig& out);
void decode(Fields& root, model::Gateway& out);
void decode(Fields& root, model::HttpRoute& out);
void decode(Fields& root, model::TcpRoute& out);
void decode(Fields& root, model::ReferenceGrant& out);
void decode(Fields& root, model::MeshService& out);
void decode(Fields& root, model::Service& out);
void decode(Fields& root, model::EndpointSlice& out);
void decode(Fields& root, model::Secret& out);
void decode(Fields& root, model::ConfigMap& out);
void decode(Fields& root, model::Pod& out);
void decode(Fields& root, model::Namespace& out);
void decode(Fields& root, model::ExportedServices& out);
void decode(Fields& root, model::ServiceIntentions& out);
void decode(Fields& root, model::GrpcRoute& out);
void decode(Fields& root, model::TlsRoute& out);
void decode(Fields& root, model::UdpRoute& out);
void decode(Fields& root, model::ListenerSet& out);
void decode(Fields& root, model::BackendTlsPolicy& out);
void decode(Fields& root, model::GatewayPolicy& out);
void decode(Fields& root, model::RouteAuthFilter& out);
void decode(Fields& root, model::RouteRetryFilter& out);
void decode(Fields& root, model::RouteTimeoutFilter& out);
void decode(Fields& root, model::JwtProvider& out);
void decode(Fields& root, model::ServiceResolver& out);

/// Shared by the route kinds.
void decode_parents(Fields& spec, std::vector<model::ParentRef>& out);
/// All of a backendRef but its filters.
void decode_backend(Fields& fields, model::BackendRef& out);
/// A match's conditions on headers or query parameters; `exact` is the rule for a literal value.
void decode_values(Fields& match, std::string_view key, std::vector<model::ValueMatch>& out,
                   rules::TextRule exact);
/// The "sessionPersistence" of a rule.
void decode_session(Fields& rule, std::optional<model::SessionPersistence>& out);
/// No two items of the list may have the same name; several may have none.
template <class Rule>
void check_rule_names(Fields& spec, const std::vector<Rule>& rules) {
  for (std::size_t i = 0; i < rules.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (!rules[i].name.empty() && rules[i].name == rules[k].name)
        spec.error(Fields::item_path("rules", i, "name"), "stands twice in this list");
}
/// Over all rules of one route (Gateway API, validation of HTTPRoute and GRPCRoute).
inline constexpr std::size_t max_matches_per_route = 128;
template <class Rule>
void check_match_count(Fields& spec, const std::vector<Rule>& rules) {
  std::size_t matches = 0;
  for (auto& rule : rules)
    matches += rule.matches.size();
  if (matches > max_matches_per_route)
    spec.error("rules", fmt::format("at most {} matches may be given in all, got {}",
                                    max_matches_per_route, matches));
}

/// The "filters" of a rule or backendRef. A GRPCRoute has fewer types.
enum class FilterSet : std::uint8_t { http, grpc };
void decode_filters(Fields& owner, std::vector<model::Filter>& out, FilterSet set);

void decode_certificate(Fields& fields, model::CertificateRef& out);
/// The "listeners" of a Gateway or ListenerSet.
void decode_listeners(Fields& spec, std::vector<model::Listener>& out);
/// "namespaces" of allowedRoutes and allowedListeners.
void decode_namespaces(Fields& owner, model::FromNamespaces& from, model::LabelSelector& selector);

} // namespace strait::kubernetes
