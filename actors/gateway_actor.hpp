#pragma once

#include "actors/messages.hpp"
#include "base/log.hpp"

namespace strait::actors {

struct GatewayState {
  static inline const char* name = "gateway";
  std::unique_ptr<gateway::resolve::Binder> binder;
  std::set<catalog::Topic> topics;
  std::set<std::string> clusters;
  ConfigPtr config; ///< The last that was sent; null: nothing to serve.
  bool sent = false;
  bool flush_waits = false;
  bool synced = false; ///< All routes that existed at the start are in.
  bool identified = false;
  bool overdue = false; ///< What is still missing is not waited for any more.
  catalog::Revision seen = 0;
  std::vector<ConfigSink> sinks;
  std::map<std::string, ProxyReport> proxies;
};

/// How long a gateway's first configuration waits to be whole: for all routes, their endpoints and
/// the gateway's identity. A proxy that has served before goes on with what it has meanwhile.
inline constexpr std::chrono::seconds first_config_wait_max{5};

/// Binds routes to the listeners of one Gateway and sends each new configuration to its proxies.
/// Changes that arrive together become one update.
GatewayActor::behavior_type gateway_actor(GatewayActor::stateful_pointer<GatewayState> self,
                                          model::Name gateway, gateway::resolve::Settings settings,
                                          CatalogActor catalog, RootActor root, StatusActor status);

} // namespace strait::actors
