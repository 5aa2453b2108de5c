#include "kubernetes/random_manifest.hpp"

#include <algorithm>
#include <cassert>
#include <set>

namespace strait::kubernetes {

namespace {

using namespace model;

class Random {
public:
  explicit Random(std::mt19937_64& prng) : prng_{prng} {}

  std::size_t below(std::size_t end) { return static_cast<std::size_t>(prng_() % end); }
  std::size_t between(std::size_t least, std::size_t most) {
    return least + below(most - least + 1);
  }
  bool chance(std::size_t percent) { return below(100) < percent; }
  std::string pick(std::initializer_list<const char*> all) {
    return *(all.begin() + below(all.size()));
  }
  std::string maybe(std::size_t percent, std::string text) {
    return chance(percent) ? std::move(text) : std::string{};
  }
  template <class Make>
  auto some(std::size_t least, std::size_t most, Make make) {
    std::vector<decltype(make())> all;
    for (auto count = between(least, most); count > 0; --count)
      all.push_back(make());
    return all;
  }
  /// Drops items whose projection stood before.
  template <class T, class Project>
  std::vector<T> distinct(std::vector<T> all, Project project) {
    std::set<decltype(project(all.front()))> seen;
    all.erase(std::remove_if(all.begin(), all.end(),
                             [&](auto& it) { return !seen.insert(project(it)).second; }),
              all.end());
    return all;
  }

  std::string name() { return pick({"web", "api", "edge", "a", "b-2", "x.y", "null", "on", "1"}); }
  std::string ns() { return pick({"default", "team", "other"}); }
  std::uint16_t port() { return static_cast<std::uint16_t>(between(1, chance(80) ? 4 : 65535)); }
  std::string host() {
    return pick({"example.com", "*.example.com", "a.example.com", "*.a.example.com", "b.test"});
  }
  /// Any UTF-8, for free text.
  std::string text() {
    std::string out;
    for (auto count = below(6); count > 0; --count)
      out += pick({"a",
                   "yes",
                   ": ",
                   "\n",
                   "\t",
                   "\"",
                   "\\",
                   "#",
                   "- ",
                   "ü",
                   "\xe2\x82\xac",
                   " ",
                   "'",
                   "1",
                   "\x01",
                   "\x7f",
                   "{",
                   "%",
                   "\xf0\x9f\x98\x80",
                   "\r",
                   "\xc2\x85"});
    return out;
  }
  std::string bytes() {
    std::string out;
    for (auto count = below(9); count > 0; --count)
      out += static_cast<char>(prng_());
    return out;
  }

