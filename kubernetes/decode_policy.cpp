#include "kubernetes/decode_kinds.hpp"
#include "net/base64.hpp"

namespace strait::kubernetes {

namespace {

/// What Consul does not bound and Strait must.
constexpr Range entries{0, 256};

void decode_target(Fields& fields, model::BackendTlsPolicy::Target& out) {
  fields.text("group", out.group, rules::api_group, Need::required);
  fields.text("kind", out.kind, rules::api_kind, Need::required);
  fields.text("name", out.name, rules::dns_subdomain, Need::required);
  fields.text("sectionName", out.section_name, rules::dns_subdomain);
}

/// Several references to one target must name parts of it, and different ones.
void check_targets(Fields& spec, const std::vector<model::BackendTlsPolicy::Target>& all) {
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t k = 0; k < i; ++k) {
      bool same =
          all[i].group == all[k].group && all[i].kind == all[k].kind && all[i].name == all[k].name;
      if (!same || (all[i].section_name != all[k].section_name && !all[i].section_name.empty() &&
                    !all[k].section_name.empty()))
        continue;
      spec.error(Fields::item_path("targetRefs", i, ""),
                 fmt::format("names the same target as targetRefs[{}]: each must have its own "
                             "sectionName",
                             k));
      break;
    }
}

void decode_alternative_name(Fields& fields, model::BackendTlsPolicy::SubjectAltName& out) {
  using Type = model::BackendTlsPolicy::SubjectAltName::Type;
  fields.choice<Type, Type>("type", out.type, {{"Hostname", Type::hostname}, {"URI", Type::uri}},
                            Need::required);
  bool host = out.type == Type::hostname;
  fields.text(host ? "hostname" : "uri", out.value, host ? rules::hostname : rules::absolute_uri,
              Need::required);
  fields.refuse(host ? "uri" : "hostname",
                fmt::format("must not be given when type is {}", host ? "Hostname" : "URI"));
}

void decode_validation(Fields& fields, model::BackendTlsPolicy& out) {
  fields.list("caCertificateRefs", out.ca_refs, {0, 8},
              [](Fields& ref, model::ClientValidation::CaRef& it) {
                ref.text("group", it.group, rules::api_group, Need::required);
                ref.text("kind", it.kind, rules::api_kind, Need::required);
                ref.text("name", it.name, rules::dns_subdomain, Need::required);
              });
  fields.text("wellKnownCACertificates", out.well_known_ca, rules::well_known_ca);
  fields.text("hostname", out.hostname, rules::precise_hostname, Need::required);
  fields.list("subjectAltNames", out.subject_alt_names, {0, 5}, decode_alternative_name);
  if (out.ca_refs.empty() == out.well_known_ca.empty())
    fields.error("exactly one of caCertificateRefs and wellKnownCACertificates must be given");
}

void decode_jwt(Fields& fields, model::JwtRequirement& out) {
  using Provider = model::JwtRequirement::Provider;
  using Claim = model::JwtRequirement::Claim;
  fields.list("providers", out.providers, {1, entries.most}, [](Fields& provider, Provider& it) {
    provider.text("name", it.name, rules::dns_subdomain, Need::required);
    provider.list("verifyClaims", it.verify_claims, entries, [](Fields& claim, Claim& expected) {
      claim.texts("path", expected.path, rules::not_empty, {1, entries.most});
      claim.text("value", expected.value, rules::any, Need::required);
    });
  });
}

void decode_policy_jwt(Fields& spec, std::string_view key,
                       std::optional<model::JwtRequirement>& out) {
  spec.object(key, [&](Fields& fields) {
    fields.object(
        "jwt", [&](Fields& jwt) { decode_jwt(jwt, out.emplace()); }, Need::required);
  });
}

void decode_location(Fields& fields, model::JwtProvider::Location& out) {
  using Type = model::JwtProvider::Location::Type;
  constexpr std::pair<const char*, Type> places[] = {
      {"header", Type::header}, {"queryParam", Type::query_param}, {"cookie", Type::cookie}};
  out.name.clear();
  out.value_prefix.clear();
  int given = 0;
  for (auto& [key, type] : places)
    fields.object(key, [&, chosen = type](Fields& place) {
      ++given;
      out.type = chosen;
      place.text("name", out.name,
                 chosen == Type::query_param ? rules::not_empty : rules::header_name,
                 Need::required);
      if (chosen != Type::header)
        return;
      out.forward = false;
      place.text("valuePrefix", out.value_prefix, rules::any);
      place.flag("forward", out.forward);
    });
  if (given != 1)
    fields.error("exactly one of header, queryParam and cookie must be given");
}

std::string key_set_in_base64(std::string_view text) {
  auto bytes = net::from_base64(text);
  if (!bytes)
    return "expected base64";
  auto tree = parse_json(*bytes, "");
  auto* keys = tree ? tree->find("keys") : nullptr;
  return keys && std::holds_alternative<Node::List>(keys->value)
             ? std::string{}
             : "expected base64 of a JSON Web Key Set (RFC 7517)";
}

std::string any_base64(std::string_view text) {
  return net::from_base64(text) ? std::string{} : "expected base64";
}

void decode_trusted_ca(Fields& fields, std::string& pem) {
  std::string encoded;
  fields.text("inlineString", pem, rules::not_empty);
  fields.text("inlineBytes", encoded, any_base64);
  if (auto bytes = net::from_base64(encoded); bytes && !bytes->empty())
    pem = std::move(*bytes);
  if (fields.has("inlineString") && fields.has("inlineBytes"))
    fields.error("at most one of inlineString and inlineBytes may be given");
  fields.unsupported({"filename", "environmentVariable"});
}

void decode_key_set_cluster(Fields& fields, model::JwtProvider::Fetch& out) {
  fields.one_of("discoveryType", out.discovery_type,
                {"STATIC", "STRICT_DNS", "LOGICAL_DNS", "EDS", "ORIGINAL_DST"});
  // Names are looked up; nobody else says where the server is.
  if (out.discovery_type == "EDS" || out.discovery_type == "ORIGINAL_DST")
    fields.unsupported({"discoveryType"});
  fields.go_duration("connectTimeout", out.connect_timeout);
  fields.object("tlsCertificates", [&](Fields& tls) {
    tls.object("trustedCA", [&](Fields& ca) { decode_trusted_ca(ca, out.ca_pem); });
    tls.unsupported({"caCertificateProviderInstance"});
  });
}

void decode_remote_key_set(Fields& fields, model::JwtProvider& out) {
  auto& fetch = out.fetch;
  fields.text("uri", out.remote_uri, rules::http_uri, Need::required);
  fields.go_duration("cacheDuration", out.refetch);
  std::optional<std::int64_t> timeout_ms;
  fields.integer("requestTimeoutMs", timeout_ms, {0, INT32_MAX});
  if (timeout_ms)
    fetch.request_timeout = Millis{*timeout_ms};
  fields.flag("fetchAsynchronously", fetch.asynchronously);
  fields.flag("useSNI", fetch.use_sni);
  fields.object("retryPolicy", [&](Fields& policy) {
    policy.integer("numRetries", fetch.retries, {0, INT32_MAX});
    policy.object("retryPolicyBackOff", [&](Fields& wait) {
      wait.go_duration("baseInterval", fetch.backoff_base);
      wait.go_duration("maxInterval", fetch.backoff_max);
    });
  });
  fields.object("jwksCluster", [&](Fields& cluster) { decode_key_set_cluster(cluster, fetch); });
}

void decode_key_set(Fields& fields, model::JwtProvider& out) {
  bool local_given = fields.has("local"), remote_given = fields.has("remote");
  if (local_given == remote_given)
    fields.error("exactly one of local and remote must be given");
  fields.object("local", [&](Fields& local) {
    if (local.has("jwks") && local.has("filename"))
      local.error("exactly one of jwks and filename must be given");
    std::string encoded;
    local.text("jwks", encoded, key_set_in_base64);
    if (auto bytes = net::from_base64(encoded))
      out.local_jwks = std::move(*bytes);
    local.unsupported({"filename"});
  });
  fields.object("remote", [&](Fields& remote) { decode_remote_key_set(remote, out); });
}

} // namespace

