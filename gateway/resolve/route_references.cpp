#include "gateway/resolve/route_references.hpp"

#include "gateway/resolve/backend_tls.hpp"
#include "gateway/resolve/references.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

namespace {

using model::Kind;
using model::Name;
using model::Reason;

tl::unexpected<Problem> problem(Reason reason, std::string message) {
  return tl::unexpected<Problem>(Problem{reason, std::move(message)});
}

} // namespace

void RouteReferences::refuse(std::string message, Reason reason) {
  if (!route_.refused)
    route_.refused = Problem{reason, std::move(message)};
}

std::optional<std::string> RouteReferences::cluster(const model::BackendTarget& target,
                                                    const std::string& path, Transport transport) {
  auto found = look_up(target, transport);
  if (!found) {
    if (!route_.unresolved)
      route_.unresolved = Problem{found.error().reason, path + ": " + found.error().message};
    return {};
  }
  route_.clusters.insert(*found);
  return *found;
}

Backend RouteReferences::backend(const model::BackendRef& ref, const std::string& path,
                                 Transport transport) {
  Backend backend;
  backend.weight = static_cast<std::uint32_t>(std::max(ref.weight, 0));
  if (auto id = cluster({ref.group, ref.kind, ref.ns, ref.name, ref.port}, path, transport))
    backend.cluster = std::move(*id);
  else
    backend.refusal = 500;
  return backend;
}

RouteReferences::Found RouteReferences::look_up(const model::BackendTarget& target,
                                                Transport transport) {
  auto& own = route_.route;
  Name name{target.ns.empty() ? own.name.ns : target.ns, target.name};
  bool mesh = target.kind == "MeshService" && is_consul_group(target.group);
  if (!mesh && !(target.kind == "Service" && (target.group.empty() || target.group == "core")))
    return problem(Reason::invalid_kind,
                   fmt::format("kind {} of group \"{}\": expected Service or MeshService",
                               target.kind, target.group));
  if (mesh && transport == Transport::udp)
    return problem(Reason::invalid_kind, "kind MeshService: expected Service, which has UDP ports");
  if (name.ns != own.name.ns) {
    depend({Kind::reference_grant, {name.ns, ""}});
    auto group = mesh ? target.group : std::string{};
    if (!permitted(view_, {gateway_group, to_string(own.kind), own.name.ns},
                   {group, target.kind, name.ns, name.name})) {
      route_.not_permitted = true;
      return problem(Reason::ref_not_permitted,
                     fmt::format("no ReferenceGrant in namespace {} lets {}s of namespace {} "
                                 "refer to {} {}",
                                 name.ns, to_string(own.kind), own.name.ns, target.kind,
                                 name.name));
    }
    route_.granted.insert({group, target.kind, name.ns, name.name});
  }
  return mesh ? mesh_service(name) : service(target, name, transport);
}

RouteReferences::Found RouteReferences::service(const model::BackendTarget& target,
                                                const Name& name, Transport transport) {
  depend({Kind::service, name});
  auto* found = view_.find<model::Service>(name);
  if (!found)
    return problem(Reason::backend_not_found,
                   fmt::format("Service {} does not exist", to_string(name)));
  if (!target.port)
    return problem(Reason::backend_not_found,
                   fmt::format("Service {}: port must be given", to_string(name)));
  // It has no endpoints of its own, and where its name leads nobody has granted.
  if (found->type == "ExternalName")
    return problem(Reason::unsupported_value,
                   fmt::format("Service {}: type ExternalName is not supported", to_string(name)));
  std::string_view protocol = transport == Transport::udp ? "UDP" : "TCP";
  auto port = std::find_if(found->ports.begin(), found->ports.end(), [&](auto& it) {
    return it.port == *target.port && it.protocol == protocol;
  });
  if (port == found->ports.end())
    return problem(Reason::backend_not_found, fmt::format("Service {} has no {} port {}",
                                                          to_string(name), protocol, *target.port));
  bool http = route_.route.kind == Kind::http_route || route_.route.kind == Kind::grpc_route;
  if (port->app_protocol == "kubernetes.io/wss" && http) {
    // WebSocket over TLS: how, only a BackendTLSPolicy tells.
    depend({Kind::backend_tls_policy, {name.ns, ""}});
    if (!backend_tls_policy_of(view_, name, port->name))
      return problem(Reason::unsupported_protocol,
                     fmt::format("Service {}: port {}: appProtocol {} needs a BackendTLSPolicy",
                                 to_string(name), *target.port, port->app_protocol));
  }
  return fmt::format("service/{}/{}/{}{}", name.ns, name.name, *target.port,
                     transport == Transport::udp ? "/udp" : "");
}

RouteReferences::Found RouteReferences::mesh_service(const Name& target) {
  depend({Kind::mesh_service, target});
  auto* mesh = view_.find<model::MeshService>(target);
  if (!mesh)
    return problem(Reason::backend_not_found,
                   fmt::format("MeshService {} does not exist", to_string(target)));
  auto& name = mesh->service.empty() ? mesh->meta.name.name : mesh->service;
  catalog::ServiceKey key{mesh->peer, name};
  depend(catalog::topic_of(key));
  if (mesh->peer.empty()) {
    if (!view_.services.contains(key))
      return problem(
          Reason::backend_not_found,
          fmt::format("MeshService {}: the catalog has no service {}", to_string(target), name));
    return "catalog/" + name;
  }
  depend({Kind::peering, {"", mesh->peer}});
  auto* peering = view_.find<model::Peering>({"", mesh->peer});
  if (!peering)
    return problem(Reason::backend_not_found, fmt::format("MeshService {}: there is no peering {}",
                                                          to_string(target), mesh->peer));
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

} // namespace strait::gateway::resolve
