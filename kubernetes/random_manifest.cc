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
  BackendTarget target() {
    auto ref = backend(false);
    return {ref.group, ref.kind, ref.ns, ref.name, ref.port};
  }
  std::optional<PathModifier> path_modifier(bool prefix) {
    if (chance(50))
      return {};
    return PathModifier{prefix && chance(50) ? PathModifier::Type::prefix
                                             : PathModifier::Type::full,
                        pick({"/", "/new", "", "/a%20b"})};
  }
  RequestMirror mirror() {
    RequestMirror out;
    out.backend = target();
    if (chance(30))
      out.denominator = static_cast<std::uint32_t>(between(1, 1000));
    out.numerator = static_cast<std::uint32_t>(between(0, out.denominator));
    return out;
  }
  RequestRedirect redirect(bool prefix) {
    RequestRedirect out;
    out.scheme = maybe(50, pick({"http", "https"}));
    out.hostname = maybe(50, "new.example.com");
    out.path = path_modifier(prefix);
    if (chance(50))
      out.port = port();
    const std::uint16_t statuses[] = {301, 302, 303, 307, 308};
    out.status = statuses[below(5)];
    return out;
  }
  Cors cors() {
    Cors out;
    out.allow_origins =
        chance(30) ? std::vector<std::string>{"*"}
                   : std::vector<std::string>{"https://*.example.com:8443", "http://a.test"};
    out.allow_credentials = chance(50);
    if (chance(50))
      out.allow_methods =
          chance(30) ? std::vector<std::string>{"*"} : std::vector<std::string>{"GET", "PUT"};
    if (chance(50))
      out.allow_headers = {"X-A", "x-b"};
    if (chance(50))
      out.expose_headers = {"*"};
    out.max_age = static_cast<std::int32_t>(between(1, 4000));
    return out;
  }
  ExternalAuth external_auth() {
    ExternalAuth out;
    out.backend = target();
    if (chance(50))
      out.allowed_headers = {"authorization", "x-a"};
    if (chance(50))
      out.forward_body = static_cast<std::uint32_t>(below(65536));
    if (chance(50)) {
      out.protocol = ExternalAuth::Protocol::grpc;
      return out;
    }
    out.path = maybe(50, "/check");
    if (chance(50))
      out.allowed_response_headers = {"x-user"};
    return out;
  }
  ExtensionRef extension() {
    return {"consul.hashicorp.com",
            pick({"RouteRetryFilter", "RouteTimeoutFilter", "RouteAuthFilter", "RouteExtProc"}),
            name()};
  }
  enum class For { http, http_one_prefix, grpc };
  /// Without a redirect, which must not stand beside backends.
  std::vector<Filter> filters(For use) {
    std::vector<Filter> out;
    if (chance(30))
      out.emplace_back(RequestHeaderModifier{modifier()});
    if (chance(20))
      out.emplace_back(ResponseHeaderModifier{modifier()});
    if (chance(10))
      out.emplace_back(mirror());
    if (chance(10))
      out.emplace_back(extension());
    if (use == For::grpc)
      return out;
    if (chance(10))
      out.emplace_back(UrlRewrite{maybe(50, "b.test"), path_modifier(use == For::http_one_prefix)});
    if (chance(10))
      out.emplace_back(cors());
    if (chance(5))
      out.emplace_back(external_auth());
    return out;
  }
  std::optional<Millis> duration(std::size_t percent) {
    if (!chance(percent))
      return {};
    return chance(50) ? Millis{below(100'000)} : std::chrono::seconds{below(300'000'000)};
  }
  std::optional<SessionPersistence> session() {
    if (!chance(15))
      return {};
    SessionPersistence out;
    out.name = maybe(50, "sticky");
    out.absolute_timeout = duration(50);
    if (chance(30))
      out.type = SessionPersistence::Type::header;
    else
      out.permanent = out.absolute_timeout && chance(50);
    return out;
  }
  JwtRequirement jwt() {
    return {some(1, 2, [&] {
      JwtRequirement::Provider provider{name(), {}};
      provider.verify_claims = some(0, 2, [&] {
        return JwtRequirement::Claim{{"realm", pick({"role", "on"})}, text()};
      });
      return provider;
    })};
  }
  BackendRef backend(bool with_filters, For use = For::http) {
    BackendRef ref;
    if (chance(30))
      ref.group = "consul.hashicorp.com", ref.kind = "MeshService";
    ref.ns = maybe(30, ns());
    ref.name = name();
    if (ref.group.empty() || chance(30))
      ref.port = port();
    ref.weight = static_cast<std::int32_t>(chance(70) ? between(0, 3) : between(0, 1'000'000));
    if (with_filters && chance(20))
      ref.filters = filters(use);
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
  out.node_selector = random.labels();
  out.tolerations = random.some(0, 2, [&] {
    Toleration it;
    it.key = random.maybe(70, "example.com/edge");
    it.op = it.key.empty() ? "Exists" : random.pick({"", "Equal"});
    it.value = it.key.empty() ? "" : random.maybe(50, "yes");
    it.effect = random.pick({"", "NoSchedule", "NoExecute"});
    if (random.chance(20))
      it.seconds = static_cast<std::int64_t>(random.below(1000));
    return it;
  });
  for (auto* instances : {&out.default_instances, &out.min_instances, &out.max_instances})
    if (random.chance(30))
      *instances = static_cast<std::int32_t>(random.between(1, 20));
  if (random.chance(30))
    out.resource_requests = {{"cpu", "100m"}, {"memory", "64Mi"}};
  if (random.chance(30))
    out.resource_limits = {{"cpu", "1"}, {"memory", "1.5Gi"}};
  if (random.chance(30))
    out.copy_service_annotations = {"example.com/a", "b"};
  out.daemon_set = random.chance(20);
  out.host_ports = random.chance(20);
  out.image = random.maybe(20, "example.com/strait-gateway:1.0");
  out.log_level = random.maybe(30, random.pick({"trace", "debug", "info", "warning", "error"}));
  if (random.chance(30))
    out.metrics_enabled = random.chance(50);
  out.metrics_port = random.chance(30) ? 20200 : 0;
  out.metrics_path = random.maybe(30, "/metrics");
  if (random.chance(30))
    out.max_connections = static_cast<std::int32_t>(random.between(1, 5000));
  return out;
}

Listener listener(Random& random) {
  Listener out;
  out.name = random.name();
  out.protocol = random.pick({"HTTP", "HTTP", "HTTPS", "TCP", "TLS", "UDP"});
  out.port = random.port();
  if (out.protocol != "TCP" && out.protocol != "UDP")
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
    out.allowed.kinds = {{"gateway.networking.k8s.io",
                          random.pick({"HTTPRoute", "TCPRoute", "TLSRoute", "GRPCRoute"})}};
  return out;
}

std::vector<Listener> listeners(Random& random) {
  auto all = random.some(1, 4, [&] { return listener(random); });
  all = random.distinct(std::move(all), [](auto& it) { return it.name; });
  return random.distinct(std::move(all), [](auto& it) {
    return std::tuple{it.port, it.protocol, it.hostname};
  });
}

ClientValidation client_validation(Random& random) {
  ClientValidation out;
  out.ca_refs = random.some(1, 2, [&] {
    return ClientValidation::CaRef{"", random.pick({"ConfigMap", "Secret"}),
                                   random.maybe(30, random.ns()), random.name()};
  });
  out.insecure_fallback = random.chance(30);
  return out;
}

Gateway gateway(Random& random) {
  Gateway out;
  out.meta = random.meta(true);
  out.class_name = random.name();
  out.listeners = listeners(random);
  if (random.chance(10))
    out.tls.backend_client_certificate = {"", "Secret", random.maybe(30, random.ns()),
                                          random.name()};
  if (random.chance(15))
    out.tls.frontend = client_validation(random);
  if (random.chance(15)) {
    out.tls.frontend_per_port[random.port()] = client_validation(random);
    out.tls.frontend_per_port[random.port()];
  }
  if (random.chance(20)) {
    out.infrastructure.labels = random.labels();
    out.infrastructure.annotations["note"] = random.text();
    if (random.chance(50))
      out.infrastructure.parameters = {"consul.hashicorp.com", "GatewayClassConfig", random.name(),
                                       ""};
  }
  if (random.chance(30))
    out.listener_sets = static_cast<FromNamespaces>(random.below(4));
  if (out.listener_sets == FromNamespaces::selector)
    out.listener_sets_selector.match_labels = random.labels();
  if (random.chance(20))
    out.addresses = {{"IPAddress", random.pick({"127.0.0.2", "::1", ""})}, {"Hostname", "a.test"}};
  return out;
}

ListenerSet listener_set(Random& random) {
  ListenerSet out;
  out.meta = random.meta(true);
  out.parent.ns = random.maybe(40, random.ns());
  out.parent.name = random.name();
  out.listeners = listeners(random);
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
    bool one_prefix =
        rule.matches.size() == 1 && rule.matches[0].path.type == PathMatchType::prefix;
    auto use = one_prefix ? Random::For::http_one_prefix : Random::For::http;
    rule.filters = random.filters(use);
    if (random.chance(10))
      rule.filters = {random.redirect(one_prefix)};
    else
      rule.backends = random.some(0, 3, [&] { return random.backend(true, use); });
    rule.timeouts.request = random.duration(20);
    rule.timeouts.backend_request = random.duration(20);
    if (rule.timeouts.request && *rule.timeouts.request < rule.timeouts.backend_request)
      std::swap(rule.timeouts.request, rule.timeouts.backend_request);
    if (random.chance(15)) {
      auto& retry = rule.retry.emplace();
      if (random.chance(50))
        retry.codes = {500, 503};
      if (random.chance(50))
        retry.attempts = static_cast<std::int32_t>(random.between(1, 5));
      retry.backoff = random.duration(50);
    }
    rule.session = random.session();
    return rule;
  });
  return out;
}

