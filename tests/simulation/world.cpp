#include "world.hpp"

#include "test_certificate.hpp"

namespace strait::simulation {

using namespace model;
using catalog::Command;

namespace {
template <class T>
Meta meta(const T& ns, std::string name, std::int64_t created = 0) {
  Meta meta;
  meta.name = {ns, std::move(name)};
  meta.created = WallTime{Millis{created}};
  return meta;
}
} // namespace

const std::vector<std::string>& World::namespaces() {
  static const std::vector<std::string> all{"default", "team", "infra"};
  return all;
}
const std::vector<std::string>& World::service_names() {
  static const std::vector<std::string> all{"web", "api", "db"};
  return all;
}
const std::vector<Name>& World::gateways() {
  static const std::vector<Name> all{{"default", "edge"}, {"infra", "consul"}, {"team", "other"}};
  return all;
}

std::vector<Command> World::beginnings() {
  std::vector<Command> commands;
  for (auto& name : namespaces()) {
    Namespace it;
    it.meta = meta("", name);
    it.meta.labels = {{"team", name}};
    commands.push_back(catalog::Put{it, {}});
  }
  for (auto& [name, controller] : std::vector<std::pair<std::string, std::string_view>>{
           {"strait", strait_controller}, {"consul", consul_controller}}) {
    GatewayClass it;
    it.meta = meta("", name);
    it.controller_name = controller;
    commands.push_back(catalog::Put{it, {}});
  }
  for (auto& name : gateways())
    commands.push_back(catalog::Put{gateway(name), {}});
  return commands;
}

Gateway World::gateway(const Name& name) {
  Gateway gateway;
  gateway.meta = meta(name.ns, name.name);
  gateway.class_name = name.name == "consul" ? "consul" : chance(95) ? "strait" : "missing";
  static const std::vector<std::string> hostnames{"", "*.example.com", "a.example.com"};
  for (std::size_t i = 0, count = 1 + pick(3); i < count; ++i) {
    Listener listener;
    listener.name = "l" + std::to_string(i);
    listener.port = chance(80) ? static_cast<std::uint16_t>(8000 + i) : std::uint16_t{8000};
    listener.hostname = one_of(hostnames);
    listener.protocol = "HTTP";
    if (chance(25)) {
      listener.protocol = "TCP";
      listener.hostname.clear();
    } else if (chance(25)) {
      listener.protocol = "HTTPS";
      listener.tls = ListenerTls{};
      listener.tls->certificates.push_back({.ns = ns(), .name = "cert"});
    } else if (chance(5)) {
      listener.protocol = "SCTP";
    }
    listener.allowed.from = chance(60)   ? FromNamespaces::all
                            : chance(50) ? FromNamespaces::same
                                         : FromNamespaces::selector;
    if (listener.allowed.from == FromNamespaces::selector)
      listener.allowed.selector.match_labels = {{"team", ns()}};
    gateway.listeners.push_back(std::move(listener));
  }
  return gateway;
}

std::vector<ParentRef> World::parents() {
  std::vector<ParentRef> parents;
  for (std::size_t i = 0, count = 1 + pick(2); i < count; ++i) {
    auto& name = one_of(gateways());
    ParentRef parent{.ns = name.ns, .name = name.name};
    if (chance(30))
      parent.section_name = "l" + std::to_string(pick(4));
    else if (chance(20))
      parent.port = static_cast<std::uint16_t>(8000 + pick(3));
    parents.push_back(std::move(parent));
  }
  return parents;
}

BackendRef World::backend() {
  BackendRef ref{.ns = chance(50) ? "" : ns(), .name = one_of(service_names())};
  ref.weight = static_cast<std::int32_t>(pick(4));
  if (chance(30)) {
    ref.group = "consul.hashicorp.com";
    ref.kind = "MeshService";
  } else {
    ref.port = chance(90) ? std::uint16_t{80} : std::uint16_t{81};
  }
  if (chance(3))
    ref.kind = "Bucket";
  return ref;
}

HttpRoute World::http_route() {
  static const std::vector<std::string> hostnames{"a.example.com", "b.example.com", "*.example.com",
                                                  "other.org"};
  static const std::vector<std::string> paths{"/", "/a", "/a/b", "/c"};
  HttpRoute route;
  route.meta = meta(ns(), "r" + std::to_string(pick(6)), static_cast<std::int64_t>(pick(5)));
  route.parents = parents();
  for (std::size_t i = 0, count = pick(3); i < count; ++i)
    route.hostnames.push_back(one_of(hostnames));
  for (std::size_t i = 0, count = 1 + pick(2); i < count; ++i) {
    HttpRule rule;
    HttpMatch match;
    match.path = {chance(50) ? PathMatchType::prefix : PathMatchType::exact, one_of(paths)};
    if (chance(20))
      match.headers.push_back({ValueMatchType::exact, "X-Canary", "yes"});
    rule.matches = {match};
    if (chance(20))
      rule.filters.emplace_back(RequestHeaderModifier{{.set = {{"x-rule", "1"}}}});
    if (chance(4))
      rule.filters.emplace_back(UnsupportedFilter{"RequestMirror"});
    for (std::size_t j = 0, backends = pick(3); j < backends; ++j)
      rule.backends.push_back(backend());
    route.rules.push_back(std::move(rule));
  }
  return route;
}

TcpRoute World::tcp_route() {
  TcpRoute route;
  route.meta = meta(ns(), "t" + std::to_string(pick(3)), static_cast<std::int64_t>(pick(5)));
  route.parents = parents();
  for (std::size_t i = 0, count = 1 + pick(2); i < count; ++i)
    route.backends.push_back(backend());
  return route;
}

ReferenceGrant World::grant() {
  ReferenceGrant grant;
  grant.meta = meta(ns(), "g" + std::to_string(pick(2)));
  static const std::vector<std::string> kinds{"HTTPRoute", "TCPRoute", "Gateway"};
  for (std::size_t i = 0, count = 1 + pick(3); i < count; ++i)
    grant.from.push_back({"gateway.networking.k8s.io", one_of(kinds), ns()});
  grant.to.push_back({"", "Service", chance(50) ? "" : one_of(service_names())});
  grant.to.push_back({"", "Secret", ""});
  if (chance(50))
    grant.to.push_back({"consul.hashicorp.com", "MeshService", ""});
  return grant;
}

Secret World::secret() {
  Secret secret;
  secret.meta = meta(ns(), "cert");
  secret.type = "kubernetes.io/tls";
  secret.data = {{"tls.crt", test::certificate_pem}, {"tls.key", test::key_pem}};
  if (chance(25))
    secret.data["tls.key"] = "not a key";
  return secret;
}

Service World::service() {
  Service service;
  service.meta = meta(ns(), one_of(service_names()));
  service.ports.push_back({.name = "http", .port = 80});
  if (chance(30))
    service.ports.push_back({.name = "extra", .port = 81});
  return service;
}

EndpointSlice World::slice() {
  EndpointSlice slice;
  auto& service = one_of(service_names());
  slice.meta = meta(ns(), "slice-" + std::to_string(pick(3)));
  slice.meta.labels["kubernetes.io/service-name"] = service;
  slice.ports.push_back({.name = chance(90) ? "http" : "extra", .port = 8080});
  for (std::size_t i = 0, count = pick(4); i < count; ++i)
    slice.endpoints.push_back(
        {.addresses = {"10.0.0." + std::to_string(pick(9))}, .ready = chance(80)});
  return slice;
}

MeshService World::mesh_service() {
  MeshService mesh;
  mesh.meta = meta(ns(), one_of(service_names()));
  if (chance(50))
    mesh.service = one_of(service_names());
  if (chance(50))
    mesh.peer = "dc2";
  return mesh;
}

Command World::registration() {
  auto node = "n" + std::to_string(pick(3));
  if (chance(25))
    return catalog::Deregister{.node = node, .instance_id = one_of(service_names())};
  catalog::Register command;
  command.node = {.name = node, .address = "10.1.0." + std::to_string(pick(3))};
  ServiceInstance instance;
  instance.id = instance.service = one_of(service_names());
  instance.port = static_cast<std::uint16_t>(9000 + pick(2));
  HealthCheck check{.node = node, .id = "check-" + instance.id, .service_id = instance.id};
  check.status = chance(60) ? Health::passing : Health::critical;
  check.service_name = instance.service;
  command.checks.push_back(std::move(check));
  command.instance = std::move(instance);
  return command;
}

Command World::imported() {
  if (chance(10))
    return catalog::WritePeering{
        .peering = {.name = "dc2", .id = "dc2", .remote_datacenter = "dc2"}};
  if (chance(10))
    return catalog::ImportTrust{{.peer = "dc2",
                                 .trust_domain = "dc2.consul",
                                 .root_pems = {"root " + std::to_string(pick(3))}}};
  auto service = one_of(service_names());
  catalog::Import import{.peer = "dc2", .service = service};
  bool proxy = chance(50);
  if (proxy)
    import.service += "-sidecar-proxy";
  for (std::size_t i = 0, count = pick(3); i < count; ++i) {
    catalog::Import::Instance it;
    it.node = {.peer = "dc2", .name = "far" + std::to_string(i), .address = "10.9.0.1"};
    it.instance = {.peer = "dc2",
                   .node = it.node.name,
                   .id = import.service + std::to_string(i),
                   .service = import.service,
                   .port = static_cast<std::uint16_t>(8443 + pick(2))};
    if (proxy) {
      it.instance.service_kind = "connect-proxy";
      it.instance.peer_meta = PeerMeta{{service + ".sni"}, {"spiffe://dc2/x"}, "tcp"};
    }
    import.instances.push_back(std::move(it));
  }
  return import;
}

Command World::removal() {
  static const std::vector<Kind> kinds{Kind::http_route,   Kind::tcp_route, Kind::reference_grant,
                                       Kind::secret,       Kind::service,   Kind::endpoint_slice,
                                       Kind::mesh_service, Kind::gateway,   Kind::gateway_class};
  auto kind = one_of(kinds);
  switch (kind) {
  case Kind::http_route:
    return catalog::Remove{{kind, {ns(), "r" + std::to_string(pick(6))}}, {}};
  case Kind::tcp_route:
    return catalog::Remove{{kind, {ns(), "t" + std::to_string(pick(3))}}, {}};
  case Kind::reference_grant:
    return catalog::Remove{{kind, {ns(), "g" + std::to_string(pick(2))}}, {}};
  case Kind::secret:
    return catalog::Remove{{kind, {ns(), "cert"}}, {}};
  case Kind::endpoint_slice:
    return catalog::Remove{{kind, {ns(), "slice-" + std::to_string(pick(3))}}, {}};
  case Kind::gateway:
    return catalog::Remove{{kind, one_of(gateways())}, {}};
  case Kind::gateway_class:
    return catalog::Remove{{kind, {"", "strait"}}, {}};
  default:
    return catalog::Remove{{kind, {ns(), one_of(service_names())}}, {}};
  }
}

Command World::next() {
  switch (pick(14)) {
  case 0:
    return catalog::Put{gateway(one_of(gateways())), {}};
  case 1:
  case 2:
  case 3:
    return catalog::Put{http_route(), {}};
  case 4:
    return catalog::Put{tcp_route(), {}};
  case 5:
    return catalog::Put{grant(), {}};
  case 6:
    return catalog::Put{secret(), {}};
  case 7:
    return catalog::Put{service(), {}};
  case 8:
    return catalog::Put{slice(), {}};
  case 9:
    return catalog::Put{mesh_service(), {}};
  case 10:
    return registration();
  case 11:
    return imported();
  case 12: {
    auto beginning = beginnings();
    return beginning[pick(beginning.size())];
  }
  default:
    return removal();
  }
}

} // namespace strait::simulation
