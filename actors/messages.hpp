#pragma once

#include "actors/publisher.hpp"
#include "actors/serving_ledger.hpp"
#include "gateway/resolve/resolve.hpp"
#include "gateway/snapshot/snapshot.hpp"

#include <caf/actor_config.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

/// Every interface of the actors, one comment per message: who sends it and what it means. Nothing
/// here leaves the process. Handles point down the flow of docs/architecture.md; what looks back up
/// holds no strong handle, so that the system can end.
namespace strait::actors {

/// What became of a command: the revision that holds it (the current one if it changed nothing).
struct Applied {
  Result<catalog::Revision> revision;
};
/// A group of commits for one sync, and what became of it.
using CommitsPtr = std::shared_ptr<const std::vector<storage::Commit>>;
struct Committed {
  Status status;
};
struct Loaded {
  Result<std::shared_ptr<catalog::Catalog>> catalog;
};

using ConfigPtr = std::shared_ptr<const gateway::Config>;
using DeltaPtr = std::shared_ptr<const gateway::Delta>;
using ClusterPtr = std::shared_ptr<const gateway::Cluster>;
using ResolvedExportsPtr = std::shared_ptr<const gateway::resolve::ResolvedExports>;
using CertificatePtr = std::shared_ptr<const gateway::Certificate>;

/// One step of a gateway's configuration: all of it, and what led there from the step before.
struct Update {
  model::Name gateway;
  ConfigPtr config; ///< Null: the gateway must not serve (any more).
  DeltaPtr delta;   ///< Null, or not starting where the receiver is: take the whole config.
};

/// What a proxy reports of itself.
struct ProxyReport {
  std::string id;                  ///< Process-wide unique name of the proxy.
  std::uint64_t sent = 0;          ///< Epoch that it was given.
  std::uint64_t served = 0;        ///< Epoch that every worker serves.
  std::vector<std::string> errors; ///< What it had to leave out, or could not bind.
};

/// Conditions of a route towards the listeners of one gateway, or of a policy towards the gateway.
struct RouteStatus {
  model::ObjectKey route;
  model::Name gateway;
  std::vector<model::ParentStatus> parents; ///< Empty: the gateway has nothing (more) to say.
};

/// What one gateway says of a ListenerSet that names it.
struct ListenerSetStatus {
  model::ObjectKey set;
  model::Name gateway;
  std::optional<model::ObjectStatus> status; ///< None: the set names the gateway no more.
};

/// Whether all proxies of one gateway serve a route (no listener), or one listener of the Gateway
/// or of a ListenerSet.
struct ServingStatus {
  model::ObjectKey object;
  model::Name gateway;
  std::string listener;
  Serving word{};
};

/// What stands in the way of a Gateway's pods and Service, if anything does.
struct DeploymentStatus {
  model::Name gateway;
  std::optional<gateway::resolve::Problem> problem;
};

/// A resource's actor died or runs again.
struct ActorHealth {
  model::ObjectKey object;
  bool running = true;
  std::string why;
};

} // namespace strait::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::catalog::Command)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::catalog::ViewPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::model::ObjectKey)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::model::Name)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::model::ObjectStatus)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::set<strait::catalog::Topic>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::Change)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::Applied)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::CommitsPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::Committed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::Loaded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::Update)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::ProxyReport)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<strait::actors::ProxyReport>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::RouteStatus)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::ListenerSetStatus)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<strait::actors::ServingStatus>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::DeploymentStatus)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::ActorHealth)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::gateway::resolve::ResolvedRoutePtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::ClusterPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::ResolvedExportsPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::CertificatePtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::set<std::string>)

