#pragma once

#include "catalog/model/gateway.hpp"
#include "catalog/model/route.hpp"

/// Policies and filters that stand in objects of their own: Gateway API's BackendTLSPolicy and
/// Consul's kinds (consul.hashicorp.com).
namespace strait::model {

/// How Services are reached by TLS.
struct BackendTlsPolicy {
  static constexpr Kind kind = Kind::backend_tls_policy;
  struct Target {
    std::string group;
    std::string kind = "Service";
    std::string name;         ///< In the policy's namespace.
    std::string section_name; ///< A port's name; empty: every port.
    friend bool operator==(const Target&, const Target&) = default;
  };
  struct SubjectAltName {
    enum class Type : std::uint8_t { hostname, uri };
    Type type = Type::hostname;
    std::string value;
    friend bool operator==(const SubjectAltName&, const SubjectAltName&) = default;
  };
  Meta meta;
  std::vector<Target> targets;
  std::vector<ClientValidation::CaRef> ca_refs;  ///< In the policy's namespace.
  std::string well_known_ca;                     ///< "System"; empty: ca_refs.
  std::string hostname;                          ///< SNI, and the name that the certificate is for.
  std::vector<SubjectAltName> subject_alt_names; ///< Any of these instead of hostname.
  StringMap options;
  std::vector<Unsupported> unsupported;
  friend bool operator==(const BackendTlsPolicy&, const BackendTlsPolicy&) = default;
};

/// What a JSON web token must satisfy.
struct JwtRequirement {
  struct Claim {
    std::vector<std::string> path;
    std::string value;
    friend bool operator==(const Claim&, const Claim&) = default;
  };
  struct Provider {
    std::string name; ///< A jwt-provider config entry.
    std::vector<Claim> verify_claims;
    friend bool operator==(const Provider&, const Provider&) = default;
  };
  std::vector<Provider> providers; ///< A token of any of them is enough.
  friend bool operator==(const JwtRequirement&, const JwtRequirement&) = default;
};

/// Who signs tokens, and where a request carries them (Consul's jwt-provider).
struct JwtProvider {
  static constexpr Kind kind = Kind::jwt_provider;
  struct Location {
    enum class Type : std::uint8_t { header, query_param, cookie };
    Type type = Type::header;
    std::string name = "Authorization";
    std::string value_prefix = "Bearer"; ///< Of a header's value.
    bool forward = true;                 ///< False: taken off before the backend.
    friend bool operator==(const Location&, const Location&) = default;
  };
  /// How the agent asks for the key set at remote_uri; what is absent is as in Consul.
  struct Fetch {
    std::optional<Millis> request_timeout, connect_timeout;
    std::optional<std::uint32_t> retries; ///< At once after one another, before the key set is due.
    std::optional<Millis> backoff_base, backoff_max; ///< Between those.
    std::string ca_pem; ///< Roots for the server; empty: those of the machine.
    /// Of Consul's API alone: names are always sent and looked up, and nothing waits for a fetch.
    bool use_sni = false, asynchronously = false;
    std::string discovery_type;
    friend bool operator==(const Fetch&, const Fetch&) = default;
  };
  Meta meta;
  std::string issuer; ///< "iss"; empty: not checked.
  std::vector<std::string> audiences;
  std::string local_jwks;        ///< JSON (RFC 7517); empty: remote_uri.
  std::string remote_uri;        ///< Where the agent fetches the key set.
  std::optional<Millis> refetch; ///< How long a fetched key set holds.
  Fetch fetch;
  std::vector<Location> locations;
  std::int32_t clock_skew_seconds = 30;
  std::vector<Unsupported> unsupported;
  friend bool operator==(const JwtProvider&, const JwtProvider&) = default;
};

/// What this agent last fetched for a JwtProvider of the same name. The set stays when a later
/// fetch fails; one of another uri than the provider's means nothing.
struct KeySet {
  static constexpr Kind kind = Kind::key_set;
  Name provider;
  std::string uri;
  std::string jwks;    ///< JSON (RFC 7517); empty: never fetched.
  WallTime fetched{};  ///< When this text first came.
  std::string problem; ///< Why the last fetch failed; empty: it did not.
  friend bool operator==(const KeySet&, const KeySet&) = default;
};

/// JWT requirements of one listener's routes (Consul).
struct GatewayPolicy {
  static constexpr Kind kind = Kind::gateway_policy;
  Meta meta;
  std::string target_group, target_kind, target_ns, target_name, target_section;
  std::optional<JwtRequirement> override_jwt, default_jwt;
  std::vector<Unsupported> unsupported;
  friend bool operator==(const GatewayPolicy&, const GatewayPolicy&) = default;
};

/// JWT requirements of the rules that name it (Consul).
struct RouteAuthFilter {
  static constexpr Kind kind = Kind::route_auth_filter;
  Meta meta;
  std::optional<JwtRequirement> jwt;
  std::vector<Unsupported> unsupported;
  friend bool operator==(const RouteAuthFilter&, const RouteAuthFilter&) = default;
};

/// (Consul)
struct RouteRetryFilter {
  static constexpr Kind kind = Kind::route_retry_filter;
  Meta meta;
  std::optional<std::uint32_t> num_retries;
  std::vector<std::string> retry_on; ///< "5xx", "reset", "connect-failure", …
  std::vector<std::uint16_t> retry_on_status_codes;
  bool retry_on_connect_failure = false;
  std::vector<Unsupported> unsupported;
  friend bool operator==(const RouteRetryFilter&, const RouteRetryFilter&) = default;
};

/// (Consul) Zero: none.
struct RouteTimeoutFilter {
  static constexpr Kind kind = Kind::route_timeout_filter;
  Meta meta;
  std::optional<Millis> request_timeout, idle_timeout;
  std::vector<Unsupported> unsupported;
  friend bool operator==(const RouteTimeoutFilter&, const RouteTimeoutFilter&) = default;
};

/// Which services stand in for a service that has no endpoint that is fit for use (Consul's
/// service-resolver, of which Strait carries out Failover of every subset).
///
/// Object NS/NAME is for Service NS/NAME. Namespace "default" is also Consul's only one: object
/// default/NAME is for service NAME of the catalog too, and config entry NAME is that object.
struct ServiceResolver {
  static constexpr Kind kind = Kind::service_resolver;
  struct Target {
    std::string service; ///< Empty: of the same name.
    std::string ns;      ///< Empty: the resolver's; there is no other to be had.
    std::string peer;    ///< Empty: of this datacenter.
    friend bool operator==(const Target&, const Target&) = default;
  };
  static constexpr std::size_t targets_max = 8;
  Meta meta;                    ///< Annotations: a config entry's Meta.
  std::vector<Target> failover; ///< In the order in which they are asked. At most targets_max.
  std::vector<Unsupported> unsupported;
  friend bool operator==(const ServiceResolver&, const ServiceResolver&) = default;
};

} // namespace strait::model
