#include "actors/directory.hpp"

#include <algorithm>

namespace strait::actors {

std::set<model::Name> gateways_of(const gateway::resolve::ResolvedRoute& route) {
  std::set<model::Name> gateways;
  for (auto& parent : route.parents)
    if (parent.kind == "Gateway")
      gateways.insert({parent.ns, parent.name});
  return gateways;
}

std::map<model::Name, Directory::RoutePtr> Directory::route(const model::ObjectKey& key,
                                                            const RoutePtr& resolved) {
  std::map<model::Name, RoutePtr> tell;
  if (auto it = routes_.find(key); it != routes_.end())
    for (auto& gateway : gateways_of(*it->second)) {
      tell[gateway] = nullptr;
      if (auto routes = by_gateway_.find(gateway); routes != by_gateway_.end()) {
        routes->second.erase(key);
        if (routes->second.empty())
          by_gateway_.erase(routes);
      }
    }
  routes_.erase(key);
  if (!resolved)
    return tell;
  routes_[key] = resolved;
  for (auto& gateway : gateways_of(*resolved)) {
    tell[gateway] = resolved;
    by_gateway_[gateway].insert(key);
  }
  return tell;
}

std::map<model::ObjectKey, Directory::RoutePtr>
Directory::routes_of(const model::Name& gateway) const {
  std::map<model::ObjectKey, RoutePtr> routes;
  if (auto it = by_gateway_.find(gateway); it != by_gateway_.end())
    for (auto& key : it->second)
      routes[key] = routes_.at(key);
  return routes;
}

Directory::Usage Directory::use(const model::Name& gateway, const std::set<std::string>& clusters) {
  Usage usage;
  auto& before = uses_[gateway];
  for (auto& id : clusters)
    if (!before.contains(id)) {
      auto& users = users_[id];
      if (users.empty())
        usage.started.insert(id);
      else if (auto it = clusters_.find(id); it != clusters_.end())
        usage.known.push_back(it->second);
      users.insert(gateway);
    }
  for (auto& id : before)
    if (!clusters.contains(id)) {
      auto users = users_.find(id);
      users->second.erase(gateway);
      if (users->second.empty()) {
        users_.erase(users);
        clusters_.erase(id);
        usage.ended.insert(id);
      }
    }
  before = clusters;
  if (before.empty())
    uses_.erase(gateway);
  return usage;
}

std::set<model::Name> Directory::cluster(const ClusterPtr& cluster) {
  auto users = users_.find(cluster->id);
  if (users == users_.end())
    return {};
  clusters_[cluster->id] = cluster;
  return users->second;
}

std::vector<Directory::ClusterPtr> Directory::clusters_of(const model::Name& gateway) const {
  std::vector<ClusterPtr> found;
  if (auto it = uses_.find(gateway); it != uses_.end())
    for (auto& id : it->second)
      if (auto cluster = clusters_.find(id); cluster != clusters_.end())
        found.push_back(cluster->second);
  return found;
}

Millis Restarts::failed(Instant now, Instant started) {
  if (now - started >= healthy_after)
    delay_ = {};
  delay_ = std::clamp(delay_ * 2, delay_min, delay_max);
  return delay_;
}

} // namespace strait::actors
