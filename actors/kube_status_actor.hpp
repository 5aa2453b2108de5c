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
  /// statuses; and so that what counts a thousand routes does not wait for each of theirs.
  std::size_t route_writes_in_flight_max = 20, other_writes_in_flight_max = 4;
  Millis retry_min{500}, retry_max{60'000};
  std::function<WallTime()> clock = now_wall;
  Log log{};
};

struct KubeStatusState {
  static inline const char* name = "kubernetes status";
  // CAF hands an actor's pointer to the first member if that takes it, and a bool does.
  std::map<model::ObjectKey, SeenObject> seen;
  bool leading = false;
  std::map<model::ObjectKey, Millis> delays; ///< Of objects whose last write failed …
  std::set<model::ObjectKey> resting;        ///< … and which of them wait.
  kubernetes::Latest<model::ObjectKey, bool> routes{8}, others{8}; ///< To be written.
  std::optional<kubernetes::GatewayApi> api;
  catalog::ViewPtr view;
};

/// Writes what the catalog says of objects to their status in Kubernetes, as kubernetes/
/// status_patch.hpp has it, and keeps the finalizer of classes in use. At most one write per object
/// is under way; an object that says it already is not written. How often an object's status
/// changes is bounded before, by the StatusLedger.
KubeStatusActor::behavior_type
kube_status_actor(KubeStatusActor::stateful_pointer<KubeStatusState> self,
                  KubeStatusOptions options);

} // namespace strait::actors
