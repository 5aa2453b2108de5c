#pragma once

#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>

/// The names by which datacenters, gateways and services know each other in TLS: as Consul forms
/// them, so that a Consul can be on the other side.
namespace strait::peering {

/// 1..63 of a-z, 0-9 and '-', not at either end. The text says so; errors name the peering.
Status check_peer_name(std::string_view name);

/// "<uuid>.consul"
std::string trust_domain_of(std::string_view cluster_id);
bool is_trust_domain(std::string_view text);

/// SNI of a datacenter's peering server: "server.<dc>.peering.<td>".
std::string peering_server_name(std::string_view datacenter, std::string_view trust_domain);
struct PeeringServerName {
  std::string datacenter;
  std::string trust_domain;
  friend bool operator==(const PeeringServerName&, const PeeringServerName&) = default;
};
std::optional<PeeringServerName> parse_peering_server_name(std::string_view name);

/// SNI of an exported service at the exporter's mesh gateway:
/// "<service>.default.default.<peer>.external.<td>", where <peer> is the name by which the
/// exporter knows the importer and <td> is the exporter's trust domain.
struct PeeredServiceSni {
  std::string service;
  std::string peer;
  std::string trust_domain;
  friend bool operator==(const PeeredServiceSni&, const PeeredServiceSni&) = default;
};
std::string peered_service_sni(const PeeredServiceSni& name);
std::optional<PeeredServiceSni> parse_peered_service_sni(std::string_view sni);

/// "<dc>.internal.<td>"
std::string mesh_gateway_sni(std::string_view datacenter, std::string_view trust_domain);

/// Who somebody is: the URI in a certificate.
struct SpiffeId {
  enum class Role { service, mesh_gateway, server, api_gateway };
  Role role = Role::service;
  std::string trust_domain;
  std::string datacenter;
  std::string service; ///< Of a service; of an API gateway the Gateway's name.
  std::string ns = "default";
  friend bool operator==(const SpiffeId&, const SpiffeId&) = default;
};
/// "spiffe://<td>/ns/default/dc/<dc>/svc/<name>", "…/gateway/mesh/dc/<dc>",
/// "…/agent/server/dc/<dc>"; and "…/ns/<ns>/dc/<dc>/gateway/<name>", which is Strait's own: the
/// process that serves the Gateway <ns>/<name>, towards its agent.
std::string to_string(const SpiffeId& id);
/// Reads what to_string writes, with an optional partition in front. Nothing else is an identity.
std::optional<SpiffeId> parse_spiffe_id(std::string_view uri);

} // namespace strait::peering
