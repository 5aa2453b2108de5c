#include "kubernetes/bad_input.test.hpp"

using namespace strait;
using namespace strait::kubernetes;

namespace {

const std::string target = "backendRef: {name: a, port: 1}";

std::string filters(const std::string& rest) { return rule("filters: [{" + rest + "}]"); }
std::string mirror(const std::string& rest) {
  return filters("type: RequestMirror, requestMirror: {" + rest + "}");
}
std::string redirect(const std::string& rest) {
  return filters("type: RequestRedirect, requestRedirect: {" + rest + "}");
}
std::string cors(const std::string& rest) { return filters("type: CORS, cors: {" + rest + "}"); }
std::string auth(const std::string& rest) {
  return filters("type: ExternalAuth, externalAuth: {" + rest + "}");
}
std::string of_kind(const std::string& version, const std::string& kind, const std::string& spec) {
  return "{apiVersion: " + version + ", kind: " + kind + ", metadata: {name: x}, spec: {" + spec +
         "}}";
}
std::string grpc(const std::string& rest) {
  return of_kind("gateway.networking.k8s.io/v1", "GRPCRoute", "rules: [{" + rest + "}]");
}
std::string backend_tls(const std::string& rest) {
  return of_kind("gateway.networking.k8s.io/v1", "BackendTLSPolicy", rest);
}
std::string consul(const std::string& kind, const std::string& spec) {
  return of_kind("consul.hashicorp.com/v1alpha1", kind, spec);
}

} // namespace

TEST_CASE("mistakes in the settings of a filter are refused") {
  const std::string at = "HTTPRoute default/r: spec.rules[0].filters[0].";
  check({{"{port: 1}", "backendRef.name: required"}}, at + "requestMirror.",
        [](const std::string& ref) { return mirror("backendRef: " + ref); });
  check({{", percent: 101", "percent: must be 0..100, got 101"},
         {", percent: 1, fraction: {numerator: 1}", "fraction: must not be given beside percent"},
         {", fraction: {denominator: 5}", "fraction.numerator: required"},
         {", fraction: {numerator: 6, denominator: 5}",
          "fraction.numerator: must not be more than the denominator"},
         {", fraction: {numerator: 0, denominator: 0}",
          "fraction.denominator: must be 1..2147483647, got 0"}},
        at + "requestMirror.", [](const std::string& rest) { return mirror(target + rest); });
  check({{"scheme: ftp", "scheme: expected http or https, got \"ftp\""},
         {"hostname: '*.a.b'", "hostname: expected a host name without a wildcard, got \"*.a.b\""},
         {"statusCode: 305", "statusCode: expected 301, 302, 303, 307 or 308, got 305"},
         {"statusCode: 200", "statusCode: must be 300..399, got 200"},
         {"path: {type: ReplaceFullPath}", "path.replaceFullPath: required"},
         {"path: {type: ReplaceFullPath, replaceFullPath: /, replacePrefixMatch: /}",
          "path.replacePrefixMatch: must not be given when type is ReplaceFullPath"}},
        at + "requestRedirect.", redirect);
  check({{"allowOrigins: [example.com]", "allowOrigins[0]: expected \"*\" or an origin like "
                                         "\"https://*.example.com:8443\", got \"example.com\""},
         {"allowOrigins: ['*', 'https://a.b']", "allowOrigins: \"*\" must stand alone"},
         {"allowOrigins: ['http://a', 'http://a']", "allowOrigins[1]: stands twice in this list"},
         {"allowMethods: [get]", "allowMethods[0]: expected an HTTP method or \"*\", got \"get\""},
         {"maxAge: 0", "maxAge: must be 1..2147483647, got 0"}},
        at + "cors.", cors);
  CHECK(refused(auth("protocol: GRPC, " + target + ", grpc: {allowedHeaders: " + repeat(65, "a") +
                     "}")) ==
        at + "externalAuth.grpc.allowedHeaders: at most 64 may be given, got 65");
  check({{"protocol: HTTP, " + target, "http: required"},
         {"protocol: GRPC, grpc: {}, http: {}, " + target,
          "http: must not be given when protocol is GRPC"},
         {"protocol: HTTP, http: {path: 'a b'}, " + target,
          "http.path: expected a path of at most 1024 characters (RFC 3986), got \"a b\""},
         {"protocol: HTTP, http: {}, forwardBody: {maxSize: 65536}, " + target,
          "forwardBody.maxSize: must be 0..65535, got 65536"}},
        at + "externalAuth.", auth);
}

