#pragma once

#include "catalog/model/object.hpp"

/// Consul's catalog: nodes, service instances and their checks, of this datacenter (peer empty) or
/// imported from a peered one.
namespace strait::model {

struct ServiceAddress {
  std::string address;
  std::uint16_t port = 0;
  friend bool operator==(const ServiceAddress&, const ServiceAddress&) = default;
};

struct Node {
  static constexpr Kind kind = Kind::node;
  std::string peer; ///< The local name of the peering it was imported through.
  std::string name;
  std::string id; ///< UUID; may be empty.
  std::string address;
  std::string datacenter;
  StringMap tagged_addresses;
  StringMap meta;
  friend bool operator==(const Node&, const Node&) = default;
};

/// What a peered gateway must present and expect to reach the service (Consul's
/// PeeringServiceMeta).
struct PeerMeta {
  std::vector<std::string> sni;
  std::vector<std::string> spiffe_ids;
  std::string protocol;
  friend bool operator==(const PeerMeta&, const PeerMeta&) = default;
};

struct ServiceInstance {
  static constexpr Kind kind = Kind::service_instance;
  std::string peer;
  std::string node;
  std::string id;           ///< Unique on its node.
  std::string service;      ///< The service's name.
  std::string service_kind; ///< "" typical, "connect-proxy", "mesh-gateway", "api-gateway", …
  std::vector<std::string> tags;
  std::string address; ///< Empty: the node's.
  std::uint16_t port = 0;
  StringMap meta;
  std::map<std::string, ServiceAddress> tagged_addresses;
  std::int32_t weight_passing = 1;
  std::int32_t weight_warning = 1;
  bool enable_tag_override = false;
  std::string proxy_destination; ///< For connect-proxy: the service that it stands for.
  std::optional<PeerMeta> peer_meta;
  friend bool operator==(const ServiceInstance&, const ServiceInstance&) = default;
};

enum class Health : std::uint8_t { passing, warning, critical, maintenance };
std::string_view to_string(Health health);
std::optional<Health> health_from(std::string_view text);
/// maintenance > critical > warning > passing.
Health worse(Health a, Health b);

/// How the agent that owns a check finds its status (Consul check definition).
struct CheckDefinition {
  std::string http;   ///< URL.
  std::string method; ///< Of the HTTP request; empty: GET.
  std::map<std::string, std::vector<std::string>> header;
  std::string body;
  std::string tcp; ///< host:port
  bool tls_skip_verify = false;
  Millis interval{};         ///< At least 1 s for HTTP and TCP.
  Millis timeout{};          ///< 0: the default of 10 s.
  Millis ttl{};              ///< TTL check: critical this long after the last report.
  Millis deregister_after{}; ///< DeregisterCriticalServiceAfter; 0: never.
  std::int32_t success_before_passing = 0;
  std::int32_t failures_before_critical = 0;
  friend bool operator==(const CheckDefinition&, const CheckDefinition&) = default;
};

struct HealthCheck {
  static constexpr Kind kind = Kind::health_check;
  std::string peer;
  std::string node;
  std::string id; ///< CheckID, unique on its node.
  std::string name;
  Health status = Health::critical;
  std::string notes;
  std::string output;     ///< At most 4 KiB.
  std::string service_id; ///< Empty: a check of the node.
  std::string service_name;
  std::vector<std::string> service_tags;
  std::string type; ///< "http", "tcp", "ttl", "" when somebody else reports it.
  CheckDefinition definition;
  friend bool operator==(const HealthCheck&, const HealthCheck&) = default;
};

} // namespace strait::model
