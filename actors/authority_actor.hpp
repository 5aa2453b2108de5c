#pragma once

#include "actors/messages.hpp"
#include "base/log.hpp"
#include "gateway/resolve/resolve.hpp"
#include "peering/authority.hpp"

namespace strait::actors {

using AuthorityActor =
    caf::typed_actor<caf::reacts_to<change_atom, Change>, // The catalog: roots, gateways.
                     caf::reacts_to<tick_atom>>;          // Itself: something may be due.

struct AuthorityOptions {
  std::string datacenter;
  /// Where a gateway's peering listener is reached, unless the Gateway says by its annotation. On
  /// Kubernetes that is at the Gateway's own address, once it has one.
  std::string address;
  gateway::resolve::Settings resolution;
  peering::AuthorityOptions certificates;
  /// Given the agent's own server certificate, now and each time that it is renewed: chain, key,
  /// and the roots of the datacenter.
  std::function<void(const peering::Leaf&, const std::vector<std::string>& roots)> server_leaf;
  std::function<WallTime()> clock = now_wall;
  Log log;
};

struct AuthorityState {
  static inline const char* name = "authority";
  struct Identity {
    peering::Leaf service, mesh_gateway;
    std::string session_keys; ///< As its proxies have them; empty: none yet.
  };
  std::map<model::Name, Identity> identities; ///< Of gateways.
  std::optional<peering::Leaf> server;
  std::string active_root;
  std::map<model::Name, std::string> registered; ///< Gateways that accept peers: their address.
  std::set<catalog::Topic> topics;               ///< Watched now.
  catalog::ViewPtr view;
  bool making = false;
};

/// Keeps the datacenter's certificate authority in being, gives every gateway its identity and
/// renews it in time, has its proxies sign session tokens with one key, and registers the gateways
/// that accept peered ones as mesh gateways.
AuthorityActor::behavior_type authority_actor(AuthorityActor::stateful_pointer<AuthorityState> self,
                                              CatalogActor catalog, RootActor root,
                                              AuthorityOptions options);

} // namespace strait::actors