GrpcRoute grpc_route(Random& random) {
  GrpcRoute out;
  out.meta = random.meta(true);
  out.parents = random.parents();
  out.hostnames = random.some(0, 2, [&] { return random.host(); });
  std::size_t number = 0;
  out.rules = random.some(0, 3, [&] {
    GrpcRule rule;
    rule.name = random.maybe(20, "rule-" + std::to_string(++number));
    rule.matches = random.some(0, 3, [&] {
      GrpcMatch match;
      if (random.chance(70)) {
        auto& method = match.method.emplace();
        method.service = random.maybe(70, random.pick({"com.example.Things", ".Echo"}));
        if (method.service.empty() || random.chance(50))
          method.method = random.pick({"Get", "Put_1"});
        if (random.chance(20))
          method = {ValueMatchType::regex, "com\\..*", ""};
      }
      if (random.chance(30))
        match.headers = random.values();
      return match;
    });
    rule.filters = random.filters(Random::For::grpc);
    rule.backends = random.some(0, 3, [&] { return random.backend(true, Random::For::grpc); });
    rule.session = random.session();
    return rule;
  });
  return out;
}

TlsRoute tls_route(Random& random) {
  TlsRoute out;
  out.meta = random.meta(true);
  out.parents = random.parents();
  out.hostnames = random.some(1, 3, [&] { return random.host(); });
  out.backends = random.some(1, 3, [&] { return random.backend(false); });
  return out;
}

