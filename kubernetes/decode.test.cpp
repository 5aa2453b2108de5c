#include "kubernetes/decode.hpp"

#include "kubernetes/fields.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::kubernetes;

namespace {

template <class T>
T only(std::string_view yaml) {
  auto decoded = decode_yaml(yaml, "t.yaml");
  if (!decoded.errors.empty())
    FAIL(decoded.errors.front().detail);
  REQUIRE(decoded.objects.size() == 1);
  return std::get<T>(decoded.objects.front());
}

} // namespace

TEST_CASE("a gateway is read with the API's defaults") {
  auto gateway = only<model::Gateway>(R"(
apiVersion: gateway.networking.k8s.io/v1beta1
kind: Gateway
metadata: {name: edge, uid: u-1, generation: 4, creationTimestamp: 2026-11-23T12:00:00Z,
           resourceVersion: "7", managedFields: [{manager: kubectl}], labels: {team: web}}
spec:
  gatewayClassName: strait
  infrastructure: {labels: {a: b}}
  defaultScope: All
  allowedListeners: {namespaces: {from: Same}}
  tls:
    backend: {clientCertificateRef: {name: client}}
    frontend:
      default: {}
      perPort:
      - port: 443
        tls: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}],
                           mode: AllowInsecureFallback}}
      - {port: 8443, tls: {}}
  listeners:
  - {name: http, port: 80, protocol: HTTP, hostname: "*.example.com"}
  - name: https
    port: 443
    protocol: HTTPS
    tls: {certificateRefs: [{name: cert, namespace: keys}]}
    allowedRoutes:
      namespaces: {from: Selector, selector: {matchLabels: {team: web}}}
      kinds: [{kind: HTTPRoute}]
status: {anything: [goes]}
)");
  CHECK(gateway.meta.name == model::Name{"default", "edge"});
  CHECK(gateway.meta.uid == "u-1");
  CHECK(gateway.meta.generation == 4);
  CHECK(to_rfc3339(gateway.meta.created) == "2026-11-23T12:00:00Z");
  CHECK(gateway.class_name == "strait");
  REQUIRE(gateway.listeners.size() == 2);
  CHECK(gateway.listeners[0].allowed == model::AllowedRoutes{});
  CHECK_FALSE(gateway.listeners[0].tls);
  CHECK(gateway.listeners[1].tls->certificates ==
        std::vector<model::CertificateRef>{{"", "Secret", "keys", "cert"}});
  CHECK(gateway.listeners[1].allowed.from == model::FromNamespaces::selector);
  CHECK(gateway.listeners[1].allowed.kinds[0].group == "gateway.networking.k8s.io");
  CHECK(gateway.infrastructure.labels == model::StringMap{{"a", "b"}});
  CHECK(gateway.listener_sets == model::FromNamespaces::same);
  CHECK(gateway.tls.backend_client_certificate ==
        model::CertificateRef{"", "Secret", "", "client"});
  CHECK_FALSE(gateway.tls.frontend);
  CHECK(gateway.tls.frontend_per_port ==
        std::map<std::uint16_t, std::optional<model::ClientValidation>>{
            {443, model::ClientValidation{{{"", "ConfigMap", "", "ca"}}, true}}, {8443, {}}});
  CHECK(gateway.unsupported == std::vector<model::Unsupported>{{"spec.defaultScope"}});
}

