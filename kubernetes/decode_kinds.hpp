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
void decode(Fields& root, model::Namespace& out);
void decode(Fields& root, model::ExportedServices& out);
void decode(Fields& root, model::ServiceIntentions& out);

/// Shared by the route kinds.
void decode_parents(Fields& spec, std::vector<model::ParentRef>& out);
/// All of a backendRef but its filters.
void decode_backend(Fields& fields, model::BackendRef& out);
void decode_filters(Fields& owner, std::vector<model::Filter>& out);

} // namespace strait::kubernetes
