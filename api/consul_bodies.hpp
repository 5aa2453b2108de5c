#pragma once

#include "api/identity.hpp"
#include "catalog/command.hpp"

#include <string>
#include <string_view>

/// Bodies of Consul's HTTP API to commands and plain values. Errors are those of a refused request:
/// they say what is wrong with the body and name the field. Pure.
namespace strait::api {

struct BodyLimits {
  std::size_t meta_pairs_max = 64;
  std::size_t meta_key_bytes_max = 128;
  std::size_t meta_value_bytes_max = 512;
  std::size_t tags_max = 1024;
};

/// PUT catalog/register. `datacenter` is what the body asked for, empty: none.
struct RegisterBody {
  std::string datacenter;
  catalog::Register command;
};
Result<RegisterBody> decode_register(std::string_view body, const AgentIdentity& self,
                                     const BodyLimits& limits = {});

struct DeregisterBody {
  std::string datacenter;
  catalog::Deregister command;
};
Result<DeregisterBody> decode_deregister(std::string_view body);

/// PUT agent/service/register: the instance on the agent's own node and its checks, with the ids
/// and names that Consul gives to checks without.
struct AgentServiceBody {
  model::ServiceInstance instance;
  std::vector<model::HealthCheck> checks;
};
Result<AgentServiceBody> decode_agent_service(std::string_view body, const AgentIdentity& self,
                                              const BodyLimits& limits = {});

/// PUT agent/check/register.
Result<model::HealthCheck> decode_agent_check(std::string_view body, const AgentIdentity& self);

/// PUT agent/check/update/ID.
struct CheckUpdate {
  model::Health status{};
  std::string output;
};
Result<CheckUpdate> decode_check_update(std::string_view body);

/// POST peering/token and peering/establish.
struct PeeringTokenBody {
  std::string peer_name;
  std::map<std::string, std::string> meta;
  std::vector<std::string> server_external_addresses;
};
Result<PeeringTokenBody> decode_peering_token(std::string_view body);
struct PeeringEstablishBody {
  std::string peer_name;
  std::string peering_token;
  std::map<std::string, std::string> meta;
};
Result<PeeringEstablishBody> decode_peering_establish(std::string_view body);

} // namespace strait::api
