#pragma once

#include "actors/kubernetes_messages.hpp"
#include "base/log.hpp"
#include "kubernetes/catalog_sync.hpp"

namespace strait::actors {

/// Keeps Kubernetes Services in the catalog of services.
using CatalogSyncActor =
    caf::typed_actor<caf::reacts_to<change_atom, Change>, // The catalog.
                     caf::reacts_to<tick_atom>>;          // Itself: try again what failed.

struct CatalogSyncActorOptions {
  kubernetes::CatalogSyncOptions sync;
  /// Services whose commands are under way; the others wait their turn.
  std::size_t services_in_flight_max = 16;
  Millis retry{1'000};
  /// Told of each Service that is compared, and of how many have commands under way then: what a
  /// change costs, for its tests.
  std::function<void(const model::Name&, std::size_t in_flight)> compared{};
  Log log{};
};

struct CatalogSyncState {
  static inline const char* name = "catalog sync";
  // CAF hands an actor's pointer to the first member if that takes it, and a bool does.
  catalog::ViewPtr view;
  std::set<model::Name> waiting; ///< Services to look at.
  /// Services with commands under way, and how many: looked at again only when all are answered.
  std::map<model::Name, std::size_t> in_flight;
  std::set<model::Name> failed;                ///< To be looked at again with the next tick.
  std::map<model::Name, std::string> problems; ///< What was last said of a Service.
  bool ticking = false;
};

/// Writes to the node k8s-sync what kubernetes/catalog_sync.hpp makes of Services and their slices,
/// and takes away what it wrote in an earlier life and is not synced (any more). A change costs the
/// Service that it is of, however many there are. With mode off it only takes away.
CatalogSyncActor::behavior_type
catalog_sync_actor(CatalogSyncActor::stateful_pointer<CatalogSyncState> self, CatalogActor catalog,
                   CatalogSyncActorOptions options);

} // namespace strait::actors
