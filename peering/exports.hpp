#pragma once

#include "peering/message.hpp"

#include <string>
#include <vector>

/// What a datacenter shows of its catalog to one peering, and what it makes of the other's. Pure:
/// from a view to resources, and from resources to commands.
namespace strait::peering {

inline constexpr std::string_view sidecar_suffix = "-sidecar-proxy";

struct ExportOptions {
  std::string datacenter;
  /// Under this name the gateway processes of this datacenter are registered, as kind mesh-gateway.
  std::string mesh_gateway_service = "mesh-gateway";
};

/// Names of the services that the peering may import, sorted: those of exported-services, with "*"
/// for every typical service that has an instance; never "consul".
std::vector<std::string> exported_services(const catalog::View& view, const std::string& peering);

/// One thing to keep in step at the peer, and the revision that last changed it.
struct Export {
  Resource resource = Resource::exported_service;
  std::string id;
  catalog::Revision modified = 0;
  friend bool operator==(const Export&, const Export&) = default;
};
/// All but the list of services, whose revision only the caller knows.
/// Cost: a lookup for each exported service; nothing is encoded.
std::vector<Export> exports_of(const catalog::View& view, const std::vector<std::string>& services,
                               const ExportOptions& options);

/// One exported service: every typical instance with one check that sums up the others, without
/// what only the mesh of this datacenter understands; or `<name>-sidecar-proxy`: how to reach it,
/// an instance for each mesh gateway. No instance: it has gone.
ExportedService export_service(const catalog::View& view, const std::string& peering,
                               const std::string& id, const ExportOptions& options);
/// The roots that are valid now. No root: there is no certificate authority yet.
model::TrustBundle export_trust(const catalog::View& view, WallTime now);
/// host:port of the peering servers here: of each instance of service "consul" that says its port,
/// the wide-area address first.
std::vector<std::string> server_addresses(const catalog::View& view);

/// The only certificate authority of the datacenter, or null.
catalog::RecordPtr<model::CertificateAuthority> authority_of(const catalog::View& view);

/// What a received resource means here. Errc::invalid: it can not be applied, whatever the state.
Result<catalog::Command> import_command(const std::string& peering, Payload payload);

/// SHA-256 of a list of names; of equal sets it is equal.
std::string digest_of_names(std::vector<std::string> names);
std::string sha256(std::string_view bytes);

} // namespace strait::peering