  StringMap labels() {
    StringMap out;
    for (auto count = below(3); count > 0; --count)
      out[pick({"team", "example.com/tier", "on", "1", "x_y"})] =
          pick({"", "front", "true", "1.5", "null", "A_b"});
    return out;
  }
  Meta meta(bool namespaced) {
    Meta out;
    out.name = {namespaced ? ns() : "", name()};
    out.uid = maybe(50, "0f8fad5b-d9cb-469f-a165-70867728950e");
    out.generation = static_cast<std::int64_t>(below(5));
    if (chance(50))
      out.created = WallTime{std::chrono::seconds{between(1, 4'000'000'000)}};
    out.labels = labels();
    if (chance(30))
      out.annotations["note"] = text();
    return out;
  }

  ParentRef parent() {
    ParentRef ref;
    ref.ns = maybe(40, ns());
    ref.name = name();
    ref.section_name = maybe(30, name());
    if (chance(20))
      ref.port = port();
    if (chance(5))
      ref.kind = "Service", ref.group = "";
    return ref;
  }
  /// One per Gateway, so that none repeats another.
  std::vector<ParentRef> parents() {
    return distinct(some(0, 3, [&] { return parent(); }), [](auto& it) {
      return std::tuple{it.group, it.kind, it.ns, it.name};
    });
  }

  std::vector<Header> headers() {
    return distinct(some(0, 2,
                         [&] {
                           return Header{pick({"X-A", "x-b", "Via", "no"}),
                                         pick({"1", "yes", "a, b", "\"q\"", "ü"})};
                         }),
                    [](auto& it) { return it.name; });
  }
  HeaderModifier modifier() {
    HeaderModifier out;
    out.set = headers();
    out.add = headers();
    if (chance(30))
      out.remove = {pick({"X-A", "x-c"})};
    return out;
  }
  std::vector<Filter> filters() {
    std::vector<Filter> out;
    if (chance(30))
      out.emplace_back(RequestHeaderModifier{modifier()});
    if (chance(20))
      out.emplace_back(ResponseHeaderModifier{modifier()});
    if (chance(5))
      out.emplace_back(UnsupportedFilter{
          pick({"RequestMirror", "URLRewrite", "CORS", "ExternalAuth", "ExtensionRef"})});
    return out;
  }
  BackendRef backend(bool with_filters) {
    BackendRef ref;
    if (chance(30))
      ref.group = "consul.hashicorp.com", ref.kind = "MeshService";
    ref.ns = maybe(30, ns());
    ref.name = name();
    if (ref.group.empty() || chance(30))
      ref.port = port();
    ref.weight = static_cast<std::int32_t>(chance(70) ? between(0, 3) : between(0, 1'000'000));
    if (with_filters && chance(20))
      ref.filters = filters();
    return ref;
  }
  std::vector<ValueMatch> values() {
    auto all = some(0, 2, [&] {
      ValueMatch match;
      match.type = chance(70) ? ValueMatchType::exact : ValueMatchType::regex;
      match.name = pick({"version", "X-User", "q"});
      match.value = match.type == ValueMatchType::exact ? pick({"1", "two", "true"})
                                                        : pick({"v[0-9]+", ".*", "a|b"});
      return match;
    });
    return distinct(std::move(all), [](auto& it) { return it.name; });
  }
  HttpMatch match() {
    HttpMatch out;
    out.path.type = static_cast<PathMatchType>(below(3));
    out.path.value = out.path.type == PathMatchType::regex
                         ? pick({"/v[0-9]/.*", "/(a|b)", "/x\\.y"})
                         : pick({"/", "/api", "/api/", "/api/v1", "/a%20b", "/x.y"});
    if (chance(30))
      out.headers = values();
    if (chance(30))
      out.query = values();
    out.method = maybe(20, pick({"GET", "POST", "DELETE"}));
    return out;
  }

private:
  std::mt19937_64& prng_;
};

GatewayClass gateway_class(Random& random) {
  GatewayClass out;
  out.meta = random.meta(false);
  out.controller_name = random.chance(50) ? consul_controller : strait_controller;
  out.description = random.maybe(20, "front: door");
  if (random.chance(30))
    out.parameters = {"consul.hashicorp.com", "GatewayClassConfig", random.name(), ""};
  return out;
}

GatewayClassConfig gateway_class_config(Random& random) {
  GatewayClassConfig out;
  out.meta = random.meta(false);
  if (random.chance(40))
    out.reference_policy.invalid_backends = static_cast<InvalidBackends>(random.below(3));
  if (random.chance(40))
    out.reference_policy.certificate_ref_reason =
        static_cast<CertificateRefReason>(random.below(2));
  if (random.chance(40))
    out.reference_policy.listener_readiness = static_cast<ListenerReadiness>(random.below(2));
  out.service_type = random.maybe(50, random.pick({"ClusterIP", "NodePort", "LoadBalancer"}));
  out.map_privileged_container_ports = random.chance(50) ? 2000 : 0;
  out.openshift_scc_name = random.maybe(20, "restricted-v2");
  return out;
}

Listener listener(Random& random) {
  Listener out;
  out.name = random.name();
  out.protocol = random.pick({"HTTP", "HTTP", "HTTPS", "TCP", "TLS"});
  out.port = random.port();
  if (out.protocol != "TCP")
    out.hostname = random.maybe(50, random.host());
  if (out.protocol == "HTTPS" || out.protocol == "TLS") {
    auto& tls = out.tls.emplace();
    tls.certificates = random.some(1, 2, [&] {
      return CertificateRef{"", "Secret", random.maybe(30, random.ns()), random.name()};
    });
    if (random.chance(20))
      tls.options["api-gateway.consul.hashicorp.com/tls_min_version"] = "TLSv1_2";
    if (out.protocol == "TLS" && random.chance(50))
      tls.mode = ListenerTls::Mode::passthrough;
  }
  out.allowed.from = static_cast<FromNamespaces>(random.below(4));
  if (out.allowed.from == FromNamespaces::selector) {
    using Operator = LabelSelector::Operator;
    out.allowed.selector.match_labels = random.labels();
    if (random.chance(30))
      out.allowed.selector.match_expressions = {{"team", Operator::not_in, {"a", "1"}},
                                                {"on", Operator::exists, {}}};
  }
  if (random.chance(20))
    out.allowed.kinds = {{"gateway.networking.k8s.io", random.pick({"HTTPRoute", "TCPRoute"})}};
  return out;
}

Gateway gateway(Random& random) {
  Gateway out;
  out.meta = random.meta(true);
  out.class_name = random.name();
  auto all = random.some(1, 4, [&] { return listener(random); });
  all = random.distinct(std::move(all), [](auto& it) { return it.name; });
  out.listeners = random.distinct(std::move(all), [](auto& it) {
    return std::tuple{it.port, it.protocol, it.hostname};
  });
  if (random.chance(20))
    out.addresses = {{"IPAddress", random.pick({"127.0.0.2", "::1", ""})}, {"Hostname", "a.test"}};
  return out;
}

HttpRoute http_route(Random& random) {
  HttpRoute out;
  out.meta = random.meta(true);
  out.parents = random.parents();
  out.hostnames = random.some(0, 2, [&] { return random.host(); });
  std::size_t number = 0;
  out.rules = random.some(1, 3, [&] {
    HttpRule rule;
    rule.name = random.maybe(20, "rule-" + std::to_string(++number));
    rule.matches = random.some(1, 3, [&] { return random.match(); });
    rule.filters = random.filters();
    rule.backends = random.some(0, 3, [&] { return random.backend(true); });
    return rule;
  });
  return out;
}

TcpRoute tcp_route(Random& random) {
  TcpRoute out;
  out.meta = random.meta(true);
  out.parents = random.parents();
  out.backends = random.some(1, 3, [&] { return random.backend(false); });
  return out;
}

ReferenceGrant reference_grant(Random& random) {
  ReferenceGrant out;
  out.meta = random.meta(true);
  out.from = random.some(1, 2, [&] {
    return ReferenceGrant::From{"gateway.networking.k8s.io",
                                random.pick({"Gateway", "HTTPRoute", "TCPRoute"}), random.ns()};
  });
  out.to = random.some(1, 2, [&] {
    bool mesh = random.chance(30);
    return ReferenceGrant::To{mesh ? "consul.hashicorp.com" : "",
                              mesh ? "MeshService" : random.pick({"Service", "Secret"}),
                              random.maybe(40, random.name())};
  });
  return out;
}

MeshService mesh_service(Random& random) {
  MeshService out;
  out.meta = random.meta(true);
  out.service = random.maybe(70, random.name());
  out.peer = random.maybe(50, random.pick({"dc2", "dc3"}));
  return out;
}

Service service(Random& random) {
  Service out;
  out.meta = random.meta(true);
  out.meta.name.name = random.pick({"web", "api", "edge", "a", "b-2"});
  auto ports = random.some(0, 3, [&] {
    ServicePort port;
    port.name = random.pick({"http", "admin", "tcp", "on"});
    port.port = random.port();
    port.target = random.maybe(60, random.pick({"8080", "http", "web-1"}));
    port.protocol = random.pick({"TCP", "TCP", "UDP"});
    port.app_protocol = random.maybe(20, "kubernetes.io/h2c");
    return port;
  });
  ports = random.distinct(std::move(ports), [](auto& it) { return it.name; });
  out.ports = random.distinct(std::move(ports), [](auto& it) {
    return std::tuple{it.port, it.protocol};
  });
  out.selector = random.labels();
  out.cluster_ip = random.maybe(50, random.pick({"None", "10.0.0.1"}));
  out.type = random.maybe(50, random.pick({"ClusterIP", "NodePort"}));
  return out;
}

EndpointSlice endpoint_slice(Random& random) {
  EndpointSlice out;
  out.meta = random.meta(true);
  out.meta.labels["kubernetes.io/service-name"] = random.pick({"web", "api", "edge"});
  out.endpoints = random.some(0, 3, [&] {
    EndpointSlice::Endpoint endpoint;
    endpoint.addresses = {random.pick({"127.0.0.1", "10.1.2.3", "10.1.2.4"})};
    endpoint.ready = random.chance(80);
    endpoint.serving = random.chance(80);
    endpoint.terminating = random.chance(10);
    return endpoint;
  });
  out.ports = random.some(0, 2, [&] {
    return EndpointSlice::Port{random.maybe(80, "http"), random.port(), "TCP"};
  });
  return out;
}

Secret secret(Random& random) {
  Secret out;
  out.meta = random.meta(true);
  out.type = random.maybe(80, "kubernetes.io/tls");
  for (auto key : {"tls.crt", "tls.key"})
    if (random.chance(80))
      out.data[key] = random.bytes();
  return out;
}

ConfigMap config_map(Random& random) {
  ConfigMap out;
  out.meta = random.meta(true);
  for (auto key : {"ca.crt", "true", "10"})
    if (random.chance(60))
      out.data[key] = random.chance(70) ? random.text() : random.bytes();
  return out;
}

Namespace namespace_object(Random& random) {
  Namespace out;
  out.meta = random.meta(false);
  out.meta.name.name = random.ns();
  return out;
}

} // namespace

const std::vector<Kind>& manifest_kinds() {
  static const std::vector<Kind> all{Kind::gateway_class,  Kind::gateway_class_config,
                                     Kind::gateway,        Kind::http_route,
                                     Kind::tcp_route,      Kind::reference_grant,
                                     Kind::mesh_service,   Kind::service,
                                     Kind::endpoint_slice, Kind::secret,
                                     Kind::config_map,     Kind::namespace_};
  return all;
}

Manifest random_manifest(Kind kind, std::mt19937_64& prng) {
  Random random{prng};
  switch (kind) {
  case Kind::gateway_class:
    return gateway_class(random);
  case Kind::gateway_class_config:
    return gateway_class_config(random);
  case Kind::gateway:
    return gateway(random);
  case Kind::http_route:
    return http_route(random);
  case Kind::tcp_route:
    return tcp_route(random);
  case Kind::reference_grant:
    return reference_grant(random);
  case Kind::mesh_service:
    return mesh_service(random);
  case Kind::service:
    return service(random);
  case Kind::endpoint_slice:
    return endpoint_slice(random);
  case Kind::secret:
    return secret(random);
  case Kind::config_map:
    return config_map(random);
  case Kind::namespace_:
    return namespace_object(random);
  default:
    assert(false && "a kind of model::Manifest");
    return Namespace{};
  }
}

} // namespace strait::kubernetes
