#include "kubernetes/bad_input.test.hpp"

using namespace strait;
using namespace strait::kubernetes;

namespace {

const std::string gateway_head =
    "{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: g}, spec: {"
    "gatewayClassName: c, ";
std::string gateway(const std::string& rest) { return gateway_head + rest + "}}"; }
std::string listeners(const std::string& list) { return gateway("listeners: [" + list + "]"); }
std::string listener(const std::string& rest) { return listeners("{name: l, " + rest + "}"); }
std::string match(const std::string& rest) { return rule("matches: [{" + rest + "}]"); }
std::string filter(const std::string& rest) { return rule("filters: [{" + rest + "}]"); }
std::string backend(const std::string& rest) { return rule("backendRefs: [{" + rest + "}]"); }
std::string same(const std::string& text) { return text; }

} // namespace

TEST_CASE("a document that is no object of a known kind is refused") {
  check(
      {
          {"[1]", "expected a map, got a list"},
          {"text", "expected a map, got a string"},
          {"{kind: Gateway}", "Gateway: apiVersion: required"},
          {"{apiVersion: v1}", "kind: required"},
          {"{apiVersion: 1, kind: Secret}",
           "Secret: apiVersion: expected a string, got an integer"},
          {"{apiVersion: v1, kind: Job, metadata: {name: p}}",
           "Job p: kind: \"Job\" is no kind that Strait knows; it knows GatewayClass, "
           "GatewayClassConfig, Gateway, HTTPRoute, TCPRoute, ReferenceGrant, MeshService, "
           "Service, EndpointSlice, Secret, ConfigMap, Namespace, ExportedServices, "
           "ServiceIntentions, GRPCRoute, TLSRoute, UDPRoute, ListenerSet, BackendTLSPolicy, "
           "GatewayPolicy, RouteAuthFilter, RouteRetryFilter, RouteTimeoutFilter, JWTProvider, "
           "ServiceResolver, Pod"},
          {"{apiVersion: v1, kind: Gateway, metadata: {name: g}}",
           "Gateway default/g: apiVersion: expected gateway.networking.k8s.io/v1 or "
           "gateway.networking.k8s.io/v1beta1 for a Gateway, got \"v1\""},
          {"{apiVersion: v2, kind: Secret, metadata: {name: s}}",
           "Secret default/s: apiVersion: expected v1 for a Secret, got \"v2\""},
          {"{apiVersion: v1, kind: Secret}", "Secret: metadata: required"},
          {"{apiVersion: v1, kind: Secret, metadata: {}}",
           "Secret default/: metadata.name: required"},
          {"{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: A}}",
           "Secret A/s: metadata.namespace: expected an RFC 1123 label (a-z, 0-9 and '-', at most "
           "63), got \"A\""},
          {"{apiVersion: v1, kind: Namespace, metadata: {name: n, namespace: x}}",
           "Namespace x/n: metadata.namespace: a Namespace has no namespace"},
          {"{apiVersion: v1, kind: Secret, metadata: {name: s, labels: {a: 1}}}",
           "Secret default/s: metadata.labels.a: expected a string, got an integer"},
          {"{apiVersion: v1, kind: Secret, metadata: {name: s, creationTimestamp: yesterday}}",
           "Secret default/s: metadata.creationTimestamp: expected an RFC 3339 time like "
           "\"2026-11-23T12:00:00Z\", got \"yesterday\""},
          {"{apiVersion: v1, kind: List, items: {}}", "List: items: expected a list"},
          {"{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: List, items: []}]}",
           "List: items: a List may not hold a List"},
      },
      "", same);
}

