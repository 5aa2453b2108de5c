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
  for (auto& name : namespaces()) {
    for (auto& service_name : service_names()) {
      Service it;
      it.meta = meta(name, service_name);
      it.ports = {{.name = "http", .port = 80}, {.name = "udp", .port = 80, .protocol = "UDP"}};
      commands.push_back(catalog::Put{it, {}});
    }
    ConfigMap trusted;
    trusted.meta = meta(name, "ca");
    trusted.data["ca.crt"] = test::certificate_pem;
    commands.push_back(catalog::Put{trusted, {}});
    Secret pair;
    pair.meta = meta(name, "cert");
    pair.type = "kubernetes.io/tls";
    pair.data = {{"tls.crt", test::certificate_pem}, {"tls.key", test::key_pem}};
    commands.push_back(catalog::Put{pair, {}});
  }
  return commands;
}

Gateway World::gateway(const Name& name) {
  Gateway gateway;
  gateway.meta = meta(name.ns, name.name);
  gateway.class_name = name.name == "consul" ? "consul" : chance(95) ? "strait" : "missing";
  for (std::size_t i = 0, count = 1 + pick(3); i < count; ++i)
    gateway.listeners.push_back(listener("l" + std::to_string(i), i));
  gateway.listener_sets = chance(40)   ? FromNamespaces::all
                          : chance(40) ? FromNamespaces::same
                          : chance(50) ? FromNamespaces::selector
                                       : FromNamespaces::none;
  gateway.listener_sets_selector.match_labels = {{"team", ns()}};
  if (chance(20))
    gateway.tls.backend_client_certificate = CertificateRef{.ns = ns(), .name = "cert"};
  if (chance(20))
    gateway.tls.frontend = client_validation();
  if (chance(20))
    gateway.tls.frontend_per_port[8000] = client_validation();
  if (chance(10))
    gateway.infrastructure.parameters =
        ParametersRef{"consul.hashicorp.com", "GatewayClassConfig", "keep", ""};
  if (chance(10))
    gateway.addresses.push_back({.value = "10.96.0.1"});
  return gateway;
}

Listener World::listener(const std::string& name, std::size_t offset) {
  static const std::vector<std::string> hostnames{"", "*.example.com", "a.example.com"};
  Listener listener;
  listener.name = name;
  listener.port = chance(80) ? static_cast<std::uint16_t>(8000 + offset) : std::uint16_t{8000};
  listener.hostname = one_of(hostnames);
  listener.protocol = "HTTP";
  if (chance(30)) {
    listener.protocol = chance(60) ? "TCP" : "UDP";
    listener.hostname.clear();
  } else if (chance(40)) {
    listener.protocol = chance(60) ? "HTTPS" : "TLS";
    listener.tls = ListenerTls{};
    if (listener.protocol == "TLS" && chance(50))
      listener.tls->mode = ListenerTls::Mode::passthrough;
    else
      listener.tls->certificates.push_back({.ns = ns(), .name = "cert"});
  } else if (chance(5)) {
    listener.protocol = "SCTP";
  }
  listener.allowed.from = chance(60)   ? FromNamespaces::all
                          : chance(50) ? FromNamespaces::same
                                       : FromNamespaces::selector;
  if (listener.allowed.from == FromNamespaces::selector)
    listener.allowed.selector.match_labels = {{"team", ns()}};
  return listener;
}

ClientValidation World::client_validation() {
  ClientValidation clients;
  for (std::size_t i = 0, count = 1 + pick(2); i < count; ++i)
    clients.ca_refs.push_back({.ns = chance(70) ? "" : ns(), .name = "ca"});
  clients.insecure_fallback = chance(30);
  return clients;
}

ListenerSet World::listener_set() {
  ListenerSet set;
  set.meta = meta(ns(), "s" + std::to_string(pick(3)), static_cast<std::int64_t>(pick(4)));
  auto& gateway = one_of(gateways());
  set.parent.ns = gateway.ns;
  set.parent.name = gateway.name;
  for (std::size_t i = 0, count = 1 + pick(2); i < count; ++i)
    set.listeners.push_back(listener("l" + std::to_string(i), 2 + i));
  return set;
}

std::vector<ParentRef> World::parents() {
  std::vector<ParentRef> parents;
  for (std::size_t i = 0, count = 1 + pick(2); i < count; ++i) {
    auto& name = one_of(gateways());
    ParentRef parent{.ns = name.ns, .name = name.name};
    if (chance(25)) {
      parent.kind = "ListenerSet";
      parent.ns = ns();
      parent.name = "s" + std::to_string(pick(3));
    }
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
    rule.filters = filters();
    for (std::size_t j = 0, backends = pick(3); j < backends; ++j)
      rule.backends.push_back(backend());
    route.rules.push_back(std::move(rule));
  }
  return route;
}