namespace strait::actors {

using apply_atom = caf::atom_constant<caf::atom("apply")>;
using commit_atom = caf::atom_constant<caf::atom("commit")>;
using load_atom = caf::atom_constant<caf::atom("load")>;
using view_atom = caf::atom_constant<caf::atom("view")>;
using watch_atom = caf::atom_constant<caf::atom("watch")>;
using change_atom = caf::atom_constant<caf::atom("change")>;
using done_atom = caf::atom_constant<caf::atom("done")>;
using resolved_atom = caf::atom_constant<caf::atom("resolved")>;
using cluster_atom = caf::atom_constant<caf::atom("cluster")>;
using exports_atom = caf::atom_constant<caf::atom("exports")>;
using identity_atom = caf::atom_constant<caf::atom("identity")>;
using use_atom = caf::atom_constant<caf::atom("use")>;
using config_atom = caf::atom_constant<caf::atom("config")>;
using attach_atom = caf::atom_constant<caf::atom("attach")>;
using detach_atom = caf::atom_constant<caf::atom("detach")>;
using served_atom = caf::atom_constant<caf::atom("served")>;
using report_atom = caf::atom_constant<caf::atom("report")>;
using status_atom = caf::atom_constant<caf::atom("status")>;
using forget_atom = caf::atom_constant<caf::atom("forget")>;
using health_atom = caf::atom_constant<caf::atom("health")>;
using restart_atom = caf::atom_constant<caf::atom("restart")>;
using overdue_atom = caf::atom_constant<caf::atom("overdue")>;
using absent_atom = caf::atom_constant<caf::atom("absent")>;
using synced_atom = caf::atom_constant<caf::atom("synced")>;
using tick_atom = caf::atom_constant<caf::atom("tick")>;

/// Whoever watches topics of the catalog.
using Watcher =
    caf::typed_actor<caf::reacts_to<change_atom, Change>>; // The catalog: some of the topics
                                                           // changed. Answer with done.

/// Owns the Store, on a thread of its own.
using StorageActor = caf::typed_actor<
    caf::replies_to<commit_atom, CommitsPtr>::with<Committed>, // The catalog: one batch, one sync.
    caf::replies_to<load_atom>::with<Loaded>>; // The catalog: (re)open the store and read it all.

/// Owns the Catalog: the only way to write.
using CatalogActor = caf::typed_actor<
    caf::replies_to<apply_atom, catalog::Command>::with<Applied>, // Anyone: answered once durable.
    caf::replies_to<view_atom>::with<catalog::ViewPtr>,           // Anyone: what is committed.
    caf::replies_to<watch_atom, Watcher, std::set<catalog::Topic>>::with<
        catalog::ViewPtr>, // A watcher: these are my topics now. Answered with what is committed.
    caf::reacts_to<done_atom>,  // A watcher: I have taken in the last change.
    caf::reacts_to<tick_atom>>; // Itself: try again to open the store.

/// Merges what the others say of objects and writes it, at most one write under way per object.
using StatusActor =
    caf::typed_actor<caf::reacts_to<status_atom, model::ObjectStatus>, // Of the object's own actor.
                     caf::reacts_to<status_atom, RouteStatus>,         // A gateway actor.
                     caf::reacts_to<status_atom, ListenerSetStatus>,   // A gateway actor.
                     caf::reacts_to<status_atom, std::vector<ServingStatus>>, // A gateway actor,
                                                                              // before the others.
                     caf::reacts_to<status_atom, DeploymentStatus>,  // The deployer, if it leads.
                     caf::reacts_to<forget_atom, model::Name, bool>, // Root: the gateway actor
                                                                     // ended.
                     caf::reacts_to<health_atom, ActorHealth>,       // Root.
                     caf::reacts_to<tick_atom>>; // Itself: what was held back is due.

/// Receives the configuration of one gateway: a proxy, or the feed to one.
using ConfigSink = caf::typed_actor<caf::reacts_to<config_atom, Update>>; // The gateway actor.

/// One per Gateway: listeners × routes.
using GatewayActor = caf::typed_actor<
    caf::reacts_to<change_atom, Change>, // The catalog.
    caf::reacts_to<resolved_atom, model::ObjectKey,
                   gateway::resolve::ResolvedRoutePtr>, // Root: a route that names it; null: gone.
    caf::reacts_to<cluster_atom, ClusterPtr>,         // Root: endpoints of a cluster that it uses.
    caf::reacts_to<exports_atom, ResolvedExportsPtr>, // Root: what its peering listener lets in.
    caf::reacts_to<identity_atom, CertificatePtr>,    // Root: its own leaf certificate.
    caf::reacts_to<synced_atom>,             // Root: every route that exists has been told.
    caf::reacts_to<overdue_atom>,            // Itself: what is missing is not waited for any more.
    caf::reacts_to<attach_atom, ConfigSink>, // A proxy or feed: send me every update.
    caf::reacts_to<detach_atom, ConfigSink>,
    caf::reacts_to<served_atom, ConfigSink, ProxyReport>, // Root: what a proxy or feed says.
    caf::reacts_to<absent_atom, std::uint64_t>, // Itself: long enough after the last proxy left.
    caf::reacts_to<tick_atom>,                  // Itself: everything that came together is in.
    caf::replies_to<report_atom>::with<std::vector<ProxyReport>>>; // Operators.

/// One per Gateway that runs in this process: owns the worker threads.
using ProxyActor = caf::typed_actor<caf::reacts_to<config_atom, Update>,
                                    caf::reacts_to<served_atom, std::uint64_t>>; // Its workers.

/// One per route: references, grants, filters.
using RouteActor = caf::typed_actor<caf::reacts_to<change_atom, Change>>;

/// One per service that a gateway uses: its endpoints.
using ServiceActor = caf::typed_actor<caf::reacts_to<change_atom, Change>>;

/// One per policy that says how it fares by itself.
using PolicyActor = caf::typed_actor<caf::reacts_to<change_atom, Change>>;

/// One per gateway class.
using ClassActor = caf::typed_actor<caf::reacts_to<change_atom, Change>>;

/// Spawns one actor per resource, restarts what fails, and passes answers on to who needs them.
using RootActor = caf::typed_actor<
    caf::reacts_to<change_atom, Change>, // The catalog: resources came or went.
    caf::reacts_to<resolved_atom, model::ObjectKey,
                   gateway::resolve::ResolvedRoutePtr>,           // A route actor.
    caf::reacts_to<cluster_atom, ClusterPtr>,                     // A service actor.
    caf::reacts_to<use_atom, model::Name, std::set<std::string>>, // A gateway: clusters in use.
    caf::reacts_to<exports_atom, ResolvedExportsPtr>,             // The exports actor.
    caf::reacts_to<identity_atom, model::Name, CertificatePtr>,   // The authority actor.
    caf::reacts_to<attach_atom, model::Name, ConfigSink>,         // A feed: it wants this gateway.
    caf::reacts_to<detach_atom, model::Name, ConfigSink>,
    caf::reacts_to<served_atom, model::Name, ProxyReport>,             // The proxy in this process.
    caf::reacts_to<served_atom, model::Name, ConfigSink, ProxyReport>, // A feed: what its process
                                                                       // serves.
    caf::replies_to<report_atom, model::Name>::with<std::vector<ProxyReport>>, // Operators.
    caf::reacts_to<synced_atom>, // Itself: who has not answered by now is not waited for.
    caf::reacts_to<restart_atom, model::ObjectKey>>; // Itself: the backoff is over.

} // namespace strait::actors
