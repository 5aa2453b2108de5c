// The corpora of the fuzz targets name every kind and every field that is read: what they become.

#include "kubernetes/decode.hpp"
#include "kubernetes/encode.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace strait;
using namespace strait::kubernetes;
using namespace std::chrono_literals;

namespace {

std::vector<Document> documents(const std::string& name) {
  std::ifstream file{STRAIT_SOURCE_DIR "/tests/fuzz/corpus/manifest_yaml/" + name};
  REQUIRE(file);
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  auto decoded = decode_yaml(text, name);
  for (auto& error : decoded.errors)
    FAIL(error.detail);
  return decoded.objects;
}

template <class T>
const T& of_kind(const std::vector<Document>& all, const std::string& name) {
  for (auto& document : all)
    if (auto* object = std::get_if<T>(&document); object && object->meta.name.name == name)
      return *object;
  FAIL("there is no " << model::to_string(T::kind) << " " << name);
  throw 0;
}

std::vector<std::string> unsupported(const Document& document) {
  std::vector<std::string> out;
  for (auto& field : unsupported_in(document))
    out.push_back(field.path);
  return out;
}

} // namespace

TEST_CASE("the filters of a route are read") {
  auto all = documents("more_routes.yaml");
  auto& route = of_kind<model::HttpRoute>(all, "filters");
  CHECK(unsupported(route).empty());
  REQUIRE(route.rules.size() == 2);
  auto& rule = route.rules[0];
  REQUIRE(rule.filters.size() == 7);
  CHECK(std::get<model::RequestMirror>(rule.filters[0]).denominator == 3);
  CHECK(std::get<model::RequestMirror>(rule.filters[1]).numerator == 42);
  CHECK(rule.filters[2] ==
        model::Filter{model::UrlRewrite{
            "new.example.com", model::PathModifier{model::PathModifier::Type::prefix, "/new"}}});
  auto& cors = std::get<model::Cors>(rule.filters[3]);
  CHECK(cors.allow_origins.size() == 2);
  CHECK(cors.allow_credentials);
  CHECK(cors.max_age == 600);
  auto& http = std::get<model::ExternalAuth>(rule.filters[4]);
  CHECK(http.path == "/check");
  CHECK(http.forward_body == 1024);
  CHECK(std::get<model::ExternalAuth>(rule.filters[5]).protocol ==
        model::ExternalAuth::Protocol::grpc);
  CHECK(rule.filters[6] ==
        model::Filter{model::ExtensionRef{"consul.hashicorp.com", "RouteRetryFilter", "again"}});
  CHECK(rule.timeouts == model::Timeouts{90min, 500ms});
  CHECK(rule.retry == model::Retry{{500, 503}, 3, 100ms});
  CHECK(rule.session ==
        model::SessionPersistence{model::SessionPersistence::Type::cookie, "sticky", 10min, true});
  auto& redirect = std::get<model::RequestRedirect>(route.rules[1].filters[0]);
  CHECK(redirect.status == 308);
  CHECK(redirect.port == 8443);
}

TEST_CASE("the other routes are read") {
  auto all = documents("more_routes.yaml");
  auto& grpc = of_kind<model::GrpcRoute>(all, "things");
  CHECK(grpc.rules[0].matches[0].method ==
        model::GrpcMethodMatch{model::ValueMatchType::exact, "com.example.Things", "Get"});
  CHECK(grpc.rules[0].matches[1].method->type == model::ValueMatchType::regex);
  CHECK(grpc.rules[0].session->type == model::SessionPersistence::Type::header);
  CHECK(of_kind<model::TlsRoute>(all, "through").hostnames ==
        std::vector<std::string>{"*.example.com"});
  CHECK(of_kind<model::UdpRoute>(all, "dns").backends.size() == 2);
  CHECK(of_kind<model::ListenerSet>(all, "more").parent.ns == "infra");
  auto& gateway = of_kind<model::Gateway>(all, "edge");
  CHECK(gateway.listener_sets == model::FromNamespaces::selector);
  CHECK(gateway.tls.frontend_per_port.at(8443)->insecure_fallback);
  CHECK(gateway.infrastructure.parameters->name == "pods");
  CHECK(unsupported(gateway) == std::vector<std::string>{"spec.defaultScope"});
}

