#include "gateway/resolve/bind.hpp"

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
  bound.gateway = plan.status;
  if (!plan.ours)
    return bound;
  Config config;
  std::set<std::string> clusters;
  for (auto& listener : plan.listeners)
    if (listener.programmed) {
      put(config.listeners, listener.spec.name, listener.config);
      for (auto& certificate : listener.certificates)
        put(config.certificates, certificate->id, certificate);
    }
  auto route = [&](const model::ObjectKey& key) {
    auto resolved = resolve_route(view, key);
    auto of_route = bind_route(view, gateway, plan, *resolved);
    if (of_route.parents.empty())
      return;
    bound.routes[key] = of_route.parents;
    for (auto listener : of_route.attached)
      ++bound.gateway.listeners[listener].attached_routes;
    for (auto& [listener, served] : of_route.by_listener) {
      put(config.routes, binding_key(plan.listeners[listener].spec.name, served->id), served);
      clusters.insert(resolved->clusters.begin(), resolved->clusters.end());
    }
  };
  for (auto& [name, record] : view.table<model::HttpRoute>())
    route({model::Kind::http_route, name});
  for (auto& [name, record] : view.table<model::TcpRoute>())
    route({model::Kind::tcp_route, name});
  for (auto& identity : identities)
    put(config.certificates, identity->id, identity);
  if (plan.peering && config.certificates.contains(plan.peering->tls.certificates.front())) {
    auto exports = resolve_exports(view);
    put(config.listeners, plan.peering->name, plan.peering);
    config.exports = exports.exports;
    config.trust = exports.trust;
    clusters.insert(exports.clusters.begin(), exports.clusters.end());
  }
  for (auto& id : clusters)
    put(config.clusters, id, resolve_cluster(view, id).cluster);
  if (plan.serves)
    bound.config = std::make_shared<const Config>(std::move(config));
  return bound;
}

} // namespace strait::gateway::resolve