UdpRoute udp_route(Random& random) {
  UdpRoute out;
  out.meta = random.meta(true);
  out.parents = random.parents();
  out.backends = random.some(1, 3, [&] { return random.backend(false); });
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
                                random.pick({"Gateway", "HTTPRoute", "TCPRoute", "TLSRoute",
                                             "GRPCRoute", "UDPRoute", "ListenerSet"}),
                                random.ns()};
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

Pod pod(Random& random) {
  Pod out;
  out.meta = random.meta(true);
  out.phase = random.maybe(80, random.pick({"Pending", "Running", "Failed"}));
  out.ip = random.maybe(80, random.pick({"10.1.2.3", "10.1.2.4", "fd00::1"}));
  out.host_ip = random.maybe(80, random.pick({"192.0.2.1", "192.0.2.2"}));
  return out;
}

BackendTlsPolicy backend_tls_policy(Random& random) {
  BackendTlsPolicy out;
  out.meta = random.meta(true);
  out.targets = random.distinct(random.some(1, 3,
                                            [&] {
                                              return BackendTlsPolicy::Target{
                                                  "", random.pick({"Service", "Other"}),
                                                  random.name(), random.maybe(30, "https")};
                                            }),
                                [](auto& it) { return it.name; });
  if (random.chance(50))
    out.well_known_ca = "System";
  else
    out.ca_refs = random.some(1, 2, [&] {
      return ClientValidation::CaRef{"", "ConfigMap", "", random.name()};
    });
  out.hostname = random.pick({"a.example.com", "b.test"});
  using Type = BackendTlsPolicy::SubjectAltName::Type;
  if (random.chance(30))
    out.subject_alt_names = {{Type::hostname, "*.example.com"}, {Type::uri, "spiffe://a.test/web"}};
  if (random.chance(20))
    out.options["strait.dev/tls-min-version"] = "TLSv1_3";
  return out;
}

GatewayPolicy gateway_policy(Random& random) {
  GatewayPolicy out;
  out.meta = random.meta(true);
  out.target_group = "gateway.networking.k8s.io";
  out.target_kind = "Gateway";
  out.target_ns = random.maybe(30, random.ns());
  out.target_name = random.name();
  out.target_section = random.maybe(80, random.name());
  if (random.chance(50))
    out.override_jwt = random.jwt();
  if (random.chance(50))
    out.default_jwt = random.jwt();
  return out;
}

