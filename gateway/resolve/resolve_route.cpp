#include "base/overload.hpp"
#include "gateway/resolve/listener_checks.hpp"
#include "gateway/resolve/references.hpp"
#include "gateway/resolve/resolve.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

namespace {

using model::Kind;
using model::Name;
using model::Reason;

/// Of conditions on one header or query parameter only the first counts (Gateway API).
void add_first(std::vector<ValueCondition>& conditions, ValueCondition next) {
  if (std::none_of(conditions.begin(), conditions.end(),
                   [&](auto& it) { return it.name == next.name; }))
    conditions.push_back(std::move(next));
}

HeaderEdits edits_of(const model::HeaderModifier& from) {
  HeaderEdits edits;
  for (auto& header : from.set)
    edits.set.push_back({header.name, header.value});
  for (auto& header : from.add)
    edits.add.push_back({header.name, header.value});
  edits.remove = from.remove;
  return edits;
}

/// Looks up everything that one route refers to, collecting what is wrong and what was looked at.
class RouteResolution {
public:
  RouteResolution(const View& view, const model::ObjectKey& key, const model::Meta& meta)
      : view_{view} {
    route_.route = key;
    route_.generation = meta.generation;
    route_.created = meta.created;
  }

  ResolvedRoutePtr http(const model::HttpRoute& from) {
    common(from);
    for (auto& hostname : from.hostnames)
      route_.hostnames.push_back(lower(hostname));
    HttpRoute content;
    for (std::size_t i = 0; i < from.rules.size(); ++i)
      content.rules.push_back(rule(from.rules[i], fmt::format("spec.rules[{}]", i)));
    route_.content = std::move(content);
    return std::make_shared<const ResolvedRoute>(std::move(route_));
  }

  ResolvedRoutePtr tcp(const model::TcpRoute& from) {
    common(from);
    TcpRoute content;
    for (std::size_t i = 0; i < from.backends.size(); ++i)
      content.backends.push_back(
          backend(from.backends[i], fmt::format("spec.rules[0].backendRefs[{}]", i)));
    route_.content = std::move(content);
    return std::make_shared<const ResolvedRoute>(std::move(route_));
  }

private:
  template <class Route>
  void common(const Route& from) {
    route_.parents = from.parents;
    for (auto& parent : route_.parents)
      if (parent.ns.empty())
        parent.ns = route_.route.name.ns;
    for (auto& field : from.unsupported)
      refuse(fmt::format("{} is not supported", field.path));
  }

  void refuse(std::string message, Reason reason = Reason::unsupported_value) {
    if (!route_.refused)
      route_.refused = Problem{reason, std::move(message)};
  }

  HttpRule rule(const model::HttpRule& from, const std::string& path) {
    HttpRule rule;
    rule.name = from.name;
    for (auto& match : from.matches)
      rule.matches.push_back(match_of(match));
    filters(from.filters, path, rule.request, rule.response);
    for (std::size_t i = 0; i < from.backends.size(); ++i)
      rule.backends.push_back(
          backend(from.backends[i], fmt::format("{}.backendRefs[{}]", path, i)));
    return rule;
  }

  static Match match_of(const model::HttpMatch& from) {
    Match match;
    match.path_type = static_cast<PathType>(from.path.type);
    match.path = from.path.value;
    while (match.path_type == PathType::prefix && match.path.size() > 1 && match.path.back() == '/')
      match.path.pop_back();
    match.method = from.method;
    for (auto& header : from.headers)
      add_first(match.headers,
                {static_cast<ValueType>(header.type), lower(header.name), header.value});
    for (auto& query : from.query)
      add_first(match.query, {static_cast<ValueType>(query.type), query.name, query.value});
    return match;
  }

