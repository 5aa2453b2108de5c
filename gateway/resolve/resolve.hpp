#pragma once

#include "catalog/topic.hpp"
#include "catalog/view.hpp"
#include "gateway/snapshot/config.hpp"

#include <map>
#include <optional>
#include <set>

/// Model → what a proxy serves + conditions, as pure functions. Two ways to the same answer:
///   resolve_all()  the obvious full computation, straight from the specification, never optimised;
///   resolve_route(), resolve_cluster(), Binder   the same in steps, one per actor, that ship.
/// A test feeds both the same random changes and demands equal configs and conditions.
namespace strait::gateway::resolve {

using catalog::Topic;
using catalog::View;
using Topics = std::set<Topic>;

/// Why something is not as asked: becomes a condition.
struct Problem {
  model::Reason reason{};
  std::string message;
  friend bool operator==(const Problem&, const Problem&) = default;
};

/// A reference into another namespace that a ReferenceGrant allowed.
struct GrantedReference {
  std::string group, kind, ns, name;
  friend auto operator<=>(const GrantedReference&, const GrantedReference&) = default;
  friend bool operator==(const GrantedReference&, const GrantedReference&) = default;
};

/// A route with its references looked up, before any listener was asked. Independent of the class:
/// binding applies the class' ReferencePolicy.
struct ResolvedRoute {
  model::ObjectKey route;
  std::int64_t generation = 0;
  WallTime created{};
  std::vector<model::ParentRef> parents; ///< With namespaces filled in.
  std::vector<std::string> hostnames;    ///< As written, lower case.
  /// Rules with backends as clusters or refusals (500); hostnames are still empty here.
  std::variant<HttpRoute, TcpRoute> content;
  std::optional<Problem> unresolved; ///< The first reference that does not resolve.
  bool not_permitted = false; ///< Some reference lacks a grant: never served from a last good.
  /// What content may use only as long as a grant says so. Older content may go on only if the
  /// newest answer was granted all of it too.
  std::set<GrantedReference> granted;
  std::optional<Problem> refused; ///< A field or filter that Strait cannot carry out.
  std::set<std::string> clusters; ///< Ids that content uses.
  Topics depends;                 ///< What it was made from, besides the route itself.

  friend bool operator==(const ResolvedRoute&, const ResolvedRoute&) = default;
};
using ResolvedRoutePtr = std::shared_ptr<const ResolvedRoute>;

/// Null if there is no such route.
ResolvedRoutePtr resolve_route(const View& view, const model::ObjectKey& route);

/// Ids of clusters: "service/NS/NAME/PORT" (Kubernetes Service), "catalog/NAME" (a service of this
/// datacenter's catalog), "peer/PEER/NAME" (imported).
struct ResolvedCluster {
  std::shared_ptr<const Cluster> cluster; ///< Never null; without endpoints if nothing is known.
  Topics depends;
};
ResolvedCluster resolve_cluster(const View& view, const std::string& id);

/// The class of a gateway as resolution sees it.
struct ResolvedClass {
  std::string name;
  std::string controller;
  bool ours = false; ///< The controller name is one of Strait's.
  bool accepted = false;
  model::ReferencePolicy policy;
  std::int32_t map_privileged_container_ports = 0; ///< Specification B3.
  model::ObjectStatus status;
  Topics depends;
};
/// Empty if there is no such class, or it is of another controller (`ours` false).
std::optional<ResolvedClass> resolve_class(const View& view, const std::string& name);

/// What the peering listener of a gateway process lets in: exports and intentions as SPIFFE rules.
struct ResolvedExports {
  Resources<PeeringExport> exports;
  Resources<PeeringTrust> trust;
  std::set<std::string> clusters;
  Topics depends;
};
ResolvedExports resolve_exports(const View& view);

/// Settings of the deployment rather than of any object.
struct Settings {
  std::string datacenter = "dc1";
  /// Gateways are given a certificate of their own before they serve.
  bool identities = false;
};

/// Everything of one gateway.
struct Bound {
  std::shared_ptr<const Config> config; ///< Null if the gateway is not ours or not accepted.
  model::ObjectStatus gateway;
  /// Parents' conditions of each route that names this gateway.
  std::map<model::ObjectKey, std::vector<model::ParentStatus>> routes;
};

/// Listeners × routes → config and conditions, incrementally: a pure machine. Owned by the gateway
/// actor. Feed it what changed, then take().
///
/// One route's change costs what the route and the listeners it binds to cost, not the number of
/// routes.
///
/// KeepLastGood holds what was served last in memory, no longer: after a restart a route that does
/// not resolve answers 500 for its share until it does, and has no PartiallyInvalid condition.
class Binder {
public:
  Binder(model::Name gateway, Settings settings);
  ~Binder();
  Binder(Binder&&) noexcept;
  Binder& operator=(Binder&&) noexcept;

  /// The Gateway, its class, certificates, grants or namespaces may have changed: looks them up.
  void view_changed(const View& view);
  /// A route that names (or named) this gateway; null: it is gone.
  void route_changed(const model::ObjectKey& route, ResolvedRoutePtr resolved);
  void cluster_changed(std::shared_ptr<const Cluster> cluster);
  /// One more certificate of the gateway's own, by its id, or a new one of that id: "identity"
  /// towards peered datacenters, "mesh-gateway" for its peering listener; and what that listener
  /// lets in.
  void identity_changed(std::shared_ptr<const Certificate> identity);
  void exports_changed(const ResolvedExports& exports);

  /// What to watch, and which clusters are in use, after the changes so far.
  const Topics& depends() const;
  const std::set<std::string>& clusters() const;

  /// False while some route waits for endpoints that nobody has told yet; until then it is served
  /// as before, or not at all if it is new. What lost its grant is never waited with: the new
  /// content is served at once, with clusters that have no endpoints yet.
  bool complete() const;

  /// What changed since the last take(): statuses only of objects whose status changed.
  struct Taken {
    std::shared_ptr<const Config> config;
    /// From the config taken before; null if nothing changed, or there was none before.
    std::shared_ptr<const Delta> delta;
    std::optional<model::ObjectStatus> gateway;
    std::map<model::ObjectKey, std::vector<model::ParentStatus>> routes;
  };
  Taken take();

  /// Work done so far, for the cost law.
  struct Counters {
    std::size_t routes_bound = 0;
    std::size_t listeners_checked = 0;
  };
  const Counters& counters() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The oracle: all of one gateway from nothing but the view. `identities` as Binder's.
Bound resolve_all(const View& view, const model::Name& gateway, const Settings& settings,
                  const std::vector<std::shared_ptr<const Certificate>>& identities = {});

/// Deterministic text of conditions, for golden files and comparison.
std::string to_text(const model::ObjectStatus& status);

} // namespace strait::gateway::resolve
