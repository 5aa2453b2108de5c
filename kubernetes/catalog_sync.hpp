#pragma once

#include "catalog/model/cluster_objects.hpp"
#include "catalog/model/service.hpp"

#include <optional>
#include <string>
#include <vector>

/// Kubernetes Services as services of the catalog, as Consul's catalog sync has them: what makes
/// one exportable to a peer, or a MeshService. Pure: any thread may call.
namespace strait::kubernetes {

/// The node that all synced instances are of.
inline constexpr const char* sync_node = "k8s-sync";
inline constexpr const char* sync_node_address = "127.0.0.1";

enum class SyncMode : std::uint8_t {
  off,
  annotated, ///< Services with consul.hashicorp.com/service-sync: "true".
  all,       ///< All but those with "false", and the Services of gateways.
};

struct CatalogSyncOptions {
  SyncMode mode = SyncMode::off;
  bool namespace_suffix = false; ///< The service's name is NAME-NAMESPACE, unless annotated.
  /// Namespaces to sync; "*": every one. Those denied are not, whatever is allowed.
  std::vector<std::string> allowed_namespaces{"*"}, denied_namespaces;
  friend bool operator==(const CatalogSyncOptions&, const CatalogSyncOptions&) = default;
};

/// Whether the Service is synced: its annotation, else as the mode has it.
bool is_synced(const model::Service& service, const CatalogSyncOptions& options);

struct Synced {
  /// Of node sync_node, sorted by id; ids begin with sync_prefix() of the Service.
  std::vector<model::ServiceInstance> instances;
  std::string problem; ///< An annotation that cannot be followed, said in words; else empty.
};
/// The ready endpoints of the Service's slices; nothing where it is not synced. Annotations
/// (consul.hashicorp.com/): service-name, service-port (a port's name, or a number), service-tags
/// (a list between commas), service-meta-KEY.
Synced catalog_instances(const model::Service& service,
                         const std::vector<const model::EndpointSlice*>& slices,
                         const CatalogSyncOptions& options);

/// What the ids of the Service's instances begin with: "NAMESPACE/NAME/".
std::string sync_prefix(const model::Name& service);
/// The Service that the instance was synced from; nothing: somebody else registered it.
std::optional<model::Name> synced_from(const model::ServiceInstance& instance);

/// What leads from the registered instances of one Service to the desired ones.
struct SyncDifference {
  std::vector<model::ServiceInstance> put;
  std::vector<std::string> remove; ///< Ids.
};
/// Registered ones that were not synced (synced_from) are left alone, and their ids not taken.
SyncDifference sync_difference(const std::vector<const model::ServiceInstance*>& registered,
                               std::vector<model::ServiceInstance> desired);

} // namespace strait::kubernetes
