#pragma once

#include <cstdint>
#include <string>

namespace strait::api {

/// Who this agent is, for what its APIs say of it.
struct AgentIdentity {
  std::string datacenter = "dc1";
  std::string node_name;
  std::string node_id; ///< UUID.
  std::string advertise_address = "127.0.0.1";
  std::uint16_t http_port = 8500;
  std::uint16_t grpc_port = 8502;
  std::uint16_t grpc_tls_port = 8503;
  /// Consul's clients expect the leader as host:port of its server RPC; Strait listens on none, so
  /// the number only makes the answer look as it should.
  std::uint16_t server_port = 8300;
  std::string version;
};

} // namespace strait::api
