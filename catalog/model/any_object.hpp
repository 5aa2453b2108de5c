#pragma once

#include "catalog/model/cluster_objects.hpp"
#include "catalog/model/condition.hpp"
#include "catalog/model/gateway.hpp"
#include "catalog/model/peering.hpp"
#include "catalog/model/policy.hpp"
#include "catalog/model/route.hpp"
#include "catalog/model/service.hpp"

#include <variant>

namespace strait::model {

/// Any object that a user writes as a Kubernetes-style document.
using Manifest =
    std::variant<GatewayClass, GatewayClassConfig, Gateway, HttpRoute, TcpRoute, ReferenceGrant,
                 MeshService, Service, EndpointSlice, Secret, ConfigMap, Namespace, GrpcRoute,
                 TlsRoute, UdpRoute, ListenerSet, BackendTlsPolicy, GatewayPolicy, RouteAuthFilter,
                 RouteRetryFilter, RouteTimeoutFilter, JwtProvider, ServiceResolver, Pod>;

ObjectKey key_of(const Manifest& object);
const Meta& meta_of(const Manifest& object);
Meta& meta_of(Manifest& object);

/// Keys of the kinds that have no Meta. Imported ones are apart by the peer's name.
ObjectKey key_of(const Node& node);
ObjectKey key_of(const ServiceInstance& instance);
ObjectKey key_of(const HealthCheck& check);
ObjectKey key_of(const ExportedServices& entry);
ObjectKey key_of(const ServiceIntentions& entry);
ObjectKey key_of(const Peering& peering);
ObjectKey key_of(const PeeringSecrets& secrets);
ObjectKey key_of(const TrustBundle& bundle);
ObjectKey key_of(const CertificateAuthority& authority);
ObjectKey key_of(const KeySet& set);
ObjectKey key_of(const KeptRoute& kept);
ObjectKey key_of(const ObjectStatus& status);
template <class T>
requires requires(const T& object) { object.meta.name.ns; }
ObjectKey key_of(const T& object) { return {T::kind, object.meta.name}; }

} // namespace strait::model
