#pragma once

#include "actors/gateway_serving.hpp"
#include "base/log.hpp"

#include <unordered_map>

namespace strait::actors {

/// A proxy, or the feed to one, that is sent every update.
struct ConnectedProxy {
  std::uint64_t number = 0; ///< In the serving ledger; never given again.
  ProxyReport report;       ///< Without an id: it has not said anything yet.
};

struct GatewayState {
  static inline const char* name = "gateway";
  std::unique_ptr<gateway::resolve::Binder> binder;
  std::set<catalog::Topic> topics;
  std::set<std::string> clusters;
  ConfigPtr config; ///< The last that was sent; null: nothing to serve.
  bool sent = false;
  bool flush_waits = false;
  bool synced = false;   ///< All routes that existed at the start are in.
  bool all_told = false; ///< And so is the Binder.
  bool identified = false;
  bool overdue = false;                   ///< What is still missing is not waited for any more.
  gateway::resolve::Binder::Taken untold; ///< Statuses that wait for all routes to be in.
  catalog::Revision seen = 0;
  std::vector<ConfigSink> sinks;
  std::unordered_map<caf::actor_addr, ConnectedProxy> proxies; ///< Of all sinks.
  std::uint64_t proxies_seen = 0;
  std::optional<GatewayServing> serving;
  std::uint64_t absence = 0; ///< How often the last proxy has left.
};

/// How long a gateway's first configuration waits to be whole: for all routes, their endpoints and
/// the gateway's identity. A proxy that has served before goes on with what it has meanwhile.
inline constexpr std::chrono::seconds first_config_wait_max{5};

/// For so long after the last proxy left, or none came after the start, what was said of serving
/// stands: longer than proxies wait between two dials (feed::SubscriptionOptions::retry_max).
inline constexpr std::chrono::seconds no_proxies_after{15};

/// Binds routes to the listeners of one Gateway and sends each new configuration to its proxies.
/// Changes that arrive together become one update. `epochs_after`: as Binder's; an actor that takes
/// the place of one that failed goes on above its epochs, so that no late word is taken for its
/// own.
GatewayActor::behavior_type gateway_actor(GatewayActor::stateful_pointer<GatewayState> self,
                                          model::Name gateway, gateway::resolve::Settings settings,
                                          std::uint64_t epochs_after, CatalogActor catalog,
                                          RootActor root, StatusActor status);

} // namespace strait::actors
