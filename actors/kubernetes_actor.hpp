#pragma once

#include "actors/kind_actor.hpp"
#include "actors/kube_status_actor.hpp"

namespace strait::actors {

struct KubernetesOptions {
  std::shared_ptr<kubernetes::Client> client;
  CatalogActor catalog;
  KubeStatusActor status;
  /// Mirror every Secret and ConfigMap of the cluster instead of those that something refers to.
  bool all_secrets = false;
  /// Secrets and ConfigMaps mirrored one by one at a time; further ones are left out, with a word.
  std::size_t references_max = 500;
  Millis discover_again{60'000}; ///< Also when nothing tells that CRDs changed.
  Millis discover_settle{300};   ///< CRDs come in swarms, …
  Millis discover_hurry{1'000};  ///< … and are served, or not any more, some moments after.
  Millis retry_min{500}, retry_max{30'000};
  Log log{};
};

struct KubernetesState {
  static inline const char* name = "kubernetes";
  struct Kind {
    KindActor actor;
    std::string version; ///< Empty: not served.
    bool synced = false;
  };
  std::map<const kubernetes::ServerKind*, Kind> kinds;
  std::map<model::ObjectKey, KindActor> references;
  std::vector<KindActor> vanishing; ///< Not referred to any more, removing what they brought.
  std::shared_ptr<kubernetes::Mirror> crds;
  kubernetes::Resources resources, discovering; ///< Found last; of the round under way.
  std::size_t asked = 0;                        ///< Answers of the round that are still to come.
  bool failed = false;                          ///< Something of the round did.
  bool ticking = false, ticking_soon = false, discovered = false, crds_listed = false,
       again = false;
  unsigned hurried = 0; ///< Rounds that are still to come soon.
  Millis delay{0};
  std::string trouble;
  std::map<std::string, std::string> bundles;
  std::vector<caf::typed_response_promise<bool>> waiting; ///< For everything to be in.
};

/// Finds out which kinds the server has, now and whenever CRDs change, and owns an actor for each;
/// and one for each Secret and ConfigMap that is referred to.
KubernetesActor::behavior_type
kubernetes_actor(KubernetesActor::stateful_pointer<KubernetesState> self,
                 KubernetesOptions options);

} // namespace strait::actors
