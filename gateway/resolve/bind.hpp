#pragma once

#include "gateway/resolve/plan.hpp"

namespace strait::gateway::resolve {

/// One route against one gateway: what the listeners serve of it and what its parents say.
struct BoundRoutes {
  /// By listener index: the route as that listener serves it. Also for listeners that are not
  /// programmed, which count it but do not serve it.
  std::map<std::size_t, std::shared_ptr<const BoundRoute>> by_listener;
  std::vector<model::ParentStatus> parents;
};

/// `last_good` is what was served before a reference broke; used only under KeepLastGood.
BoundRoutes bind_route(const View& view, const model::Name& gateway, const GatewayPlan& plan,
                       const ResolvedRoute& route, const ResolvedRoute* last_good = nullptr);

/// Whether a broken reference is bridged by what was served before.
bool falls_back(const GatewayPlan& plan, const ResolvedRoute& route);

} // namespace strait::gateway::resolve