TEST_CASE("a prefix can be replaced only where exactly one was matched") {
  const std::string rewrite = "filters: [{type: URLRewrite, urlRewrite: {path: {type: "
                              "ReplacePrefixMatch, replacePrefixMatch: /x}}}]";
  const std::string why = "ReplacePrefixMatch needs exactly one match, and that a PathPrefix";
  CHECK(decode_yaml(rule(rewrite), "").errors.empty()); // The default match is a prefix.
  CHECK(refused(rule(rewrite + ", matches: [{}, {}]")) ==
        "HTTPRoute default/r: spec.rules[0].filters: " + why);
  CHECK(refused(rule("matches: [{path: {type: Exact, value: /a}}], backendRefs: [{name: a, port: "
                     "1, " +
                     rewrite + "}]")) ==
        "HTTPRoute default/r: spec.rules[0].backendRefs[0].filters: " + why);
}

TEST_CASE("mistakes in time-outs, retries and sessions are refused") {
  const std::string duration =
      "expected a duration like \"1h30m\" or \"500ms\" (GEP-2257), at most 99999h, got ";
  check({{"timeouts: {request: 10}", "timeouts.request: expected a string, got an integer"},
         {"timeouts: {request: 1.5s}", "timeouts.request: " + duration + "\"1.5s\""},
         {"timeouts: {request: 1s, backendRequest: 2s}",
          "timeouts.backendRequest: must not be longer than request"},
         {"retry: {codes: [399]}", "retry.codes[0]: must be 400..599, got 399"},
         {"retry: {codes: ['500']}", "retry.codes[0]: expected an integer, got a string"},
         {"retry: {attempts: 0}", "retry.attempts: must be 1..2147483647, got 0"},
         {"sessionPersistence: {cookieConfig: {lifetimeType: Permanent}}",
          "sessionPersistence.absoluteTimeout: required when cookieConfig.lifetimeType is "
          "Permanent"},
         {"sessionPersistence: {type: Header, cookieConfig: {}}",
          "sessionPersistence.cookieConfig: must not be given when type is Header"},
         {"sessionPersistence: {sessionName: 'a;b'}",
          "sessionPersistence.sessionName: expected a name for a cookie or header (an RFC 9110 "
          "token of at most 128 characters), got \"a;b\""}},
        "HTTPRoute default/r: spec.rules[0].", rule);
  // Zero is "no limit", which a backend's limit may not exceed.
  CHECK(decode_yaml(rule("timeouts: {request: 0s, backendRequest: 2s}"), "").errors.empty());
  CHECK(refused(rule("retry: {codes: " + repeat(201, "500") + "}")).find("at most 200") !=
        std::string::npos);
}