void decode(Fields& root, model::BackendTlsPolicy& out) {
  root.object(
      "spec",
      [&](Fields& spec) {
        spec.list("targetRefs", out.targets, {1, 16}, decode_target);
        check_targets(spec, out.targets);
        spec.object(
            "validation", [&](Fields& validation) { decode_validation(validation, out); },
            Need::required);
        spec.map("options", out.options, rules::qualified_name, rules::any, {0, 16});
      },
      Need::required);
}

void decode(Fields& root, model::GatewayPolicy& out) {
  root.object(
      "spec",
      [&](Fields& spec) {
        spec.object(
            "targetRef",
            [&](Fields& ref) {
              ref.text("group", out.target_group, rules::api_group, Need::required);
              ref.text("kind", out.target_kind, rules::api_kind, Need::required);
              ref.text("name", out.target_name, rules::dns_subdomain, Need::required);
              ref.text("namespace", out.target_ns, rules::dns_label);
              ref.text("sectionName", out.target_section, rules::dns_subdomain);
            },
            Need::required);
        decode_policy_jwt(spec, "override", out.override_jwt);
        decode_policy_jwt(spec, "default", out.default_jwt);
      },
      Need::required);
}

void decode(Fields& root, model::RouteAuthFilter& out) {
  root.object("spec", [&](Fields& spec) {
    spec.object("jwt", [&](Fields& jwt) { decode_jwt(jwt, out.jwt.emplace()); });
    spec.unsupported({"extAuthz"});
  });
}

void decode(Fields& root, model::RouteRetryFilter& out) {
  root.object("spec", [&](Fields& spec) {
    spec.integer("numRetries", out.num_retries, {0, UINT32_MAX});
    spec.texts("retryOn", out.retry_on, rules::not_empty, entries);
    spec.integers("retryOnStatusCodes", out.retry_on_status_codes, {100, 599}, {0, 500});
    spec.flag("retryOnConnectFailure", out.retry_on_connect_failure);
  });
}

void decode(Fields& root, model::RouteTimeoutFilter& out) {
  root.object("spec", [&](Fields& spec) {
    spec.go_duration("requestTimeout", out.request_timeout);
    spec.go_duration("idleTimeout", out.idle_timeout);
  });
}

void decode(Fields& root, model::JwtProvider& out) {
  root.object(
      "spec",
      [&](Fields& spec) {
        spec.object(
            "jsonWebKeySet", [&](Fields& set) { decode_key_set(set, out); }, Need::required);
        spec.text("issuer", out.issuer, rules::any);
        spec.texts("audiences", out.audiences, rules::any, entries);
        spec.list("locations", out.locations, entries, decode_location);
        spec.integer("clockSkewSeconds", out.clock_skew_seconds, {0, INT32_MAX});
        spec.unsupported({"forwarding", "cacheConfig"});
      },
      Need::required);
}

} // namespace strait::kubernetes
