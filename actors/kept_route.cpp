#include "actors/kept_route.hpp"

#include "gateway/feed/feed_codec.hpp"

namespace strait::actors {

namespace {

/// The feed's bytes are of configurations: one of the route alone, on a listener of this name.
constexpr const char* kept_listener = "kept";

} // namespace

model::KeptRoute to_record(const model::Name& gateway,
                           const gateway::resolve::ResolvedRoute& kept) {
  model::KeptRoute record;
  record.gateway = gateway;
  record.route = kept.route;
  record.generation = kept.generation;
  record.hostnames = kept.hostnames;
  for (auto& it : kept.granted)
    record.granted.push_back({it.group, it.kind, it.ns, it.name});
  record.clusters.assign(kept.clusters.begin(), kept.clusters.end());
  auto id = to_string(kept.route);
  strait::gateway::Delta delta{.from = 0, .epoch = 1};
  delta.routes.emplace_back(strait::gateway::binding_key(kept_listener, id),
                            std::make_shared<const strait::gateway::BoundRoute>(
                                strait::gateway::BoundRoute{id, kept.created, kept.content}));
  record.content = strait::gateway::feed::encode(delta);
  return record;
}

Result<gateway::resolve::ResolvedRoutePtr> from_record(const model::KeptRoute& record) {
  auto delta = strait::gateway::feed::decode(record.content);
  if (!delta)
    return fail(delta.error());
  auto id = to_string(record.route);
  if (delta->routes.size() != 1 || !delta->routes[0].second || delta->routes[0].second->id != id)
    return fail(Errc::corrupt, "KeptRoute of {}: its content is not of that route", id);
  gateway::resolve::ResolvedRoute kept;
  kept.route = record.route;
  kept.generation = record.generation;
  kept.created = delta->routes[0].second->created;
  kept.hostnames = record.hostnames;
  kept.content = delta->routes[0].second->route;
  for (auto& it : record.granted)
    kept.granted.insert({it.group, it.kind, it.ns, it.name});
  kept.clusters.insert(record.clusters.begin(), record.clusters.end());
  return std::make_shared<const gateway::resolve::ResolvedRoute>(std::move(kept));
}

} // namespace strait::actors