TEST_CASE("mistakes in a gRPC route are refused") {
  check({{"filters: [{type: URLRewrite}]",
          "filters[0].type: expected RequestHeaderModifier, ResponseHeaderModifier, RequestMirror "
          "or ExtensionRef, got \"URLRewrite\""},
         {"matches: [{method: {}}]",
          "matches[0].method: one or both of service and method must be given"},
         {"matches: [{method: {service: 'a/b'}}]",
          "matches[0].method.service: expected a gRPC service like \"package.Service\" of at most "
          "1024 characters, got \"a/b\""},
         {"matches: [{method: {method: 9x}}]",
          "matches[0].method.method: expected a gRPC method (letters, digits and '_', at most "
          "1024), got \"9x\""},
         {"timeouts: {}", "timeouts: unknown field"}},
        "GRPCRoute default/x: spec.rules[0].", grpc);
  CHECK(refused(of_kind("gateway.networking.k8s.io/v1", "GRPCRoute",
                        "rules: " + repeat(3, "{matches: " + repeat(43, "{}") + "}"))) ==
        "GRPCRoute default/x: spec.rules: at most 128 matches may be given in all, got 129");
}

TEST_CASE("mistakes in TLS and UDP routes and listener sets are refused") {
  const std::string rules = "rules: [{backendRefs: [{name: a, port: 1}]}]";
  CHECK(refused(of_kind("gateway.networking.k8s.io/v1alpha2", "TLSRoute", rules)) ==
        "TLSRoute default/x: spec.hostnames: required");
  CHECK(refused(of_kind("gateway.networking.k8s.io/v1beta1", "UDPRoute", rules)) ==
        "UDPRoute default/x: apiVersion: expected gateway.networking.k8s.io/v1 or "
        "gateway.networking.k8s.io/v1alpha2 for a UDPRoute, got "
        "\"gateway.networking.k8s.io/v1beta1\"");
  CHECK(refused(of_kind("gateway.networking.k8s.io/v1", "ListenerSet",
                        "parentRef: {}, listeners: [{name: a, port: 1, protocol: TCP}]")) ==
        "ListenerSet default/x: spec.parentRef.name: required");
  CHECK(refused(of_kind("gateway.networking.k8s.io/v1", "ListenerSet",
                        "parentRef: {name: g}, listeners: [{name: a, port: 1, protocol: TCP}, "
                        "{name: a, port: 2, protocol: TCP}]")) ==
        "ListenerSet default/x: spec.listeners[1].name: stands twice in this list");
}

TEST_CASE("mistakes in a backend's TLS policy are refused") {
  const std::string targets = "targetRefs: [{group: '', kind: Service, name: a}], ";
  const std::string valid = "validation: {hostname: a.b, wellKnownCACertificates: System}";
  const std::string at = "BackendTLSPolicy default/x: spec.";
  CHECK(refused(backend_tls(valid)) == at + "targetRefs: required");
  CHECK(refused(backend_tls("targetRefs: " + repeat(2, "{group: '', kind: Service, name: a}") +
                            ", " + valid)) ==
        at + "targetRefs[1]: names the same target as targetRefs[0]: each must have its own "
             "sectionName");
  check({{"hostname: a.b",
          ": exactly one of caCertificateRefs and wellKnownCACertificates must be given"},
         {"hostname: a.b, wellKnownCACertificates: Other",
          ".wellKnownCACertificates: expected System or \"example.com/name\", got \"Other\""},
         {"hostname: a.b, wellKnownCACertificates: System, subjectAltNames: [{type: URI, "
          "hostname: a.b, uri: 'spiffe://a'}]",
          ".subjectAltNames[0].hostname: must not be given when type is URI"}},
        at + "validation", [&](const std::string& rest) {
          return backend_tls(targets + "validation: {" + rest + "}");
        });
}

