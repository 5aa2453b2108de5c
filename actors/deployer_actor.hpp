#pragma once

#include "actors/kubernetes_messages.hpp"
#include "base/log.hpp"
#include "gateway/resolve/resolve.hpp"
#include "kubernetes/client.hpp"
#include "kubernetes/deployer.hpp"
#include "kubernetes/deployment.hpp"
#include "kubernetes/mirror.hpp"
#include "peering/authority.hpp"

namespace strait::actors {

/// What became of one request for an object, on its way from the client's loop.
struct ObjectAnswer {
  kubernetes::ObjectId id;
  int step = 0; ///< Index of the effect in Deployment::Effect.
  Result<kubernetes::Response> response;
};
/// A word of the watch of one kind of managed objects.
struct ManagedObject {
  kubernetes::ObjectId id;
  std::optional<kubernetes::Item> live; ///< Nothing: it is gone.
};

} // namespace strait::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::ObjectAnswer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::ManagedObject)

namespace strait::actors {

/// Deploys gateways on Kubernetes, while this replica leads.
using DeployerActor =
    caf::typed_actor<caf::reacts_to<change_atom, Change>,       // The catalog.
                     caf::reacts_to<lead_atom, bool>,           // The lease actor.
                     caf::reacts_to<answer_atom, ObjectAnswer>, // The client's loop.
                     caf::reacts_to<seen_atom, ManagedObject>,  // The watches' loop.
                     caf::reacts_to<synced_atom, std::string>,  // The same: a kind is listed.
                     caf::reacts_to<tick_atom>>;                // Itself.

/// What the Gateway's Programmed condition says of a report: Invalid for what its own fields ask
/// for, NoResources for what the cluster has in the way of it (an object of somebody else's, a
/// quota, a right that is missing). Nothing: no word on the Gateway, it passes by itself.
std::optional<DeploymentStatus> deployment_status(const model::Name& gateway,
                                                  const std::optional<Error>& reported);

struct DeployerOptions {
  std::shared_ptr<kubernetes::Client> client;
  kubernetes::DeployerSettings settings;
  gateway::resolve::Settings resolution;
  std::string datacenter;
  peering::AuthorityOptions certificates;
  std::function<WallTime()> clock = now_wall;
  std::function<Instant()> now = now_instant;
  /// What stands in the way of a Gateway's objects; nothing: they are as desired.
  std::function<void(const model::Name& gateway, const std::optional<Error>&)> report;
  Log log;
};

struct DeployerState {
  static inline const char* name = "deployer";
  struct Certified {
    peering::Leaf leaf;
    std::string roots;
    std::string root_id; ///< Of the authority's active root.
  };
  /// While this replica leads; nothing: others write.
  std::unique_ptr<kubernetes::Deployment> deployment;
  std::vector<std::shared_ptr<kubernetes::Mirror>> mirrors;
  std::set<std::string> unlisted;    ///< Kinds whose first list is not in.
  bool constraints_followed = false; ///< Roles and their bindings, too.
  std::map<model::Name, Certified> certificates;
  std::set<model::Name> known;
  std::set<model::Name> obstructed; ///< Those of which an error was reported.
  catalog::ViewPtr view;
};

DeployerActor::behavior_type deployer_actor(DeployerActor::stateful_pointer<DeployerState> self,
                                            CatalogActor catalog, DeployerOptions options);

} // namespace strait::actors