std::vector<Filter> World::filters() {
  std::vector<Filter> filters;
  auto target = [&] {
    auto ref = backend();
    return BackendTarget{ref.group, ref.kind, ref.ns, ref.name, ref.port};
  };
  if (chance(20))
    filters.emplace_back(RequestHeaderModifier{{.set = {{"x-rule", "1"}}}});
  if (chance(4))
    filters.emplace_back(UnsupportedFilter{"Magic"});
  if (chance(15))
    filters.emplace_back(RequestMirror{.backend = target()});
  if (chance(10))
    filters.emplace_back(ExternalAuth{.backend = target()});
  static const std::vector<std::string> kinds{"RouteAuthFilter", "RouteRetryFilter",
                                              "RouteTimeoutFilter"};
  if (chance(15))
    filters.emplace_back(ExtensionRef{"consul.hashicorp.com", one_of(kinds), "f"});
  return filters;
}

GrpcRoute World::grpc_route() {
  GrpcRoute route;
  route.meta = meta(ns(), "g" + std::to_string(pick(3)), static_cast<std::int64_t>(pick(5)));
  route.parents = parents();
  GrpcRule rule;
  rule.filters = filters();
  rule.backends.push_back(backend());
  if (chance(50))
    rule.matches.push_back({.method = GrpcMethodMatch{.service = "echo.Echo"}});
  route.rules.push_back(std::move(rule));
  return route;
}

BackendTlsPolicy World::backend_tls_policy() {
  BackendTlsPolicy policy;
  policy.meta = meta(ns(), "p" + std::to_string(pick(3)), static_cast<std::int64_t>(pick(3)));
  for (std::size_t i = 0, count = 1 + pick(2); i < count; ++i)
    policy.targets.push_back(
        {.name = one_of(service_names()), .section_name = chance(70) ? "" : "http"});
  policy.hostname = "h" + std::to_string(pick(2));
  if (chance(20))
    policy.well_known_ca = "System";
  else
    policy.ca_refs.push_back({.name = "ca"});
  return policy;
}

ConfigMap World::authority() {
  ConfigMap map;
  map.meta = meta(ns(), "ca");
  map.data["ca.crt"] = chance(75) ? test::certificate_pem : "not a certificate";
  return map;
}

JwtRequirement World::jwt() {
  JwtRequirement jwt;
  jwt.providers.push_back({.name = "j" + std::to_string(pick(2))});
  return jwt;
}

GatewayPolicy World::gateway_policy() {
  GatewayPolicy policy;
  auto& gateway = one_of(gateways());
  policy.meta = meta(chance(70) ? gateway.ns : ns(), "p" + std::to_string(pick(3)),
                     static_cast<std::int64_t>(pick(3)));
  policy.target_group = "gateway.networking.k8s.io";
  policy.target_kind = "Gateway";
  policy.target_ns = gateway.ns;
  policy.target_name = gateway.name;
  policy.target_section = "l" + std::to_string(pick(3));
  if (chance(60))
    policy.override_jwt = jwt();
  if (chance(60))
    policy.default_jwt = jwt();
  return policy;
}

/// Of what routes lead to; services stand in for each other, also in a circle.
ServiceResolver World::service_resolver() {
  ServiceResolver resolver;
  resolver.meta = meta(chance(60) ? "default" : ns(), one_of(service_names()));
  for (std::size_t i = 0, count = pick(4); i < count; ++i) {
    ServiceResolver::Target target;
    target.service = chance(30) ? "" : one_of(service_names());
    if (target.service.empty() || chance(40))
      target.peer = chance(90) ? "dc2" : "dc9";
    else if (chance(10))
      target.ns = ns();
    resolver.failover.push_back(std::move(target));
  }
  if (chance(10))
    resolver.unsupported.push_back({"spec.redirect"});
  return resolver;
}

Command World::filter_object() {
  switch (pick(4)) {
  case 0: {
    JwtProvider provider;
    provider.meta = meta(ns(), "j" + std::to_string(pick(2)));
    provider.issuer = "issuer " + std::to_string(pick(2));
    return catalog::Put{provider, {}};
  }
  case 1: {
    RouteAuthFilter filter;
    filter.meta = meta(ns(), "f");
    filter.jwt = jwt();
    return catalog::Put{filter, {}};
  }
  case 2: {
    RouteRetryFilter filter;
    filter.meta = meta(ns(), "f");
    filter.num_retries = static_cast<std::uint32_t>(pick(3));
    return catalog::Put{filter, {}};
  }
  default: {
    RouteTimeoutFilter filter;
    filter.meta = meta(ns(), "f");
    filter.request_timeout = Millis{static_cast<std::int64_t>(1 + pick(3))};
    return catalog::Put{filter, {}};
  }
  }
}

/// TCPRoute, UDPRoute or TLSRoute.
template <class Route>
Route World::plain_route(const std::string& name) {
  Route route;
  route.meta = meta(ns(), name + std::to_string(pick(3)), static_cast<std::int64_t>(pick(5)));
  route.parents = parents();
  if constexpr (requires { route.hostnames; })
    route.hostnames = {chance(50) ? "a.example.com" : "*.example.com"};
  for (std::size_t i = 0, count = 1 + pick(2); i < count; ++i)
    route.backends.push_back(backend());
  return route;
}