TEST_CASE("policies and Consul's kinds are read") {
  auto all = documents("policies.yaml");
  auto& tls = of_kind<model::BackendTlsPolicy>(all, "web");
  CHECK(tls.targets.size() == 2);
  CHECK(tls.subject_alt_names[1].value == "spiffe://example.com/web");
  auto& policy = of_kind<model::GatewayPolicy>(all, "tokens");
  CHECK(policy.target_section == "https");
  CHECK(policy.override_jwt->providers[0].verify_claims[0].path ==
        std::vector<std::string>{"realm_access", "roles"});
  CHECK(policy.default_jwt->providers[0].name == "issuer");
  CHECK(unsupported(of_kind<model::RouteAuthFilter>(all, "tokens")) ==
        std::vector<std::string>{"spec.extAuthz"});
  auto& retry = of_kind<model::RouteRetryFilter>(all, "again");
  CHECK(retry.num_retries == 3u);
  CHECK(retry.retry_on_status_codes == std::vector<std::uint16_t>{502, 503});
  auto& timeout = of_kind<model::RouteTimeoutFilter>(all, "soon");
  CHECK(timeout.request_timeout == 1500ms);
  CHECK(timeout.idle_timeout == 1h);
  auto& local = of_kind<model::JwtProvider>(all, "issuer");
  CHECK(local.local_jwks == R"({"keys":[]})");
  REQUIRE(local.locations.size() == 3);
  CHECK(local.locations[0].forward);
  CHECK(local.locations[0].value_prefix == "Bearer ");
  CHECK(unsupported(local) == std::vector<std::string>{"spec.forwarding"});
  auto& remote = of_kind<model::JwtProvider>(all, "remote");
  CHECK(remote.refetch == 5min);
  CHECK(remote.clock_skew_seconds == 30);
  CHECK(remote.fetch.request_timeout == 500ms);
  CHECK(remote.fetch.retries == 4u);
  CHECK(remote.fetch.backoff_base == 2s);
  CHECK(remote.fetch.backoff_max == 1min);
  CHECK(remote.fetch.connect_timeout == 3s);
  CHECK(remote.fetch.ca_pem == "roots");
  CHECK(remote.fetch.asynchronously);
  CHECK(unsupported(remote) ==
        std::vector<std::string>{"spec.jsonWebKeySet.remote.jwksCluster.tlsCertificates."
                                 "trustedCA.filename"});
  using Target = model::ServiceResolver::Target;
  auto& resolver = of_kind<model::ServiceResolver>(all, "web");
  CHECK(resolver.failover ==
        std::vector<Target>{{"web-backup", "default", ""}, {"web", "", "dc2"}, {"", "", "dc3"}});
  CHECK(unsupported(resolver).empty());
  auto& partly = of_kind<model::ServiceResolver>(all, "api");
  CHECK(partly.failover == std::vector<Target>{{"spare", "", ""}});
  CHECK(unsupported(partly) ==
        std::vector<std::string>{"spec.failover.v1", "spec.failover.*.datacenters",
                                 "spec.failover.*.policy", "spec.defaultSubset", "spec.subsets",
                                 "spec.connectTimeout"});
  CHECK(unsupported(of_kind<model::ServiceResolver>(all, "moved")) ==
        std::vector<std::string>{"spec.redirect"});
  auto& config = of_kind<model::GatewayClassConfig>(all, "pods");
  CHECK(config.daemon_set);
  CHECK(config.host_ports);
  CHECK(config.resource_limits == model::StringMap{{"cpu", "2"}, {"memory", "1.5Gi"}});
  CHECK(config.tolerations[1] == model::Toleration{"", "Exists", "", "", 60});
  CHECK(config.max_connections == 1000);
  CHECK(config.metrics_enabled == true);
  CHECK(config.image == "example.com/strait-gateway:1.0");
  CHECK(unsupported(config) ==
        std::vector<std::string>{"spec.image.envoy", "spec.podSecurityPolicy", "spec.consul"});
}

TEST_CASE("a policy's status names its ancestors") {
  model::BackendTlsPolicy policy;
  policy.meta.name = {"default", "p"};
  model::ObjectStatus status;
  status.parents.push_back({{.name = "edge"}, "strait.dev/gateway-controller", {}});
  auto tree = encode(policy, &status);
  CHECK(write_json(*tree.find("status"), 0) ==
        R"({"ancestors":[{"ancestorRef":{"group":"gateway.networking.k8s.io","kind":"Gateway",)"
        R"("name":"edge"},"controllerName":"strait.dev/gateway-controller","conditions":[]}]})");
  status.parents.clear();
  CHECK(write_json(*encode(policy, &status).find("status"), 0) == R"({"ancestors":[]})");
}
