#pragma once

#include "actors/kubernetes_messages.hpp"
#include "base/log.hpp"
#include "kubernetes/client.hpp"
#include "kubernetes/latest.hpp"

namespace strait::actors {

struct KubeStatusOptions {
  std::shared_ptr<kubernetes::Client> client;
  CatalogActor catalog;
  std::vector<std::string_view> controllers{model::strait_controller, model::consul_controller};
  /// Of the client's requests in flight, so that leases and lists find room beside a swarm of
  /// statuses.
  std::size_t writes_in_flight_max = 24;
  /// Conditions come in steps while things are resolved: what comes together is one write.
  Millis settle{50};
  /// An object whose status was just written is not written again before: what counts routes
  /// changes with each of a thousand.
  Millis rewrite_after{150};
  Millis retry_min{500}, retry_max{60'000};
  std::function<WallTime()> clock = now_wall;
  Log log{};
};

struct KubeStatusState {
  static inline const char* name = "kubernetes status";
  // CAF hands an actor's pointer to the first member if that takes it, and a bool does.
  std::map<model::ObjectKey, SeenObject> seen;
  bool leading = false, ticking = false;
  std::map<model::ObjectKey, Millis> delays; ///< Of objects whose last write failed …
  std::set<model::ObjectKey> resting; ///< … and which of them, or of those written just now, wait.
  std::map<model::ObjectKey, caf::actor_clock::time_point> written; ///< When last.
  kubernetes::Latest<model::ObjectKey, bool> wishes{8};
  std::optional<kubernetes::GatewayApi> api;
  catalog::ViewPtr view;
};

/// Writes what the catalog says of objects to their status in Kubernetes, as kubernetes/
/// status_patch.hpp has it, and keeps the finalizer of classes in use. At most one write per object
/// is under way; an object that says it already is not written.
KubeStatusActor::behavior_type
kube_status_actor(KubeStatusActor::stateful_pointer<KubeStatusState> self,
                  KubeStatusOptions options);

} // namespace strait::actors
