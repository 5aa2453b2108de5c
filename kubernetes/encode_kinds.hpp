#pragma once

#include "kubernetes/document_types.hpp"
#include "kubernetes/encode_nodes.hpp"

/// One encoder per kind, for encode.cpp. Each writes what stands beside metadata.
namespace strait::kubernetes {

void encode(MapWriter& root, const model::GatewayClass& object);
void encode(MapWriter& root, const model::GatewayClassConfig& object);
void encode(MapWriter& root, const model::Gateway& object);
void encode(MapWriter& root, const model::HttpRoute& object);
void encode(MapWriter& root, const model::TcpRoute& object);
void encode(MapWriter& root, const model::ReferenceGrant& object);
void encode(MapWriter& root, const model::MeshService& object);
void encode(MapWriter& root, const model::Service& object);
void encode(MapWriter& root, const model::EndpointSlice& object);
void encode(MapWriter& root, const model::Secret& object);
void encode(MapWriter& root, const model::ConfigMap& object);
void encode(MapWriter& root, const model::Pod& object);
void encode(MapWriter& root, const model::Namespace& object);
void encode(MapWriter& root, const model::ExportedServices& object);
void encode(MapWriter& root, const model::ServiceIntentions& object);
void encode(MapWriter& root, const model::GrpcRoute& object);
void encode(MapWriter& root, const model::TlsRoute& object);
void encode(MapWriter& root, const model::UdpRoute& object);
void encode(MapWriter& root, const model::ListenerSet& object);
void encode(MapWriter& root, const model::BackendTlsPolicy& object);
void encode(MapWriter& root, const model::GatewayPolicy& object);
void encode(MapWriter& root, const model::RouteAuthFilter& object);
void encode(MapWriter& root, const model::RouteRetryFilter& object);
void encode(MapWriter& root, const model::RouteTimeoutFilter& object);
void encode(MapWriter& root, const model::JwtProvider& object);
void encode(MapWriter& root, const model::ServiceResolver& object);

Node encode_parent(const model::ParentRef& ref);
Node encode_group_kind(const model::RouteGroupKind& kind);
Node encode_filter(const model::Filter& filter);

} // namespace strait::kubernetes