TEST_CASE("mistakes in Consul's kinds are refused") {
  const std::string remote = "jsonWebKeySet: {remote: {uri: 'https://a'}}";
  const std::string keys = "JWTProvider default/x: spec.";
  CHECK(refused(consul("JWTProvider", "issuer: a")) == keys + "jsonWebKeySet: required");
  CHECK(refused(consul("JWTProvider", "jsonWebKeySet: {}")) ==
        keys + "jsonWebKeySet: exactly one of local and remote must be given");
  CHECK(refused(consul("JWTProvider", "jsonWebKeySet: {local: {jwks: eyJrZXlzIjpbXX0=, filename: "
                                      "a}}")) ==
        keys + "jsonWebKeySet.local: exactly one of jwks and filename must be given");
  CHECK(refused(consul("JWTProvider", "jsonWebKeySet: {local: {jwks: e30=}}")) ==
        keys + "jsonWebKeySet.local.jwks: expected base64 of a JSON Web Key Set (RFC 7517), got "
               "\"e30=\"");
  CHECK(refused(consul("JWTProvider", "jsonWebKeySet: {remote: {uri: 'ftp://a'}}")) ==
        keys + "jsonWebKeySet.remote.uri: expected a URI that begins with http:// or https://, at "
               "most 2048 characters, got \"ftp://a\"");
  CHECK(refused(consul("JWTProvider", remote + ", locations: [{}]")) ==
        keys + "locations[0]: exactly one of header, queryParam and cookie must be given");
  CHECK(refused(consul("RouteAuthFilter", "jwt: {providers: []}")) ==
        "RouteAuthFilter default/x: spec.jwt.providers: expected at least 1, got 0");
  CHECK(refused(consul("RouteRetryFilter", "numRetries: -1")) ==
        "RouteRetryFilter default/x: spec.numRetries: must be 0..4294967295, got -1");
  CHECK(refused(consul("RouteTimeoutFilter", "requestTimeout: soon")) ==
        "RouteTimeoutFilter default/x: spec.requestTimeout: expected a duration like \"1h30m\", "
        "\"1.5s\" or \"500ms\", at most 99999h, got \"soon\"");
  CHECK(refused(consul("GatewayPolicy",
                       "targetRef: {group: '', kind: Gateway, name: g}, override: {}")) ==
        "GatewayPolicy default/x: spec.override.jwt: required");
  CHECK(refused(consul("GatewayClassConfig", "deployment: {resources: {limits: {cpu: lots}}}")) ==
        "GatewayClassConfig x: spec.deployment.resources.limits[cpu]: expected a quantity like "
        "\"100m\", \"128Mi\" or \"2\", got \"lots\"");
  CHECK(refused(consul("GatewayClassConfig", "deployment: {resources: {limits: {cpu: -1}}}"))
            .find("expected a quantity") != std::string::npos);
  CHECK(refused(consul("GatewayClassConfig", "tolerations: [{value: a}]")) ==
        "GatewayClassConfig x: spec.tolerations[0].operator: must be Exists when no key is given");
}

TEST_CASE("a ServiceResolver names who stands in, and each target leads somewhere else") {
  auto failover = [](const std::string& subset) {
    return refused(consul("ServiceResolver", "failover: {'*': {" + subset + "}}"));
  };
  const std::string at = "ServiceResolver default/x: spec.failover.*";
  CHECK(failover("") == at + ": must have targets or a service");
  CHECK(failover("namespace: default") == at + ": must have targets or a service");
  CHECK(failover("targets: []") == at + ".targets: expected at least 1, got 0");
  CHECK(failover("targets: [{}]") == at + ".targets[0]: must name a service or a peer");
  CHECK(failover("targets: [{peer: dc2, namespace: shop}]") ==
        at + ".targets[0].namespace: must not be given with a peer");
  CHECK(failover("targets: [{peer: dc2}], service: b") ==
        at + ".targets: must not be given with service or namespace");
  CHECK(failover("targets: [{peer: dc2, partition: p}]") ==
        at + ".targets[0].partition: only \"default\" exists here, got \"p\"");
  CHECK(failover("targets: [{peer: DC2}]")
            .starts_with(at + ".targets[0].peer: expected the name of a peering"));
  std::string many = "targets: [{peer: a}";
  for (std::size_t i = 0; i < model::ServiceResolver::targets_max; ++i)
    many += ", {peer: a}";
  CHECK(failover(many + "]") == at + ".targets: at most 8 may be given, got 9");
}
