#pragma once

#include "actors/directory.hpp"
#include "actors/messages.hpp"
#include "actors/proxy_actor.hpp"
#include "actors/rules.hpp"
#include "base/log.hpp"

#include <unordered_map>

namespace strait::actors {

struct RootOptions {
  Rules rules;
  gateway::resolve::Settings settings;
  /// Makes the data plane of a gateway in this process; empty: strait-gateway processes serve.
  MakeDataplane dataplane;
  std::string bind_address; ///< Of its listeners; empty: every address.
  std::function<Instant()> clock = now_instant;
  Log log;
  /// Spawns the actor of one peering. Set by whoever has the wire to peers; empty: none.
  std::function<caf::actor(caf::actor_system&, const std::string& peering)> spawn_peer;
};

/// One resource's actor as root sees it.
struct Child {
  caf::actor actor; ///< Untyped: only its end matters here.
  Instant started{};
  Restarts restarts;
  bool failed = false; ///< It failed before and its status says so.
  /// Told to end. Its last words may still be under way, so a resource that comes back meanwhile
  /// waits for its end.
  bool ending = false;
  bool wanted = false; ///< Came back meanwhile.
};

struct RootState {
  static inline const char* name = "root";
  Directory directory;
  std::map<model::ObjectKey, Child> children;
  std::unordered_map<caf::actor_addr, model::ObjectKey> by_address;
  std::map<std::string, Child> clusters; ///< Service actors, by cluster id.
  std::unordered_map<caf::actor_addr, std::string> clusters_by_address;
  std::map<model::Name, GatewayActor> gateways;
  std::map<model::Name, std::uint64_t> incarnations; ///< Of gateway actors, also of Gateways gone.
  std::map<model::Name, ProxyActor> proxies;         ///< In this process.
  std::map<model::Name, std::vector<ConfigSink>> sinks; ///< Feeds, also of gateways not here yet.
  std::map<model::Name, std::map<std::string, CertificatePtr>> identities; ///< By id.
  std::set<model::ObjectKey>
      unanswered; ///< Routes that existed at the start and have not answered.
  bool synced = false;
  ResolvedExportsPtr exports;
  Watcher exports_actor;
  Child exports_child;
};

/// Spawns one actor per resource, restarts with backoff what fails, passes answers on.
RootActor::behavior_type root_actor(RootActor::stateful_pointer<RootState> self,
                                    CatalogActor catalog, StatusActor status, RootOptions options);

} // namespace strait::actors