TEST_CASE("a route is read with the API's defaults, and tells what is not implemented") {
  auto route = only<model::HttpRoute>(R"(
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: team}
spec:
  parentRefs: [{name: edge}]
  useDefaultGateways: All
  rules:
  - timeouts: {request: 1m30s, backendRequest: 500ms}
    retry: null
    filters:
    - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-A, value: "1"}]}}
    - {type: URLRewrite, urlRewrite: {hostname: a.test}}
    backendRefs:
    - {name: api, port: 80}
    - {group: consul.hashicorp.com, kind: MeshService, name: api, weight: 0}
  - matches: [{}, {path: {type: Exact, value: /x}, method: GET}]
)");
  REQUIRE(route.rules.size() == 2);
  CHECK(route.parents[0].kind == "Gateway");
  CHECK(route.rules[0].matches == std::vector<model::HttpMatch>{{}});
  CHECK(route.rules[0].filters[1] == model::Filter{model::UrlRewrite{"a.test", {}}});
  CHECK(route.rules[0].timeouts == model::Timeouts{Millis{90'000}, Millis{500}});
  CHECK_FALSE(route.rules[0].retry);
  CHECK(route.rules[0].backends[0].weight == 1);
  CHECK(route.rules[0].backends[1].weight == 0);
  CHECK(route.rules[1].matches[0] == model::HttpMatch{});
  CHECK(route.rules[1].matches[1].path.type == model::PathMatchType::exact);
  CHECK(route.unsupported == std::vector<model::Unsupported>{{"spec.useDefaultGateways"}});
}

TEST_CASE("a route without rules matches everything and has no backend") {
  auto route = only<model::HttpRoute>(
      "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: a}, spec: {}}");
  REQUIRE(route.rules.size() == 1);
  CHECK(route.rules[0].matches == std::vector<model::HttpMatch>{{}});
}

TEST_CASE("the class config takes both of Consul's groups") {
  for (auto group : {"consul.hashicorp.com", "api-gateway.consul.hashicorp.com"}) {
    auto config = only<model::GatewayClassConfig>(fmt::format(R"(
apiVersion: {}/v1alpha1
kind: GatewayClassConfig
metadata: {{name: c}}
spec:
  serviceType: NodePort
  mapPrivilegedContainerPorts: 2000
  openshiftSCCName: restricted-v2
  deployment: {{minInstances: 2, resources: {{requests: {{cpu: 1, memory: 64Mi}}}}}}
  consul: {{scheme: https}}
  referencePolicy: {{invalidBackends: DetachRoute, listenerReadiness: AllOrNothing}}
)",
                                                              group));
    CHECK(config.reference_policy.invalid_backends == model::InvalidBackends::detach_route);
    CHECK_FALSE(config.reference_policy.certificate_ref_reason);
    CHECK(config.map_privileged_container_ports == 2000);
    CHECK(config.min_instances == 2);
    CHECK(config.resource_requests == model::StringMap{{"cpu", "1"}, {"memory", "64Mi"}});
    CHECK(config.unsupported == std::vector<model::Unsupported>{{"spec.consul"}});
  }
}

TEST_CASE("core kinds are read") {
  auto secret = only<model::Secret>("{apiVersion: v1, kind: Secret, metadata: {name: s}, "
                                    "type: Opaque, data: {a: Zm9v, b: AP8=}, stringData: {a: x}}");
  CHECK(secret.data ==
        model::StringMap{{"a", "x"}, {"b", std::string("\0\xff", 2)}}); // stringData wins.
  auto map = only<model::ConfigMap>("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, "
                                    "data: {a: '1'}, binaryData: {b: /w==}}");
  CHECK(map.data == model::StringMap{{"a", "1"}, {"b", "\xff"}});
  auto service = only<model::Service>(
      "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {clusterIP: None, "
      "ports: [{port: 80, targetPort: 8080, nodePort: 30080}, {name: b, port: 81, targetPort: "
      "admin}]}}");
  CHECK(service.ports[0].target == "8080");
  CHECK(service.ports[1].target == "admin");
  auto slice = only<model::EndpointSlice>(
      "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: web-1}, "
      "addressType: IPv4, endpoints: [{addresses: [127.0.0.1], conditions: {ready: false}}, "
      "{addresses: [127.0.0.2], nodeName: n}], ports: [{port: 80}]}");
  auto pod = only<model::Pod>("{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {x: {}}, "
                              "status: {phase: Running, podIP: 10.1.0.1, hostIP: 192.0.2.1, "
                              "hostIPs: [{ip: 192.0.2.1}], somethingNew: 1}}");
  CHECK(std::tuple{pod.phase, pod.ip, pod.host_ip} ==
        std::tuple{"Running", "10.1.0.1", "192.0.2.1"});
  CHECK_FALSE(slice.endpoints[0].ready);
  CHECK_FALSE(slice.endpoints[0].serving);
  CHECK(slice.endpoints[1].ready);
  auto ns = only<model::Namespace>("{apiVersion: v1, kind: Namespace, metadata: {name: team}}");
  CHECK(ns.meta.name == model::Name{"", "team"});
  auto mesh = only<model::MeshService>("{apiVersion: consul.hashicorp.com/v1alpha1, kind: "
                                       "MeshService, metadata: {name: m}, spec: {name: api, peer: "
                                       "dc2}}");
  CHECK(mesh.service == "api");
  CHECK(mesh.peer == "dc2");
}

TEST_CASE("a wrong document does not hide the others, and each error names its document") {
  auto decoded = decode_yaml(R"(kind: Namespace
apiVersion: v1
metadata: {name: a}
---
kind: Secret
apiVersion: v1
metadata: {name: s}
data: {k: "?"}
typ: Opaque
---
kind: Namespace
apiVersion: v1
metadata: {name: b}
)",
                             "all.yaml");
  CHECK(decoded.objects.size() == 2);
  CHECK(decoded.errors ==
        std::vector<Error>{
            {Errc::invalid, "all.yaml:8:7: Secret default/s: data.k: expected base64"},
            {Errc::invalid,
             "all.yaml:9:6: Secret default/s: typ: unknown field; did you mean type?"}});
}

