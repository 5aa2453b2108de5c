#include "actors/directory.hpp"

#include <algorithm>
#include <utility>

namespace strait::actors {

namespace {

std::set<model::Name> sets_of(const gateway::resolve::ResolvedRoute& route) {
  std::set<model::Name> sets;
  for (auto& parent : route.parents)
    if (parent.kind == "ListenerSet")
      sets.insert({parent.ns, parent.name});
  return sets;
}

/// Takes the route out of one entry of an index, and the entry with the last route.
void take_out(std::map<model::Name, std::set<model::ObjectKey>>& index, const model::Name& name,
              const model::ObjectKey& route) {
  auto it = index.find(name);
  if (it == index.end())
    return;
  it->second.erase(route);
  if (it->second.empty())
    index.erase(it);
}

} // namespace

std::set<model::Name> Directory::gateways_for(const gateway::resolve::ResolvedRoute& route) const {
  std::set<model::Name> gateways;
  for (auto& parent : route.parents)
    if (parent.kind == "Gateway")
      gateways.insert({parent.ns, parent.name});
  for (auto& set : sets_of(route))
    if (auto it = sets_.find(set); it != sets_.end())
      gateways.insert(it->second);
  return gateways;
}

std::map<model::Name, Directory::RoutePtr> Directory::place(const model::ObjectKey& key,
                                                            const RoutePtr& resolved) {
  std::map<model::Name, RoutePtr> tell;
  for (auto& gateway :
       std::exchange(told_[key], resolved ? gateways_for(*resolved) : std::set<model::Name>{})) {
    tell[gateway] = nullptr;
    take_out(by_gateway_, gateway, key);
  }
  for (auto& gateway : told_[key]) {
    tell[gateway] = resolved;
    by_gateway_[gateway].insert(key);
  }
  if (!resolved)
    told_.erase(key);
  return tell;
}

std::map<model::Name, Directory::RoutePtr> Directory::route(const model::ObjectKey& key,
                                                            const RoutePtr& resolved) {
  if (auto it = routes_.find(key); it != routes_.end()) {
    for (auto& set : sets_of(*it->second))
      take_out(by_set_, set, key);
    routes_.erase(it);
  }
  if (resolved) {
    routes_[key] = resolved;
    for (auto& set : sets_of(*resolved))
      by_set_[set].insert(key);
  }
  return place(key, resolved);
}

std::map<model::ObjectKey, std::map<model::Name, Directory::RoutePtr>>
Directory::listener_set(const model::Name& set, const std::optional<model::Name>& gateway) {
  std::map<model::ObjectKey, std::map<model::Name, RoutePtr>> tell;
  auto it = sets_.find(set);
  if (it == sets_.end() ? !gateway : gateway == it->second)
    return tell;
  if (gateway)
    sets_[set] = *gateway;
  else
    sets_.erase(it);
  if (auto routes = by_set_.find(set); routes != by_set_.end())
    for (auto& key : routes->second)
      tell[key] = place(key, routes_.at(key));
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
