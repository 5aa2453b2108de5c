#pragma once

#include "catalog/model/any_object.hpp"

namespace strait::kubernetes {

/// All that a document may hold: the Kubernetes-style kinds (model::Manifest) and Consul's config
/// entries, which consul-k8s writes as objects too.
using Document =
    std::variant<model::GatewayClass, model::GatewayClassConfig, model::Gateway, model::HttpRoute,
                 model::TcpRoute, model::ReferenceGrant, model::MeshService, model::Service,
                 model::EndpointSlice, model::Secret, model::ConfigMap, model::Namespace,
                 model::ExportedServices, model::ServiceIntentions, model::GrpcRoute,
                 model::TlsRoute, model::UdpRoute, model::ListenerSet, model::BackendTlsPolicy,
                 model::GatewayPolicy, model::RouteAuthFilter, model::RouteRetryFilter,
                 model::RouteTimeoutFilter, model::JwtProvider, model::ServiceResolver, model::Pod>;

model::ObjectKey key_of(const Document& document);
/// The document as a Manifest; nothing for a config entry.
std::optional<model::Manifest> manifest_of(const Document& document);
Document document_of(model::Manifest manifest);

/// The fields of it that are given and not implemented; empty for kinds that list none.
const std::vector<model::Unsupported>& unsupported_in(const Document& document);

} // namespace strait::kubernetes