RouteAuthFilter route_auth_filter(Random& random) {
  RouteAuthFilter out;
  out.meta = random.meta(true);
  if (random.chance(80))
    out.jwt = random.jwt();
  return out;
}

RouteRetryFilter route_retry_filter(Random& random) {
  RouteRetryFilter out;
  out.meta = random.meta(true);
  if (random.chance(80))
    out.num_retries = static_cast<std::uint32_t>(random.below(5));
  if (random.chance(50))
    out.retry_on = {"5xx", "connect-failure"};
  if (random.chance(50))
    out.retry_on_status_codes = {500, 503};
  out.retry_on_connect_failure = random.chance(50);
  return out;
}

RouteTimeoutFilter route_timeout_filter(Random& random) {
  RouteTimeoutFilter out;
  out.meta = random.meta(true);
  out.request_timeout = random.duration(70);
  out.idle_timeout = random.duration(50);
  return out;
}

JwtProvider jwt_provider(Random& random) {
  JwtProvider out;
  out.meta = random.meta(true);
  out.issuer = random.maybe(70, "https://issuer.test");
  if (random.chance(50))
    out.audiences = {"a", "b"};
  if (random.chance(50)) {
    out.local_jwks = R"({"keys":[]})";
  } else {
    out.remote_uri = "https://issuer.test/keys";
    out.refetch = random.duration(50);
    if (random.chance(50))
      out.fetch.request_timeout = Millis{random.below(100'000)};
    out.fetch.connect_timeout = random.duration(50);
    if (random.chance(50))
      out.fetch.retries = static_cast<std::uint32_t>(random.below(10));
    out.fetch.backoff_base = random.duration(50);
    out.fetch.backoff_max = random.duration(50);
    out.fetch.ca_pem = random.maybe(30, "PEM");
    out.fetch.use_sni = random.chance(50);
    out.fetch.asynchronously = random.chance(50);
    out.fetch.discovery_type = random.pick({"", "STATIC", "STRICT_DNS", "LOGICAL_DNS"});
  }
  using Type = JwtProvider::Location::Type;
  if (random.chance(50))
    out.locations = {{Type::header, "X-Token", random.pick({"", "Bearer "}), random.chance(50)},
                     {Type::query_param, "token", "", true},
                     {Type::cookie, "session", "", true}};
  out.clock_skew_seconds = static_cast<std::int32_t>(random.below(100));
  return out;
}

ServiceResolver service_resolver(Random& random) {
  ServiceResolver out;
  out.meta = random.meta(true);
  out.failover = random.some(0, 3, [&] {
    ServiceResolver::Target target;
    if (random.chance(50))
      target = {random.maybe(70, random.name()), "", random.pick({"dc2", "dc3"})};
    else
      target = {random.name(), random.maybe(30, random.ns()), ""};
    return target;
  });
  return out;
}

} // namespace

const std::vector<Kind>& manifest_kinds() {
  static const std::vector<Kind> all{Kind::gateway_class,
                                     Kind::gateway_class_config,
                                     Kind::gateway,
                                     Kind::http_route,
                                     Kind::tcp_route,
                                     Kind::reference_grant,
                                     Kind::mesh_service,
                                     Kind::service,
                                     Kind::endpoint_slice,
                                     Kind::secret,
                                     Kind::config_map,
                                     Kind::namespace_,
                                     Kind::grpc_route,
                                     Kind::tls_route,
                                     Kind::udp_route,
                                     Kind::listener_set,
                                     Kind::backend_tls_policy,
                                     Kind::gateway_policy,
                                     Kind::route_auth_filter,
                                     Kind::route_retry_filter,
                                     Kind::route_timeout_filter,
                                     Kind::jwt_provider,
                                     Kind::service_resolver,
                                     Kind::pod};
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
  case Kind::grpc_route:
    return grpc_route(random);
  case Kind::tls_route:
    return tls_route(random);
  case Kind::udp_route:
    return udp_route(random);
  case Kind::listener_set:
    return listener_set(random);
  case Kind::backend_tls_policy:
    return backend_tls_policy(random);
  case Kind::gateway_policy:
    return gateway_policy(random);
  case Kind::route_auth_filter:
    return route_auth_filter(random);
  case Kind::route_retry_filter:
    return route_retry_filter(random);
  case Kind::route_timeout_filter:
    return route_timeout_filter(random);
  case Kind::jwt_provider:
    return jwt_provider(random);
  case Kind::service_resolver:
    return service_resolver(random);
  case Kind::pod:
    return pod(random);
  default:
    assert(false && "a kind of model::Manifest");
    return Namespace{};
  }
}

} // namespace strait::kubernetes
