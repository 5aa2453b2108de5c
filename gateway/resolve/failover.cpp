#include "gateway/resolve/failover.hpp"

#include "gateway/resolve/conditions.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

namespace {

using model::ConditionType;
using model::Kind;
using model::Name;
using model::Reason;
using model::ServiceResolver;

static_assert(ServiceResolver::targets_max == failover_max);

/// Consul's only namespace, of which the catalog's services are.
constexpr std::string_view catalog_namespace = "default";

const std::string& service_of(const ServiceResolver& resolver,
                              const ServiceResolver::Target& target) {
  return target.service.empty() ? resolver.meta.name.name : target.service;
}

std::string path_of(std::size_t target) {
  return fmt::format("spec.failover.*.targets[{}]", target);
}

std::optional<Problem> refusal(const ServiceResolver& resolver) {
  if (!resolver.unsupported.empty())
    return Problem{Reason::invalid, to_string(resolver.unsupported.front()) +
                                        ": expected spec.failover of subset \"*\" with targets of "
                                        "service and peer"};
  auto& own = resolver.meta.name;
  for (std::size_t i = 0; i < resolver.failover.size(); ++i) {
    auto& target = resolver.failover[i];
    if (!target.ns.empty() && target.ns != own.ns)
      return Problem{Reason::invalid, fmt::format("{}.namespace: expected {}, the resolver's own",
                                                  path_of(i), own.ns)};
    if (target.peer.empty() && service_of(resolver, target) == own.name)
      return Problem{
          Reason::invalid,
          fmt::format("{}: is the service itself: expected another one, or a peer", path_of(i))};
  }
  return {};
}

/// Why a target cannot be reached at all, if so.
std::string missing(const View& view, const ServiceResolver& resolver,
                    const ServiceResolver::Target& target, Topics& depends) {
  auto& service = service_of(resolver, target);
  auto& ns = resolver.meta.name.ns;
  catalog::ServiceKey key{target.peer, service};
  if (target.peer.empty()) {
    Name name{ns, service};
    depends.insert({Kind::service, name});
    bool in_catalog = ns == catalog_namespace;
    if (in_catalog)
      depends.insert(catalog::topic_of(key));
    bool there = view.find<model::Service>(name) || (in_catalog && view.services.contains(key));
    return there ? "" : fmt::format("there is no Service {}", to_string(name));
  }
  depends.insert({Kind::peering, {"", target.peer}});
  depends.insert(catalog::topic_of(key));
  auto* peering = view.find<model::Peering>({"", target.peer});
  if (!peering)
    return "there is no peering " + target.peer;
  auto& imported = peering->status.imported;
  bool there = view.services.contains(key) ||
               std::find(imported.begin(), imported.end(), service) != imported.end();
  return there ? "" : fmt::format("peer {} exports no service {}", target.peer, service);
}

} // namespace

void add_failover(const View& view, const Name& resolver, const LocalIds& ids, Cluster& cluster,
                  Topics& depends) {
  depends.insert({Kind::service_resolver, resolver});
  auto* found = view.find<ServiceResolver>(resolver);
  if (!found || refusal(*found))
    return;
  auto& all = cluster.failover;
  for (auto& target : found->failover) {
    if (!target.peer.empty() && !ids.tcp)
      continue;
    auto& service = service_of(*found, target);
    auto id = target.peer.empty() ? ids.before + service + ids.after
                                  : fmt::format("peer/{}/{}", target.peer, service);
    if (std::find(all.begin(), all.end(), id) == all.end())
      all.push_back(std::move(id));
  }
}

ResolvedPolicy resolve_failover(const View& view, const ServiceResolver& resolver) {
  ResolvedPolicy resolved;
  std::optional<Problem> refs;
  for (std::size_t i = 0; i < resolver.failover.size(); ++i)
    if (auto why = missing(view, resolver, resolver.failover[i], resolved.depends);
        !why.empty() && !refs)
      refs = Problem{Reason::backend_not_found, path_of(i) + ": " + why};
  auto generation = resolver.meta.generation;
  resolved.status.conditions = {
      condition(ConditionType::accepted, Reason::accepted, refusal(resolver), generation),
      condition(ConditionType::resolved_refs, Reason::resolved_refs, refs, generation)};
  return resolved;
}

} // namespace strait::gateway::resolve
