#pragma once

#include "api/call.hpp"
#include "catalog/queries.hpp"

/// What is registered on the agent's own node. Its service "consul" and its liveness stand in the
/// catalog only, as at Consul.
namespace strait::api {

inline constexpr std::string_view server_service = "consul";
inline constexpr std::string_view liveness_check = "serfHealth";

catalog::RecordPtr<model::ServiceInstance> own_service(const Surroundings& at,
                                                       const std::string& id);
catalog::RecordPtr<model::HealthCheck> own_check(const Surroundings& at, const std::string& id);
std::vector<catalog::RecordPtr<model::ServiceInstance>> own_services(const Surroundings& at);
std::vector<catalog::RecordPtr<model::HealthCheck>> own_checks(const Surroundings& at);
/// With the checks of the node, then of the instance.
catalog::InstanceHealth own_health(const Surroundings& at,
                                   catalog::RecordPtr<model::ServiceInstance> instance);
/// The agent's node, as it goes with a registration on it.
model::Node own_node(const AgentIdentity& self);

} // namespace strait::api