ReferenceGrant World::grant() {
  ReferenceGrant grant;
  grant.meta = meta(ns(), "g" + std::to_string(pick(2)));
  static const std::vector<std::string> kinds{"HTTPRoute", "TCPRoute", "Gateway",    "UDPRoute",
                                              "GRPCRoute", "TLSRoute", "ListenerSet"};
  for (std::size_t i = 0, count = 1 + pick(3); i < count; ++i)
    grant.from.push_back({"gateway.networking.k8s.io", one_of(kinds), ns()});
  grant.to.push_back({"", "Service", chance(50) ? "" : one_of(service_names())});
  grant.to.push_back({"", "Secret", ""});
  grant.to.push_back({"", "ConfigMap", ""});
  if (chance(30)) {
    grant.from.push_back({"consul.hashicorp.com", "GatewayPolicy", ns()});
    grant.to.push_back({"gateway.networking.k8s.io", "Gateway", ""});
  }
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
  if (chance(20)) { // The one that a gateway is deployed with.
    auto& gateway = one_of(gateways());
    service.meta.name = {gateway.ns, deployed_name(gateway)};
    service.type = chance(50) ? "LoadBalancer" : "ClusterIP";
    service.cluster_ip = "10.96.0." + std::to_string(pick(3));
    if (chance(50))
      service.ingress = {"192.0.2." + std::to_string(pick(3))};
  }
  static const std::vector<std::string> protocols{"", "kubernetes.io/h2c", "kubernetes.io/wss"};
  service.ports.push_back({.name = "http", .port = 80, .app_protocol = one_of(protocols)});
  if (chance(30))
    service.ports.push_back({.name = "extra", .port = 81});
  if (chance(30))
    service.ports.push_back({.name = "udp", .port = 80, .protocol = "UDP"});
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
  static const std::vector<Kind> kinds{Kind::http_route,
                                       Kind::tcp_route,
                                       Kind::reference_grant,
                                       Kind::secret,
                                       Kind::service,
                                       Kind::endpoint_slice,
                                       Kind::mesh_service,
                                       Kind::gateway,
                                       Kind::gateway_class,
                                       Kind::grpc_route,
                                       Kind::tls_route,
                                       Kind::udp_route,
                                       Kind::listener_set,
                                       Kind::backend_tls_policy,
                                       Kind::config_map,
                                       Kind::gateway_policy,
                                       Kind::jwt_provider,
                                       Kind::route_auth_filter,
                                       Kind::route_retry_filter,
                                       Kind::gateway_class_config,
                                       Kind::service_resolver};
  auto kind = one_of(kinds);
  switch (kind) {
  case Kind::http_route:
    return catalog::Remove{{kind, {ns(), "r" + std::to_string(pick(6))}}, {}};
  case Kind::tcp_route:
    return catalog::Remove{{kind, {ns(), "t" + std::to_string(pick(3))}}, {}};
  case Kind::grpc_route:
    return catalog::Remove{{kind, {ns(), "g" + std::to_string(pick(3))}}, {}};
  case Kind::tls_route:
    return catalog::Remove{{kind, {ns(), "h" + std::to_string(pick(3))}}, {}};
  case Kind::udp_route:
    return catalog::Remove{{kind, {ns(), "u" + std::to_string(pick(3))}}, {}};
  case Kind::listener_set:
    return catalog::Remove{{kind, {ns(), "s" + std::to_string(pick(3))}}, {}};
  case Kind::backend_tls_policy:
  case Kind::gateway_policy:
    return catalog::Remove{{kind, {ns(), "p" + std::to_string(pick(3))}}, {}};
  case Kind::config_map:
    return catalog::Remove{{kind, {ns(), "ca"}}, {}};
  case Kind::jwt_provider:
    return catalog::Remove{{kind, {ns(), "j" + std::to_string(pick(2))}}, {}};
  case Kind::route_auth_filter:
  case Kind::route_retry_filter:
    return catalog::Remove{{kind, {ns(), "f"}}, {}};
  case Kind::gateway_class_config:
    return catalog::Remove{{kind, {"", "keep"}}, {}};
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
  switch (pick(29)) {
  case 14:
    return catalog::Put{grpc_route(), {}};
  case 15:
    return catalog::Put{plain_route<TlsRoute>("h"), {}};
  case 16:
    return catalog::Put{plain_route<UdpRoute>("u"), {}};
  case 17:
  case 18:
    return catalog::Put{listener_set(), {}};
  case 19:
  case 20:
    return catalog::Put{backend_tls_policy(), {}};
  case 21:
    return catalog::Put{authority(), {}};
  case 22:
    return catalog::Put{gateway_policy(), {}};
  case 26:
  case 27:
  case 28:
    return catalog::Put{service_resolver(), {}};
  case 23:
    return filter_object();
  case 24: {
    GatewayClassConfig config;
    config.meta = meta("", "keep");
    config.map_privileged_container_ports = static_cast<std::int32_t>(pick(2));
    return catalog::Put{config, {}};
  }
  case 0:
    return catalog::Put{gateway(one_of(gateways())), {}};
  case 1:
  case 2:
  case 3:
    return catalog::Put{http_route(), {}};
  case 4:
    return catalog::Put{plain_route<TcpRoute>("t"), {}};
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
