#pragma once

#include "actors/kubernetes_messages.hpp"
#include "base/log.hpp"
#include "kubernetes/latest.hpp"
#include "kubernetes/mirror.hpp"

namespace strait::actors {

struct KindActorOptions {
  std::shared_ptr<kubernetes::Client> client;
  const kubernetes::ServerKind* kind = nullptr;
  /// Only this object; empty: all of the cluster.
  std::optional<model::Name> only{};
  /// What the catalog has of an earlier life goes unless the server lists it. False: another
  /// actor, of the same kind in an older group, does that, and has done it before this one lists.
  bool takes_over = true;
  CatalogActor catalog;
  KubeStatusActor status; ///< Told of the kinds that have one.
  /// Told once the first list is in the catalog. A name for the log and for counting.
  std::function<void(const std::string&)> synced{};
  std::string title{};
  bool ends_when_vanished = false; ///< Once everything it brought is removed again.
  std::size_t commands_in_flight_max = 64;
  Log log{};
};

struct KindState {
  static inline const char* name = "kubernetes kind";
  struct Wish {
    std::optional<catalog::AnyRecord> put; ///< Nothing: remove it.
  };
  std::string version;
  std::shared_ptr<kubernetes::Mirror> mirror;
  kubernetes::Latest<model::ObjectKey, Wish> wishes{64};
  std::map<model::Name, model::ObjectKey> keys; ///< Of what was told, by name on the server.
  std::map<model::Name, std::string> refused;   ///< What is wrong with an object; its last good
                                                ///< version stays in the catalog.
  std::map<model::ObjectKey, Wish> failed;      ///< To be tried again with the next tick.
  bool listed = false, told = false, vanished = false, ticking = false;
};

/// Owns the mirror of one kind and writes what it tells to the catalog, the latest for each object,
/// never more than `commands_in_flight_max` commands at a time. Decides nothing.
KindActor::behavior_type kind_actor(KindActor::stateful_pointer<KindState> self,
                                    KindActorOptions options);

} // namespace strait::actors
