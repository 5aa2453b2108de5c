#pragma once

#include "api/identity.hpp"
#include "api/json_writer.hpp"
#include "catalog/queries.hpp"

/// Records of the catalog as Consul's HTTP API shows them, key for key and in its order. What is
/// empty: lists are [] and maps are null unless Consul says otherwise.
namespace strait::api {

template <class T>
using RecordPtr = catalog::RecordPtr<T>;

/// catalog/nodes, and "Node" elsewhere.
void write_node(JsonWriter& json, const catalog::Record<model::Node>& node);
/// catalog/service: node and instance in one flat object.
void write_service_node(JsonWriter& json, const catalog::InstanceHealth& instance);
/// "Service" of health/service and the members of catalog/node.
void write_node_service(JsonWriter& json, const catalog::Record<model::ServiceInstance>& instance);
/// health/*. A check of the agent's own node shows interval and timeout as its runner has them; one
/// of another node shows the definition that somebody registered.
void write_check(JsonWriter& json, const catalog::Record<model::HealthCheck>& check,
                 const AgentIdentity& self);
/// health/service: node, instance and the checks of both.
void write_check_service_node(JsonWriter& json, const catalog::InstanceHealth& instance,
                              const AgentIdentity& self);

/// agent/services, agent/service/ID; the hash only for the latter.
void write_agent_service(JsonWriter& json, const model::ServiceInstance& instance,
                         const AgentIdentity& self, std::string_view content_hash = {});
/// agent/health/service/*.
void write_agent_health(JsonWriter& json, const catalog::InstanceHealth& instance,
                        const AgentIdentity& self);
/// agent/members: this agent, the only member.
void write_member(JsonWriter& json, const AgentIdentity& self);
/// agent/self.
void write_self(JsonWriter& json, const AgentIdentity& self);

/// peering/NAME and peerings.
void write_peering(JsonWriter& json, const catalog::Record<model::Peering>& peering);
/// connect/ca/roots. Keys stay here.
void write_roots(JsonWriter& json, const catalog::Record<model::CertificateAuthority>& authority);

} // namespace strait::api
