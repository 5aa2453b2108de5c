#include "kubernetes/encode_kinds.hpp"
#include "net/base64.hpp"

namespace strait::kubernetes {

namespace {

Node encode_jwt(const model::JwtRequirement& jwt) {
  MapWriter out;
  out.put("providers", list_of(jwt.providers, [](auto& provider) {
            MapWriter one;
            one.put("name", provider.name);
            one.put_unless_empty("verifyClaims", list_of(provider.verify_claims, [](auto& claim) {
                                   MapWriter expected;
                                   expected.put("path", list_of(claim.path));
                                   expected.put("value", claim.value);
                                   return expected.take();
                                 }));
            return one.take();
          }));
  return out.take();
}

void put_jwt(MapWriter& spec, std::string_view key,
             const std::optional<model::JwtRequirement>& jwt) {
  if (!jwt)
    return;
  MapWriter out;
  out.put("jwt", encode_jwt(*jwt));
  spec.put(key, out.take());
}

Node encode_location(const model::JwtProvider::Location& location) {
  using Type = model::JwtProvider::Location::Type;
  MapWriter place, out;
  place.put("name", location.name);
  if (location.type == Type::header) {
    place.put_unless_empty("valuePrefix", location.value_prefix);
    if (location.forward)
      place.put("forward", true);
  }
  out.put(location.type == Type::header        ? "header"
          : location.type == Type::query_param ? "queryParam"
                                               : "cookie",
          place.take());
  return out.take();
}

/// How a key set is fetched, beside the two fields that stand in the provider itself.
void put_fetch(MapWriter& out, const model::JwtProvider::Fetch& fetch) {
  MapWriter wait, policy, ca, tls, cluster;
  if (fetch.request_timeout)
    out.put("requestTimeoutMs", static_cast<std::int64_t>(fetch.request_timeout->count()));
  if (fetch.asynchronously)
    out.put("fetchAsynchronously", true);
  if (fetch.use_sni)
    out.put("useSNI", true);
  policy.put_if("numRetries", fetch.retries);
  wait.put_duration("baseInterval", fetch.backoff_base);
  wait.put_duration("maxInterval", fetch.backoff_max);
  policy.put_unless_empty("retryPolicyBackOff", wait.take());
  out.put_unless_empty("retryPolicy", policy.take());
  cluster.put_unless_empty("discoveryType", fetch.discovery_type);
  cluster.put_duration("connectTimeout", fetch.connect_timeout);
  ca.put_unless_empty("inlineString", fetch.ca_pem);
  tls.put_unless_empty("trustedCA", ca.take());
  cluster.put_unless_empty("tlsCertificates", tls.take());
  out.put_unless_empty("jwksCluster", cluster.take());
}

Node encode_key_set(const model::JwtProvider& provider) {
  MapWriter out, place;
  if (!provider.remote_uri.empty()) {
    place.put("uri", provider.remote_uri);
    place.put_duration("cacheDuration", provider.refetch);
    put_fetch(place, provider.fetch);
    out.put("remote", place.take());
  } else {
    // Without a key set: a file was named, which is not implemented.
    if (!provider.local_jwks.empty())
      place.put("jwks", net::to_base64(provider.local_jwks));
    out.put("local", place.take());
  }
  return out.take();
}

} // namespace

void encode(MapWriter& root, const model::BackendTlsPolicy& object) {
  MapWriter spec, validation;
  spec.put("targetRefs", list_of(object.targets, [](auto& target) {
             MapWriter out;
             out.put("group", target.group);
             out.put("kind", target.kind);
             out.put("name", target.name);
             out.put_unless_empty("sectionName", target.section_name);
             return out.take();
           }));
  validation.put_unless_empty("caCertificateRefs", list_of(object.ca_refs, [](auto& ref) {
                                MapWriter out;
                                out.put("group", ref.group);
                                out.put("kind", ref.kind);
                                out.put("name", ref.name);
                                return out.take();
                              }));
  validation.put_unless_empty("wellKnownCACertificates", object.well_known_ca);
  validation.put("hostname", object.hostname);
  validation.put_unless_empty("subjectAltNames", list_of(object.subject_alt_names, [](auto& name) {
                                MapWriter out;
                                bool host = name.type ==
                                            model::BackendTlsPolicy::SubjectAltName::Type::hostname;
                                out.put("type", host ? "Hostname" : "URI");
                                out.put(host ? "hostname" : "uri", name.value);
                                return out.take();
                              }));
  spec.put("validation", validation.take());
  spec.put_unless_empty("options", object.options);
  root.put("spec", spec.take());
}

void encode(MapWriter& root, const model::GatewayPolicy& object) {
  MapWriter spec, target;
  target.put("group", object.target_group);
  target.put("kind", object.target_kind);
  target.put("name", object.target_name);
  target.put_unless_empty("namespace", object.target_ns);
  target.put_unless_empty("sectionName", object.target_section);
  spec.put("targetRef", target.take());
  put_jwt(spec, "override", object.override_jwt);
  put_jwt(spec, "default", object.default_jwt);
  root.put("spec", spec.take());
}

void encode(MapWriter& root, const model::RouteAuthFilter& object) {
  MapWriter spec;
  if (object.jwt)
    spec.put("jwt", encode_jwt(*object.jwt));
  root.put("spec", spec.take());
}

void encode(MapWriter& root, const model::RouteRetryFilter& object) {
  MapWriter spec;
  spec.put_if("numRetries", object.num_retries);
  spec.put_unless_empty("retryOn", list_of(object.retry_on));
  spec.put_unless_empty("retryOnStatusCodes", list_of(object.retry_on_status_codes, [](auto code) {
                          return Node{std::int64_t{code}, {}};
                        }));
  if (object.retry_on_connect_failure)
    spec.put("retryOnConnectFailure", true);
  root.put("spec", spec.take());
}

void encode(MapWriter& root, const model::RouteTimeoutFilter& object) {
  MapWriter spec;
  spec.put_duration("requestTimeout", object.request_timeout);
  spec.put_duration("idleTimeout", object.idle_timeout);
  root.put("spec", spec.take());
}

void encode(MapWriter& root, const model::JwtProvider& object) {
  MapWriter spec;
  spec.put("jsonWebKeySet", encode_key_set(object));
  spec.put_unless_empty("issuer", object.issuer);
  spec.put_unless_empty("audiences", list_of(object.audiences));
  spec.put_unless_empty("locations", list_of(object.locations, encode_location));
  spec.put("clockSkewSeconds", std::int64_t{object.clock_skew_seconds});
  root.put("spec", spec.take());
}

} // namespace strait::kubernetes