  void filters(const std::vector<model::Filter>& from, const std::string& path,
               HeaderEdits& request, HeaderEdits& response) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j)
        if (from[i].index() == from[j].index() &&
            !std::holds_alternative<model::UnsupportedFilter>(from[i]))
          refuse(fmt::format("{}.filters[{}]: of the same type as filters[{}]", path, i, j),
                 Reason::incompatible_filters);
      std::visit(
          overload{
              [&](const model::RequestHeaderModifier& it) { request = edits_of(it.headers); },
              [&](const model::ResponseHeaderModifier& it) { response = edits_of(it.headers); },
              [&](const model::UnsupportedFilter& it) {
                refuse(fmt::format("{}.filters[{}]: filter {} is not supported", path, i, it.type));
              }},
          from[i]);
    }
  }

  Backend backend(const model::BackendRef& ref, const std::string& path) {
    Backend backend;
    backend.weight = static_cast<std::uint32_t>(std::max(ref.weight, 0));
    filters(ref.filters, path, backend.request, backend.response);
    Name target{ref.ns.empty() ? route_.route.name.ns : ref.ns, ref.name};
    auto cluster = look_up(ref, target);
    if (!cluster) {
      if (!route_.unresolved)
        route_.unresolved = Problem{cluster.error().reason, path + ": " + cluster.error().message};
      backend.refusal = 500;
      return backend;
    }
    backend.cluster = *cluster;
    route_.clusters.insert(*cluster);
    return backend;
  }

  tl::expected<std::string, Problem> look_up(const model::BackendRef& ref, const Name& target) {
    bool mesh = ref.kind == "MeshService" && is_consul_group(ref.group);
    if (!mesh && !(ref.kind == "Service" && (ref.group.empty() || ref.group == "core")))
      return problem(Reason::invalid_kind,
                     fmt::format("kind {} of group \"{}\": expected Service or MeshService",
                                 ref.kind, ref.group));
    // Before existence: nobody may probe for names in another namespace.
    if (target.ns != route_.route.name.ns) {
      route_.depends.insert({Kind::reference_grant, {target.ns, ""}});
      auto group = mesh ? ref.group : std::string{};
      if (permitted(view_, {gateway_group, to_string(route_.route.kind), route_.route.name.ns},
                    {group, ref.kind, target.ns, target.name})) {
        route_.granted.insert({group, ref.kind, target.ns, target.name});
      } else {
        route_.not_permitted = true;
        return problem(Reason::ref_not_permitted,
                       fmt::format("no ReferenceGrant in namespace {} lets {}s of namespace {} "
                                   "refer to {} {}",
                                   target.ns, to_string(route_.route.kind), route_.route.name.ns,
                                   ref.kind, target.name));
      }
    }
    return mesh ? mesh_service(target) : service(ref, target);
  }

  tl::expected<std::string, Problem> service(const model::BackendRef& ref, const Name& target) {
    route_.depends.insert({Kind::service, target});
    auto* found = view_.find<model::Service>(target);
    if (!found)
      return problem(Reason::backend_not_found,
                     fmt::format("Service {} does not exist", to_string(target)));
    if (!ref.port)
      return problem(Reason::backend_not_found,
                     fmt::format("Service {}: port must be given", to_string(target)));
    // It has no endpoints of its own, and where its name leads nobody has granted.
    if (found->type == "ExternalName")
      return problem(
          Reason::unsupported_value,
          fmt::format("Service {}: type ExternalName is not supported", to_string(target)));
    auto port = std::find_if(found->ports.begin(), found->ports.end(), [&](auto& it) {
      return it.port == *ref.port && it.protocol == "TCP";
    });
    if (port == found->ports.end())
      return problem(Reason::backend_not_found,
                     fmt::format("Service {} has no TCP port {}", to_string(target), *ref.port));
    bool other =
        port->app_protocol == "kubernetes.io/h2c" || port->app_protocol == "kubernetes.io/wss";
    if (other && route_.route.kind == Kind::http_route)
      return problem(Reason::unsupported_protocol,
                     fmt::format("Service {}: port {}: appProtocol {} is not supported",
                                 to_string(target), *ref.port, port->app_protocol));
    return fmt::format("service/{}/{}/{}", target.ns, target.name, *ref.port);
  }

  tl::expected<std::string, Problem> mesh_service(const Name& target) {
    route_.depends.insert({Kind::mesh_service, target});
    auto* mesh = view_.find<model::MeshService>(target);
    if (!mesh)
      return problem(Reason::backend_not_found,
                     fmt::format("MeshService {} does not exist", to_string(target)));
    auto& name = mesh->service.empty() ? mesh->meta.name.name : mesh->service;
    catalog::ServiceKey key{mesh->peer, name};
    route_.depends.insert(catalog::topic_of(key));
    if (mesh->peer.empty())
      return view_.services.contains(key)
                 ? tl::expected<std::string, Problem>{"catalog/" + name}
                 : problem(Reason::backend_not_found,
                           fmt::format("MeshService {}: the catalog has no service {}",
                                       to_string(target), name));
    route_.depends.insert({Kind::peering, {"", mesh->peer}});
    auto* peering = view_.find<model::Peering>({"", mesh->peer});
    if (!peering)
      return problem(
          Reason::backend_not_found,
          fmt::format("MeshService {}: there is no peering {}", to_string(target), mesh->peer));
    // A service whose instances are all gone is still imported: 503, not a broken reference.
    auto* entry = view_.services.find(key);
    auto& imported = peering->status.imported;
    bool exists = (entry && !entry->instances.empty()) ||
                  std::find(imported.begin(), imported.end(), name) != imported.end();
    if (!exists)
      return problem(Reason::backend_not_found,
                     fmt::format("MeshService {}: peer {} exports no service {}", to_string(target),
                                 mesh->peer, name));
    return fmt::format("peer/{}/{}", mesh->peer, name);
  }

  static tl::unexpected<Problem> problem(Reason reason, std::string message) {
    return tl::unexpected<Problem>(Problem{reason, std::move(message)});
  }

  const View& view_;
  ResolvedRoute route_;
};

} // namespace

ResolvedRoutePtr resolve_route(const View& view, const model::ObjectKey& route) {
  if (route.kind == Kind::http_route)
    if (auto* found = view.find<model::HttpRoute>(route.name))
      return RouteResolution{view, route, found->meta}.http(*found);
  if (route.kind == Kind::tcp_route)
    if (auto* found = view.find<model::TcpRoute>(route.name))
      return RouteResolution{view, route, found->meta}.tcp(*found);
  return nullptr;
}

} // namespace strait::gateway::resolve
