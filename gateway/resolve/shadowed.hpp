#pragma once

#include "gateway/resolve/bind.hpp"
#include "gateway/snapshot/shadow_index.hpp"

namespace strait::gateway::resolve {

/// Adds strait.dev/Shadowed to the parents through which some rule of the route is never reached,
/// because another rule says the same and comes first. It is there only while it is true.
void add_shadowed(const GatewayPlan& plan, const ShadowIndex& index, const ResolvedRoute& route,
                  const std::vector<std::set<std::size_t>>& serving,
                  std::vector<model::ParentStatus>& parents);

/// The route of a binding key.
model::ObjectKey route_of_binding(std::string_view binding);

} // namespace strait::gateway::resolve