TEST_CASE("all that is wrong with a JSON object is in its one error") {
  auto result = decode_json(R"({"apiVersion": "v1", "kind": "Secret", "x": 1,
 "metadata": {"name": "S"}})");
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::invalid);
  CHECK(result.error().detail ==
        "2:23: Secret default/S: metadata.name: expected an RFC 1123 name (labels of a-z, 0-9 and "
        "'-', parted by '.'), got \"S\"; 1:45: Secret default/S: x: unknown field");
  CHECK_FALSE(decode_json("[]"));
  CHECK_FALSE(decode_json("1"));
}

TEST_CASE("errors of one document and of one text have a maximum") {
  std::string document = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n";
  for (int i = 0; i < 100; ++i)
    document += fmt::format("x{}: 1\n", i);
  auto decoded = decode_yaml(document, "t");
  REQUIRE(decoded.errors.size() == max_errors_per_document);
  CHECK(decoded.errors.back().detail.ends_with("too many errors; the rest is not shown"));

  std::string many;
  for (std::size_t i = 0; i < max_errors + 10; ++i)
    many += "---\nkind: 1\n";
  CHECK(decode_yaml(many, "t").errors.size() == max_errors);
  CHECK(decode_yaml(many, "t").errors.back().code == Errc::exhausted);
}

TEST_CASE("an object that a server accepted is read though it has fields newer than Strait") {
  auto tree = *parse_json(R"({"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute",
    "metadata":{"name":"web","namespace":"shop","uid":"u","generation":4,"novelty":1,
                "managedFields":[],"creationTimestamp":"2026-11-23T12:00:00Z"},
    "spec":{"parentRefs":[{"name":"edge"}],"rules":[{"novelty":true}]},"status":{"parents":[]}})",
                          "server");
  CHECK(!decode_json(write_json(tree)));
  auto document = decode_live(tree);
  REQUIRE(document);
  auto& route = std::get<model::HttpRoute>(*document);
  CHECK(route.meta.uid == "u");
  CHECK(route.meta.generation == 4);
  CHECK(route.unsupported ==
        std::vector<model::Unsupported>{{"metadata.novelty"}, {"spec.rules[0].novelty"}});
  auto broken = *parse_json(R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},
    "spec":{"ports":[{"port":"x"}]}})",
                            "server");
  REQUIRE(!decode_live(broken));
  CHECK_THAT(decode_live(broken).error().detail, Catch::Contains("Service default/a"));
}

TEST_CASE("an object that a server accepted says itself which of its fields are wrong") {
  auto live = [](const char* text) { return decode_live(*parse_json(text, "server")); };
  auto document = live(R"({"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute",
    "metadata":{"name":"web","annotations":{"Example.COM/Key":"x"}},
    "spec":{"parentRefs":[{"name":"edge"}],"rules":[{"novelty":true,
      "matches":[{"path":{"type":"RegularExpression","value":"("}}]}]}})");
  REQUIRE(document);
  auto& route = std::get<model::HttpRoute>(*document);
  CHECK(route.parents.at(0).name == "edge");
  REQUIRE(route.unsupported.size() == 2);
  CHECK(to_string(route.unsupported[0]) == "spec.rules[0].matches[0].path.value: expected an RE2 "
                                           "regular expression: missing ): (, got \"(\"");
  CHECK(to_string(route.unsupported[1]) == "spec.rules[0].novelty is not supported");

  // Without a list to tell it in, or a name to tell it of, the error is all there is.
  CHECK(!live(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"data":{"k":"%"}})"));
  CHECK(!live(R"({"apiVersion":"gateway.networking.k8s.io/v1","kind":"TCPRoute","metadata":{}})"));
}
