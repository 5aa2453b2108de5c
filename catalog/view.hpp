#pragma once

#include "base/persistent_map.hpp"
#include "catalog/model/any_object.hpp"
#include "storage/store.hpp"

#include <memory>
#include <set>
#include <string>
#include <tuple>

/// The one truth: takes a command, says what changed. catalog.hpp has the machine, command.hpp the
/// only way to write; this is the read side.
namespace strait::catalog {

using storage::Revision;

/// A record with the revisions that created and last changed it.
template <class T>
struct Record {
  T value;
  Revision created = 0;
  Revision modified = 0;
};
template <class T>
using RecordPtr = std::shared_ptr<const Record<T>>;
template <class T>
using Table = PersistentMap<model::Name, RecordPtr<T>>;

/// Any record: what one row of the store holds.
using AnyRecord =
    std::variant<model::GatewayClass, model::GatewayClassConfig, model::Gateway, model::HttpRoute,
                 model::TcpRoute, model::ReferenceGrant, model::MeshService, model::Service,
                 model::EndpointSlice, model::Secret, model::ConfigMap, model::Namespace,
                 model::Node, model::ServiceInstance, model::HealthCheck, model::ExportedServices,
                 model::ServiceIntentions, model::Peering, model::PeeringSecrets,
                 model::TrustBundle, model::CertificateAuthority, model::ObjectStatus,
                 model::GrpcRoute, model::TlsRoute, model::UdpRoute, model::ListenerSet,
                 model::BackendTlsPolicy, model::GatewayPolicy, model::RouteAuthFilter,
                 model::RouteRetryFilter, model::RouteTimeoutFilter, model::JwtProvider,
                 model::KeySet, model::ServiceResolver, model::KeptRoute, model::Pod>;
model::ObjectKey key_of(const AnyRecord& record);

/// A tuple of Each<T> for every type of record.
template <template <class> class Each, class Any>
struct PerRecordType;
template <template <class> class Each, class... Ts>
struct PerRecordType<Each, std::variant<Ts...>> {
  using type = std::tuple<Each<Ts>...>;
};
template <template <class> class Each>
using PerRecord = typename PerRecordType<Each, AnyRecord>::type;

/// One service of the catalog, of this datacenter (peer empty) or imported.
struct ServiceKey {
  std::string peer;
  std::string service;
  friend auto operator<=>(const ServiceKey&, const ServiceKey&) = default;
  friend bool operator==(const ServiceKey&, const ServiceKey&) = default;
};

/// The revision that last changed a service (its instances, their checks or nodes) and which
/// instances it has: by node scope ("peer/node") and instance id, as in their ObjectKey.
struct ServiceEntry {
  Revision modified = 0;
  PersistentMap<model::Name, bool> instances;
};

/// The whole catalog at one revision: immutable, shared, cheap to copy. Any thread may read.
class View {
public:
  Revision revision = 0;

  template <class T>
  const Table<T>& table() const {
    return std::get<Table<T>>(tables_);
  }
  /// The value, or null.
  template <class T>
  const T* find(const model::Name& name) const {
    auto* record = table<T>().find(name);
    return record ? &(*record)->value : nullptr;
  }
  template <class T>
  RecordPtr<T> record(const model::Name& name) const {
    auto* found = table<T>().find(name);
    return found ? *found : nullptr;
  }

  /// Services that have an instance: by peer, then name.
  PersistentMap<ServiceKey, ServiceEntry> services;
  /// Slices of a Kubernetes Service: (Service's name, slice's name).
  PersistentMap<std::pair<model::Name, std::string>, bool> slices;
  /// Checks of one instance: (instance's name in its ObjectKey, check id); of a node: instance id
  /// "".
  PersistentMap<std::pair<model::Name, std::string>, bool> checks;
  /// Instances on one node: (node's name in its ObjectKey, instance id).
  PersistentMap<std::pair<model::Name, std::string>, bool> node_instances;

  /// The revision that last changed anything of a kind; 0: never.
  Revision kind_revision(model::Kind kind) const {
    auto* found = kind_revisions.find(kind);
    return found ? *found : 0;
  }
  PersistentMap<model::Kind, Revision> kind_revisions;
  /// When the last instance of any service went away (Consul's extinction index).
  Revision extinction = 0;

private:
  friend class ViewWriter;
  friend class ViewLoader;
  PerRecord<Table> tables_;
};
using ViewPtr = std::shared_ptr<const View>;

/// One instance with its node and the checks of both: what health queries answer with.
struct InstanceHealth {
  RecordPtr<model::Node> node;
  RecordPtr<model::ServiceInstance> instance;
  std::vector<RecordPtr<model::HealthCheck>> checks; ///< Of the node, then of the instance.
  model::Health overall = model::Health::passing;
};
/// All instances of one service, sorted by node and id. Cost: its own size only.
std::vector<InstanceHealth> instances_of(const View& view, const ServiceKey& service);

/// Consul's rule: `index` of a query on one service is that of its last change, or for one without
/// instances the last time that any service lost its last instance.
Revision service_index(const View& view, const ServiceKey& service);

} // namespace strait::catalog