TEST_CASE("mistakes in a listener are refused") {
  check({{"", "spec.listeners: expected at least 1, got 0"},
         {"{name: l, port: 80}", "spec.listeners[0].protocol: required"},
         {"{name: a, port: 80, protocol: HTTP}, {name: a, port: 81, protocol: HTTP}",
          "spec.listeners[1].name: stands twice in this list"},
         {"{name: a, port: 80, protocol: HTTP, hostname: a.b}, "
          "{name: b, port: 80, protocol: HTTP, hostname: a.b}",
          "spec.listeners[1].(port, protocol, hostname): stands twice in this list"}},
        "Gateway default/g: ", listeners);
  check(
      {{"port: '80', protocol: HTTP", "spec.listeners[0].port: expected an integer, got a string"},
       {"port: 0, protocol: HTTP", "spec.listeners[0].port: must be 1..65535, got 0"},
       {"port: 65536, protocol: HTTP", "spec.listeners[0].port: must be 1..65535, got 65536"},
       {"port: 80.0, protocol: HTTP", "spec.listeners[0].port: expected an integer, got a float"},
       {"port: 80, protocol: HTTP, hostnam: a.b",
        "spec.listeners[0].hostnam: unknown field; did you mean hostname?"},
       {"port: 80, protocol: HTTP, hostname: 1.2.3.4",
        "spec.listeners[0].hostname: expected a DNS name, not an IP address, got \"1.2.3.4\""},
       {"port: 80, protocol: HTTP, hostname: a.*.b",
        "spec.listeners[0].hostname: expected an RFC 1123 host name, with \"*\" at most as its "
        "whole first label, got \"a.*.b\""},
       {"port: 80, protocol: HTTP, hostname: '*'",
        "spec.listeners[0].hostname: expected an RFC 1123 host name, with \"*\" at most as its "
        "whole first label, got \"*\""},
       {"port: 80, protocol: HTTP, tls: {certificateRefs: [{name: c}]}",
        "spec.listeners[0].tls: must not be given for protocol HTTP"},
       {"port: 80, protocol: TCP, tls: {certificateRefs: [{name: c}]}",
        "spec.listeners[0].tls: must not be given for protocol TCP"},
       {"port: 80, protocol: TCP, hostname: a.b",
        "spec.listeners[0].hostname: must not be given for protocol TCP"},
       {"port: 443, protocol: HTTPS, tls: {mode: Passthrough}",
        "spec.listeners[0].tls.mode: must be Terminate for protocol HTTPS"},
       {"port: 443, protocol: HTTPS, tls: {mode: Through, options: {a: b}}",
        "spec.listeners[0].tls.mode: expected Terminate or Passthrough, got \"Through\""},
       {"port: 443, protocol: HTTPS, tls: {}",
        "spec.listeners[0].tls.certificateRefs: required when mode is Terminate"},
       {"port: 443, protocol: TLS, tls: {certificateRefs: [{name: c}]}",
        "spec.listeners[0].tls.mode: required for protocol TLS"},
       {"port: 80, protocol: 'a b'",
        "spec.listeners[0].protocol: expected a protocol (HTTP, HTTPS, TCP, …, or "
        "\"example.com/name\"), got \"a b\""},
       {"port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Some}}",
        "spec.listeners[0].allowedRoutes.namespaces.from: expected All, Selector, Same or None, "
        "got \"Some\""},
       {"port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector}}",
        "spec.listeners[0].allowedRoutes.namespaces.selector: required when from is Selector"},
       {"port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: "
        "{matchExpressions: [{key: a, operator: In}]}}}",
        "spec.listeners[0].allowedRoutes.namespaces.selector.matchExpressions[0].values: "
        "required for In and NotIn"},
       {"port: 80, protocol: HTTP, allowedRoutes: []",
        "spec.listeners[0].allowedRoutes: expected a map, got a list"}},
      "Gateway default/g: ", listener);
  std::string many;
  for (int i = 0; i < 65; ++i)
    many += fmt::format("{{name: l{0}, port: {1}, protocol: HTTP}},", i, i + 1);
  CHECK(refused(listeners(many)) ==
        "Gateway default/g: spec.listeners: at most 64 may be given, got 65");
  CHECK(refused(gateway("listeners: [{name: l, port: 80, protocol: HTTP}], addresses: [{value: "
                        "a.b}]")) ==
        "Gateway default/g: spec.addresses[0].value: expected an IP address, got \"a.b\"");
}

