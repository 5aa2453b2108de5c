#pragma once

#include "catalog/view.hpp"

#include <optional>
#include <variant>
#include <vector>

/// Commands: the only way to write. Each is carried out wholly or refused wholly, and gets one
/// revision. Whoever sends one has the decoded values ready: nothing here parses text.
namespace strait::catalog {

/// Compare-and-set: the revision that last changed the record must be this; 0: it must not exist.
using Cas = std::optional<Revision>;

/// Writes one Kubernetes-style object or config entry. generation grows if the spec differs;
/// created and uid are kept, or made for a new object. Writing an equal object changes nothing.
struct Put {
  AnyRecord object; ///< A Manifest kind, ExportedServices, ServiceIntentions.
  Cas cas;
  /// The object is another server's, mirrored here: refused (conflict) where one that is written
  /// here has the name already.
  bool mirrored = false;
};
/// Whether the object's source gave it a uid of its own, as Kubernetes does: then its uid,
/// generation and creation time are kept as they are. Those made here are of version 8 (RFC 9562).
bool is_mirrored(const model::Meta& meta);
/// Errc::not_found if it does not exist.
struct Remove {
  model::ObjectKey key;
  Cas cas;
};

/// Consul's catalog/register: node, and service and checks on it, as one change.
struct Register {
  model::Node node;
  bool skip_node_update = false;
  std::optional<model::ServiceInstance> instance;
  std::vector<model::HealthCheck> checks;
};
/// Consul's catalog/deregister: the instance or the check, or the whole node when both are empty.
struct Deregister {
  std::string node;
  std::string instance_id;
  std::string check_id;
};
/// What a check found. An equal status and output change nothing.
struct ReportCheck {
  std::string node;
  std::string check_id;
  model::Health status{};
  std::string output; ///< Cut to 4 KiB.
};

/// Replaces all that was imported of one service through one peering, atomically: what equals the
/// stored is not written. No instances: the service is not exported (any more).
struct Import {
  std::string peer;
  std::string service;
  struct Instance {
    model::Node node;
    model::ServiceInstance instance;
    std::vector<model::HealthCheck> checks;
  };
  std::vector<Instance> instances;
};
/// Removes all imported services of the peering that are not listed.
struct ImportList {
  std::string peer;
  std::vector<std::string> services;
};
/// The peer's trust bundle; also kept as the dialer's CA.
struct ImportTrust {
  model::TrustBundle bundle;
};

/// Creates or changes a peering and, in the same revision, its secrets.
struct WritePeering {
  model::Peering peering;
  std::optional<model::PeeringSecrets> secrets;
  Cas cas;         ///< Of the peering.
  Cas secrets_cas; ///< Of its secrets: what keeps a secret single-use under concurrency.
};
/// What happened on the stream. Only the parts that are set are changed.
struct ReportPeering {
  std::string name;
  std::optional<model::PeeringState> state;
  std::optional<model::PeeringStatus> status;
  std::optional<std::vector<std::string>> server_addresses;
  /// How far the exporter's store is imported: its id and revision.
  std::optional<std::pair<std::string, std::uint64_t>> imported;
};
/// Removes the peering and all that came through it: imports, trust bundle, secrets.
struct ForgetPeering {
  std::string name;
  bool keep_record = false; ///< TERMINATED: the record stays until the operator deletes it.
};

struct WriteAuthority {
  model::CertificateAuthority authority;
};

/// What a fetch for a JwtProvider brought; without a uri what was kept is removed. Errc::not_found
/// without that provider: its key set goes with it.
struct WriteKeySet {
  model::KeySet set;
};

/// What a gateway serves a route from while a reference of it does not resolve (KeepLastGood);
/// without one, from nothing any more. Errc::not_found without the Gateway and the route: it goes
/// with them.
struct KeepRoute {
  model::Name gateway;
  model::ObjectKey route;
  std::optional<model::KeptRoute> kept; ///< Of the same two.
};

/// Conditions of one object, as resolution found them: lastTransitionTime changes only with the
/// status of a condition; an equal status changes nothing. Without an object the status is removed.
/// strait.dev/Serving of a listener or parent that is said without it stays as it was.
struct ReportStatus {
  model::ObjectStatus status;
};

using Command = std::variant<Put, Remove, Register, Deregister, ReportCheck, Import, ImportList,
                             ImportTrust, WritePeering, ReportPeering, ForgetPeering,
                             WriteAuthority, WriteKeySet, KeepRoute, ReportStatus>;

/// Named maxima; a command beyond one is refused with Errc::exhausted.
struct CommandLimits {
  std::size_t checks_per_register_max = 64;
  std::size_t instances_per_import_max = 20'000;
  std::size_t name_bytes_max = 253;
  std::size_t object_bytes_max = 1U << 20U; ///< Encoded.
  std::size_t check_output_bytes_max = 4096;
};

} // namespace strait::catalog
