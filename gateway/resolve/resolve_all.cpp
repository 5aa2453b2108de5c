#include "gateway/resolve/bind.hpp"
#include "gateway/resolve/policy_ancestors.hpp"
#include "gateway/resolve/shadowed.hpp"

namespace strait::gateway::resolve {

namespace {

template <class T>
void put(Resources<T>& resources, const std::string& key, std::shared_ptr<const T> value) {
  resources = resources.with(key, std::move(value));
}

} // namespace

Bound resolve_all(const View& view, const model::Name& gateway, const Settings& settings,
                  const std::vector<std::shared_ptr<const Certificate>>& identities) {
  Bound bound;
  auto plan = plan_gateway(view, gateway, settings);
  std::vector<std::int32_t> attached(plan.listeners.size());
  Config config;
  std::set<std::string> clusters;
  auto resources = resources_of(plan);
  config.listeners = resources.listeners;
  config.certificates = resources.certificates;
  ShadowIndex shadows;
  std::map<model::ObjectKey, std::pair<ResolvedRoutePtr, std::vector<std::set<std::size_t>>>> told;
  if (plan.ours)
    for (auto& key : routes_in(view)) {
      auto resolved = resolve_route(view, key);
      auto of_route = bind_route(view, plan, *resolved);
      if (of_route.parents.empty())
        continue;
      bound.routes[key] = of_route.parents;
      for (auto listener : of_route.attached)
        ++attached[listener];
      for (auto& [listener, served] : of_route.by_listener) {
        auto binding = binding_key(plan.listeners[listener].name, served->id);
        shadows.change(binding, served);
        put(config.routes, binding, served);
        clusters.insert(resolved->clusters.begin(), resolved->clusters.end());
      }
      told[key] = {resolved, std::move(of_route.serving)};
    }
  for (auto& [key, of_route] : told)
    add_shadowed(plan, shadows, *of_route.first, of_route.second, bound.routes[key]);
  auto statuses = statuses_of(plan, attached);
  bound.gateway = std::move(statuses.gateway);
  bound.listener_sets = std::move(statuses.sets);
  if (!plan.ours)
    return bound;
  for (auto& identity : identities)
    put(config.certificates, identity->id, identity);
  if (plan.peering && config.certificates.contains(plan.peering->tls.certificates.front())) {
    auto exports = resolve_exports(view);
    put(config.listeners, plan.peering->name, plan.peering);
    config.exports = exports.exports;
    config.trust = exports.trust;
    clusters.insert(exports.clusters.begin(), exports.clusters.end());
  }
  for (auto& id : std::set{clusters}) {
    auto cluster = resolve_cluster(view, id).cluster;
    put(config.clusters, id, cluster);
    clusters.insert(cluster->failover.begin(), cluster->failover.end());
  }
  for (auto& id : clusters)
    put(config.clusters, id, resolve_cluster(view, id).cluster);
  for (auto& [name, record] : view.table<model::BackendTlsPolicy>()) {
    Topics looked_at;
    auto with = [&](const std::string& prefix) {
      std::vector<std::string> found;
      for (auto& id : clusters)
        if (id.starts_with(prefix))
          found.push_back(id);
      return found;
    };
    if (auto said = ancestor_status(view, plan, record->value, with, looked_at); !said.empty())
      bound.policies[{model::Kind::backend_tls_policy, name}] = std::move(said);
  }
  if (plan.serves)
    bound.config = std::make_shared<const Config>(std::move(config));
  return bound;
}

} // namespace strait::gateway::resolve
