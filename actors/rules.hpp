#pragma once

#include "gateway/resolve/resolve.hpp"

#include <functional>

namespace strait::actors {

/// The pure functions that the resource actors call. Tests replace one to see that a broken rule is
/// found, or that an actor which throws is restarted.
struct Rules {
  std::function<gateway::resolve::ResolvedRoutePtr(const catalog::View&, const model::ObjectKey&)>
      resolve_route = gateway::resolve::resolve_route;
  std::function<gateway::resolve::ResolvedCluster(const catalog::View&, const std::string&)>
      resolve_cluster = gateway::resolve::resolve_cluster;
  std::function<std::optional<gateway::resolve::ResolvedClass>(const catalog::View&,
                                                               const std::string&)>
      resolve_class = gateway::resolve::resolve_class;
  std::function<std::optional<gateway::resolve::ResolvedPolicy>(const catalog::View&,
                                                                const model::ObjectKey&)>
      resolve_policy = gateway::resolve::resolve_policy;
  std::function<gateway::resolve::ResolvedExports(const catalog::View&)> resolve_exports =
      gateway::resolve::resolve_exports;
};

} // namespace strait::actors