TEST_CASE("mistakes in a route are refused") {
  check({{"rulez: []", "spec.rulez: unknown field; did you mean rules?"},
         {"rules: {}", "spec.rules: expected a list, got a map"},
         {"rules: []", "spec.rules: expected at least 1, got 0"},
         {"hostnames: [A.b]", "spec.hostnames[0]: expected an RFC 1123 host name, with \"*\" at "
                              "most as its whole first label, got \"A.b\""},
         {"hostnames: [5]", "spec.hostnames[0]: expected a string, got an integer"},
         {"parentRefs: [{}]", "spec.parentRefs[0].name: required"},
         {"parentRefs: [{name: g, port: 0}]", "spec.parentRefs[0].port: must be 1..65535, got 0"},
         {"parentRefs: [{name: g}, {name: g}]",
          "spec.parentRefs[1]: names the same parent as parentRefs[0]: each must have its own "
          "sectionName or port"},
         {"parentRefs: [{name: g}, {name: g, sectionName: s}]",
          "spec.parentRefs[1]: names the same parent as parentRefs[0]: each must have its own "
          "sectionName or port"}},
        "HTTPRoute default/r: ", route);
  CHECK(refused(route("rules: " + repeat(17, "{}"))) ==
        "HTTPRoute default/r: spec.rules: at most 16 may be given, got 17");
  CHECK(refused(route("parentRefs: " + repeat(0, "") +
                      ", rules: " + repeat(3, "{matches: " + repeat(43, "{}") + "}"))) ==
        "HTTPRoute default/r: spec.rules: at most 128 matches may be given in all, got 129");
  CHECK(refused(rule("matches: " + repeat(65, "{}"))) ==
        "HTTPRoute default/r: spec.rules[0].matches: at most 64 may be given, got 65");
  CHECK(refused(rule("backendRefs: " + repeat(17, "{name: a, port: 1}"))) ==
        "HTTPRoute default/r: spec.rules[0].backendRefs: at most 16 may be given, got 17");
  CHECK(refused(rule("filters: " +
                     repeat(17, "{type: RequestMirror, requestMirror: {backendRef: {name: a, "
                                "port: 1}}}"))) ==
        "HTTPRoute default/r: spec.rules[0].filters: at most 16 may be given, got 17");
  CHECK(refused(route("rules: [{name: a}, {name: a}]")) ==
        "HTTPRoute default/r: spec.rules[1].name: stands twice in this list");
}

TEST_CASE("mistakes in a match are refused") {
  const std::string at = "HTTPRoute default/r: spec.rules[0].matches[0].";
  check(
      {{"path: {value: x}", "path.value: must start with '/', got \"x\""},
       {"path: {value: /a//b}", "path.value: must not contain \"//\", got \"/a//b\""},
       {"path: {value: /a/..}", "path.value: must not end with \"/..\", got \"/a/..\""},
       {"path: {value: '/a b'}",
        "path.value: must hold only characters of an RFC 3986 path, got \"/a b\""},
       {"path: {type: Regex}",
        "path.type: expected Exact, PathPrefix or RegularExpression, got \"Regex\""},
       {"path: {type: RegularExpression, value: '/(a'}",
        "path.value: expected an RE2 regular expression: missing ): /(a, got \"/(a\""},
       {"method: get", "method: expected GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE or "
                       "PATCH, got \"get\""},
       {"headers: [{name: 'a b', value: c}]",
        "headers[0].name: expected a header name (an RFC 9110 token of 1 to 256 characters), got "
        "\"a b\""},
       {"headers: [{name: a}]", "headers[0].value: required"},
       {"headers: [{name: a, value: b}, {name: a, value: c}]",
        "headers[1].name: stands twice in this list"},
       {"queryParams: [{name: q, type: RegularExpression, value: '*'}]",
        "queryParams[0].value: expected an RE2 regular expression: no argument for repetition "
        "operator: *, got \"*\""},
       {"paths: {}", "paths: unknown field; did you mean path?"}},
      at, match);
  CHECK(refused(match("path: {value: /" + std::string(1024, 'a') + "}"))
            .starts_with(at + "path.value: must be at most 1024 characters, got \"/aaa"));
}

TEST_CASE("mistakes in a filter are refused") {
  const std::string at = "HTTPRoute default/r: spec.rules[0].filters";
  check(
      {{"type: Magic", "[0].type: expected RequestHeaderModifier, ResponseHeaderModifier, "
                       "RequestMirror, RequestRedirect, URLRewrite, CORS, ExternalAuth or "
                       "ExtensionRef, got \"Magic\""},
       {"type: RequestHeaderModifier",
        "[0].requestHeaderModifier: required for a RequestHeaderModifier filter"},
       {"type: CORS, cors: {}, urlRewrite: {}",
        "[0].urlRewrite: must not be given for a CORS filter"},
       {"type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: \"x\\ny\"}]}",
        "[0].requestHeaderModifier.set[0].value: expected a header value of 1 to 4096 "
        "characters without control characters, got \"x\ny\""},
       {"type: CORS, cors: {}}, {type: CORS, cors: {}", ": a CORS filter may be given only once"},
       {"type: RequestRedirect, requestRedirect: {}}, {type: URLRewrite, urlRewrite: {}",
        ": RequestRedirect and URLRewrite must not be given together"}},
      at, filter);
  CHECK(refused(rule("filters: [{type: RequestRedirect, requestRedirect: {}}], backendRefs: "
                     "[{name: a, port: 1}]")) ==
        "HTTPRoute default/r: spec.rules[0].backendRefs: must not be given beside a "
        "RequestRedirect filter");
}

