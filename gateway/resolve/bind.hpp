#pragma once

#include "gateway/resolve/plan.hpp"

namespace strait::gateway::resolve {

/// One route against one gateway: what the listeners serve of it and what its parents say.
struct BoundRoutes {
  /// Listeners that count it: those that accept it, programmed or not.
  std::set<std::size_t> attached;
  /// By index of a programmed listener: the route as that listener serves it.
  std::map<std::size_t, std::shared_ptr<const BoundRoute>> by_listener;
  std::vector<model::ParentStatus> parents;
  std::vector<std::set<std::size_t>> serving; ///< Of each parent: the listeners that serve for it.
};

/// `last_good` is what was served before a reference broke; used only where falls_back().
BoundRoutes bind_route(const View& view, const GatewayPlan& plan, const ResolvedRoute& route,
                       const ResolvedRoute* last_good = nullptr);

/// Whether a broken reference is bridged by what was served before (KeepLastGood). Never one that
/// lacks its grant, and never with content of which a grant may have gone meanwhile.
bool falls_back(const GatewayPlan& plan, const ResolvedRoute& route,
                const ResolvedRoute* last_good);

} // namespace strait::gateway::resolve
