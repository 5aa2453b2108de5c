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
  catalog::Revision seen = 0;
  std::vector<ConfigSink> sinks;
  std::map<std::string, ProxyReport> proxies;
};

/// Binds routes to the listeners of one Gateway and sends each new configuration to its proxies.
/// Changes that arrive together become one update.
GatewayActor::behavior_type gateway_actor(GatewayActor::stateful_pointer<GatewayState> self,
                                          model::Name gateway, gateway::resolve::Settings settings,
                                          CatalogActor catalog, RootActor root, StatusActor status);

} // namespace strait::actors