TEST_CASE("mistakes in a backend are refused") {
  check({{"port: 80", "name: required"},
         {"name: a", "port: required for a Service"},
         {"name: a, port: 80, weight: -1", "weight: must be 0..1000000, got -1"},
         {"name: a, port: 80, weight: 1000001", "weight: must be 0..1000000, got 1000001"},
         {"name: a, port: 80, weight: true", "weight: expected an integer, got a boolean"},
         {"name: a, port: 80, kind: 9x",
          "kind: expected a kind (a letter, then letters, digits and '-', at most 63), got "
          "\"9x\""}},
        "HTTPRoute default/r: spec.rules[0].backendRefs[0].", backend);
}

TEST_CASE("mistakes in the other kinds are refused") {
  const std::string tcp = "{apiVersion: gateway.networking.k8s.io/v1alpha2, kind: TCPRoute, "
                          "metadata: {name: t}, spec: ";
  const std::string slice = "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: "
                            "{name: s}, ";
  const std::string consul = "{apiVersion: consul.hashicorp.com/v1alpha1, metadata: {name: x}, ";
  const std::string two_rules = tcp + "{rules: [{backendRefs: [{name: a, port: 1}]}, {backendRefs: "
                                      "[{name: a, port: 1}]}]}}";
  CHECK(refused(two_rules) == "TCPRoute default/t: spec.rules: expected exactly 1, got 2");
  CHECK(refused(tcp + "{rules: [{}]}}") ==
        "TCPRoute default/t: spec.rules[0].backendRefs: required");
  CHECK(refused(tcp + "{rules: [{backendRefs: [{name: a, port: 1, filters: []}]}]}}") ==
        "TCPRoute default/t: spec.rules[0].backendRefs[0].filters: unknown field");
  CHECK(refused("{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: "
                "c}, spec: {controllerName: strait}}") ==
        "GatewayClass c: spec.controllerName: expected a controller name like "
        "\"strait.dev/gateway-controller\", got \"strait\"");
  CHECK(refused("{apiVersion: gateway.networking.k8s.io/v1beta1, kind: ReferenceGrant, metadata: "
                "{name: r}, spec: {from: [{group: '', kind: Gateway, namespace: a}]}}") ==
        "ReferenceGrant default/r: spec.to: required");
  CHECK(refused(consul + "kind: GatewayClassConfig, spec: {mapPrivilegedContainerPorts: 64513}}") ==
        "GatewayClassConfig x: spec.mapPrivilegedContainerPorts: must be 0..64512, got 64513");
  CHECK(refused(consul + "kind: GatewayClassConfig, spec: {referencePolicy: {invalidBackends: "
                         "Ignore}}}") ==
        "GatewayClassConfig x: spec.referencePolicy.invalidBackends: expected DetachRoute, "
        "Respond500 or KeepLastGood, got \"Ignore\"");
  CHECK(refused(consul + "kind: MeshService, spec: {peer: DC2}}") ==
        "MeshService default/x: spec.peer: expected the name of a peering (a-z, 0-9 and '-', at "
        "most 63), got \"DC2\"");
  CHECK(refused(consul + "kind: ServiceSplitter, spec: {}}")
            .starts_with("ServiceSplitter x: kind: \"ServiceSplitter\" is no kind that Strait "
                         "knows; it knows "));
  CHECK(refused(consul + "kind: ExportedServices, spec: {}}") ==
        "ExportedServices default/x: metadata.name: must be \"default\": there is one such entry");
  CHECK(refused(consul + "kind: ServiceIntentions, spec: {destination: {name: a}, sources: [{name: "
                         "b}]}}") ==
        "ServiceIntentions default/x: spec.sources[0].action: required");
  CHECK(refused(slice + "addressType: IPv4, endpoints: [{addresses: ['::1']}]}") ==
        "EndpointSlice default/s: endpoints[0].addresses[0]: expected an IPv4 address, got "
        "\"::1\"");
  CHECK(refused(slice + "addressType: IPv4, endpoints: [{addresses: []}]}") ==
        "EndpointSlice default/s: endpoints[0].addresses: expected at least 1, got 0");
  CHECK(refused("{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80, "
                "targetPort: 0}]}}") ==
        "Service default/s: spec.ports[0].targetPort: must be 1..65535, got 0");
  CHECK(refused("{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80}, "
                "{port: 80, name: b}]}}") ==
        "Service default/s: spec.ports[1].(port, protocol): stands twice in this list");
  CHECK(refused("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: b}, binaryData: "
                "{a: Zg==}}") == "ConfigMap default/c: binaryData.a: this key is in data too");
  std::string large = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: " +
                      std::string((1u << 20) + 1, 'x') + "}}";
  CHECK(refused(large) ==
        "ConfigMap default/c: data: at most 1048576 bytes may be given in all, got 1048577");
}
