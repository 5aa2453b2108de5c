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
  std::variant<HttpRoute, TcpRoute, TlsRoute, UdpRoute> content;
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

/// Kinds of routes: what listeners serve.
bool is_route(model::Kind kind);
/// Every route there is, by kind.
std::vector<model::ObjectKey> routes_in(const View& view);

/// Null if there is no such route.
ResolvedRoutePtr resolve_route(const View& view, const model::ObjectKey& route);

/// Ids of clusters: "service/NS/NAME/PORT" (Kubernetes Service; with "/udp" behind it a UDP port),
/// "catalog/NAME" (a service of this datacenter's catalog), "peer/PEER/NAME" (imported),
/// "exported/NAME" (as "catalog/NAME", for peers: nothing stands in for it).
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
  /// Gateways run as pods: their addresses are those of their Services.
  bool kubernetes = false;
  /// Elsewhere: what gateways of this process bind to; empty: as spec.addresses says, or every
  /// address.
  std::string bind_address{};
};

/// The Gateway that a ListenerSet names.
model::Name gateway_of(const model::ListenerSet& set);

/// What says by itself how it fares: GatewayPolicy, RouteAuthFilter, ServiceResolver.
struct ResolvedPolicy {
  model::ObjectStatus status;
  Topics depends; ///< What it was made from, besides the object itself.
  friend bool operator==(const ResolvedPolicy&, const ResolvedPolicy&) = default;
};
/// Empty if there is no such object, or nothing is said of its kind.
std::optional<ResolvedPolicy> resolve_policy(const View& view, const model::ObjectKey& policy);

/// Everything of one gateway.
struct Bound {
  std::shared_ptr<const Config> config; ///< Null if the gateway is not ours or not accepted.
  model::ObjectStatus gateway;
  /// Its ListenerSets, also those that it does not take.
  std::map<model::ObjectKey, model::ObjectStatus> listener_sets;
  /// Parents' conditions of each route that names this gateway or one of its ListenerSets.
  std::map<model::ObjectKey, std::vector<model::ParentStatus>> routes;
  /// Of each BackendTLSPolicy of a Service that the gateway's routes reach: the gateway is an
  /// ancestor of it.
  std::map<model::ObjectKey, std::vector<model::ParentStatus>> policies;
};

/// Listeners × routes → config and conditions, incrementally: a pure machine. Owned by the gateway
/// actor. Feed it what changed, then take().
///
/// One route's change costs what the route and the listeners it binds to cost, not the number of
/// routes.
///
/// KeepLastGood: what is to be served of a route while a reference of it is broken is told in
/// Taken::kept, for its owner to store, and taken up again by remember().
class Binder {
public:
  /// `epochs_after`: its configs are counted from the next number on.
  Binder(model::Name gateway, Settings settings, std::uint64_t epochs_after = 0);
  ~Binder();
  Binder(Binder&&) noexcept;
  Binder& operator=(Binder&&) noexcept;

  /// The Gateway, its class, its ListenerSets, certificates, grants, policies or namespaces may
  /// have changed: looks them up.
  void view_changed(const View& view);
  /// A route that names (or named) this gateway or a ListenerSet of it; null: it does no more.
  void route_changed(const model::ObjectKey& route, ResolvedRoutePtr resolved);
  /// What a Binder before this one told in Taken::kept; before the first view_changed().
  void remember(ResolvedRoutePtr kept);
  /// Every route that exists has been told: nothing is kept of others any more.
  void all_routes_told();
  /// What was told in Taken::kept could not be stored: the next take() tells it again.
  void not_kept(const model::ObjectKey& route);
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

  /// How a route stands in the config that was taken with it.
  struct RouteService {
    std::vector<bool> parents; ///< Of each parent in its status: whether some listener serves it.
    bool waits = false;        ///< For endpoints: its newest answer is not what is served yet.
  };
  /// What changed since the last take(): statuses only of objects whose status changed.
  struct Taken {
    std::shared_ptr<const Config> config;
    /// From the config taken before; null if nothing changed, or there was none before.
    std::shared_ptr<const Delta> delta;
    std::optional<model::ObjectStatus> gateway;
    /// Null: the gateway has nothing (more) to say of it.
    std::map<model::ObjectKey, std::optional<model::ObjectStatus>> listener_sets;
    std::map<model::ObjectKey, std::vector<model::ParentStatus>> routes;
    std::map<model::ObjectKey, std::vector<model::ParentStatus>> policies; ///< As Bound's.
    /// Of all of `routes`, and of routes of which something else is served now.
    std::map<model::ObjectKey, RouteService> services;
    /// Under KeepLastGood, what to serve while a reference is broken, where that is another than
    /// before; null: nothing any more.
    std::map<model::ObjectKey, ResolvedRoutePtr> kept;
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
