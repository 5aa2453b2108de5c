#pragma once

#include "base/persistent_map.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// What a gateway's proxy serves, as resources with ids: the outcome of resolution, and what the
/// feed carries to a proxy process. Every reference has been resolved or turned into a refusal, so
/// a worker needs no second source. Values only; nothing here knows Kubernetes or Consul.
///
/// Config (all resources, shared structure) ── Delta ──► SnapshotBuilder ──► Snapshot (tables for
/// workers)
namespace strait::gateway {

/// What a listener's port speaks. One port speaks one protocol.
enum class Protocol : std::uint8_t {
  http,
  https,
  tcp,
  udp,
  tls,     ///< TLSRoutes: connections by SNI, passed through or terminated.
  peering, ///< Mutual TLS from gateways of peered datacenters; SNI names the exported service.
};

enum class TlsVersion : std::uint8_t { any, tls1_0, tls1_1, tls1_2, tls1_3 };

struct TlsSettings {
  std::vector<std::string> certificates; ///< Ids into Config::certificates; chosen by SNI.
  TlsVersion min = TlsVersion::tls1_2;
  TlsVersion max = TlsVersion::any;
  std::vector<std::string> cipher_suites; ///< OpenSSL names, for TLS 1.2 and below; empty: default.
  friend bool operator==(const TlsSettings&, const TlsSettings&) = default;
};

/// Whose certificates clients must show (frontend mutual TLS).
struct ClientValidation {
  std::vector<std::string> ca_pems;
  bool insecure_fallback = false; ///< None, or one that does not verify, is let in too.
  friend bool operator==(const ClientValidation&, const ClientValidation&) = default;
};

/// One listener of the Gateway, or of a ListenerSet ("NAMESPACE/SET/LISTENER" with '~' for '/').
/// Several may share a port if their hostnames differ.
struct Listener {
  std::string name;
  std::string address; ///< To bind; empty: every address.
  std::uint16_t port = 0;
  Protocol protocol = Protocol::http;
  std::string hostname; ///< "", "api.example.com" or "*.example.com"; lower case.
  TlsSettings tls;
  std::optional<ClientValidation> clients; ///< HTTPS only.
  bool passthrough = false;                ///< TLS only: the backends terminate.
  /// What clients connect to where `port` is mapped inside a container; 0: port.
  std::uint16_t public_port = 0;
  friend bool operator==(const Listener&, const Listener&) = default;
};

struct HeaderEdit {
  std::string name, value;
  friend bool operator==(const HeaderEdit&, const HeaderEdit&) = default;
};
struct HeaderEdits {
  std::vector<HeaderEdit> set, add;
  std::vector<std::string> remove;
  bool empty() const { return set.empty() && add.empty() && remove.empty(); }
  friend bool operator==(const HeaderEdits&, const HeaderEdits&) = default;
};

/// Where a share of a rule's requests goes: to a cluster, or to a refusal.
struct Backend {
  std::string cluster;       ///< Id into Config::clusters; empty: refused.
  std::uint32_t weight = 1;  ///< 0..1000000
  std::uint16_t refusal = 0; ///< The status that its share is answered with, when cluster is empty.
  HeaderEdits request, response;
  friend bool operator==(const Backend&, const Backend&) = default;
};

enum class PathType : std::uint8_t { exact, prefix, regex };
enum class ValueType : std::uint8_t { exact, regex };

struct ValueCondition {
  ValueType type = ValueType::exact;
  std::string name; ///< Header names in lower case; query names as they are.
  std::string value;
  friend bool operator==(const ValueCondition&, const ValueCondition&) = default;
};

struct Match {
  PathType path_type = PathType::prefix;
  std::string path = "/"; ///< A prefix matches by element and has no trailing slash, but for "/".
  std::string method;     ///< Empty: any.
  std::vector<ValueCondition> headers, query;
  friend bool operator==(const Match&, const Match&) = default;
};

/// How a path is made new; the match that chose the rule says which prefix is replaced.
struct PathEdit {
  enum class Type : std::uint8_t { full, prefix };
  Type type = Type::full;
  std::string value;
  friend bool operator==(const PathEdit&, const PathEdit&) = default;
};

struct Redirect {
  std::string scheme, hostname; ///< Empty: the request's.
  std::optional<PathEdit> path;
  std::uint16_t port = 0; ///< 0: the scheme's own if a scheme is given, else the listener's.
  std::uint16_t status = 302;
  friend bool operator==(const Redirect&, const Redirect&) = default;
};

struct Rewrite {
  std::string hostname; ///< Empty: the request's.
  std::optional<PathEdit> path;
  friend bool operator==(const Rewrite&, const Rewrite&) = default;
};

/// A copy of numerator of denominator requests, each drawn by itself; its answer is thrown away.
struct Mirror {
  std::string cluster;
  std::uint32_t numerator = 1, denominator = 1;
  friend bool operator==(const Mirror&, const Mirror&) = default;
};

/// Fetch's CORS protocol, answered by the gateway.
struct Cors {
  std::vector<std::string> allow_origins; ///< "*" stands for any text, from the left, greedily.
  bool allow_credentials = false;
  std::vector<std::string> allow_methods, allow_headers, expose_headers; ///< "*": any.
  std::int32_t max_age = 5;                                              ///< Seconds.
  friend bool operator==(const Cors&, const Cors&) = default;
};

/// Another service is asked whether the request may pass.
struct ExternalAuth {
  std::string cluster;       ///< Empty: refused.
  std::uint16_t refusal = 0; ///< The status that every request is answered with, without a cluster.
  bool grpc = false;         ///< envoy.service.auth.v3.Authorization, else HTTP.
  std::string path;          ///< HTTP: stands before the request's path.
  std::vector<std::string> allowed_headers;          ///< Lower case; passed to the authorizer.
  std::vector<std::string> allowed_response_headers; ///< Lower case; passed on to the backend.
  std::uint32_t forward_body = 0;                    ///< Bytes at most; 0: none.
  friend bool operator==(const ExternalAuth&, const ExternalAuth&) = default;
};

struct Retry {
  std::vector<std::uint16_t> codes; ///< Statuses of the backend that are tried again.
  std::uint32_t attempts = 1;       ///< After the first.
  bool on_connection_error = true;  ///< If nothing of the request can have been acted on.
  Millis backoff{0};                ///< At least, between two attempts.
  friend bool operator==(const Retry&, const Retry&) = default;
};

/// Requests of one session go to one endpoint; the endpoint's name travels in a cookie or header.
struct SessionPersistence {
  bool header = false; ///< Else a cookie.
  std::string name;
  Millis absolute_timeout{0}; ///< 0: none.
  bool permanent = false;     ///< A cookie with Max-Age.
  friend bool operator==(const SessionPersistence&, const SessionPersistence&) = default;
};

/// A JSON web token must be there, signed by one of the providers (RFC 7519).
struct Jwt {
  struct Location {
    enum class Type : std::uint8_t { header, query, cookie };
    Type type = Type::header;
    std::string name = "authorization"; ///< A header's in lower case.
    std::string prefix = "Bearer";
    bool forward = true;
    friend bool operator==(const Location&, const Location&) = default;
  };
  struct Claim {
    std::vector<std::string> path;
    std::string value;
    friend bool operator==(const Claim&, const Claim&) = default;
  };
  struct Provider {
    std::string name, issuer;
    std::vector<std::string> audiences;
    std::string jwks; ///< JSON (RFC 7517); none yet: no token of this provider is valid.
    std::vector<Location> locations;
    std::vector<Claim> claims;
    std::int32_t clock_skew_seconds = 30;
    friend bool operator==(const Provider&, const Provider&) = default;
  };
  std::vector<Provider> providers; ///< Any of them.
  friend bool operator==(const Jwt&, const Jwt&) = default;
};

/// In the order in which a request meets them: cors, jwt, auth, redirect, mirrors and rewrite,
/// backend.
struct HttpRule {
  std::string name;
  std::vector<Match> matches; ///< Any of them; never empty.
  HeaderEdits request, response;
  std::vector<Backend> backends; ///< None, or weights that add to 0: answered with 500.
  std::optional<Cors> cors;
  std::vector<Jwt> jwt; ///< All of them.
  std::optional<ExternalAuth> auth;
  std::optional<Redirect> redirect; ///< Then backends are not used.
  std::vector<Mirror> mirrors;
  std::optional<Rewrite> rewrite;
  /// 0: none at all; nothing said: the proxy's own times between request, answer and bytes.
  std::optional<Millis> request_timeout; ///< From the request's head to the answer's end.
  std::optional<Millis> backend_timeout; ///< One attempt.
  std::optional<Millis> idle_timeout;    ///< Between bytes.
  std::optional<Retry> retry;
  std::optional<SessionPersistence> session;
  friend bool operator==(const HttpRule&, const HttpRule&) = default;
};

struct HttpRoute {
  std::vector<std::string> hostnames; ///< Lower case; empty: every host of the listener.
  std::vector<HttpRule> rules;
  bool grpc = false; ///< A GRPCRoute: backends are spoken to in HTTP/2.
  friend bool operator==(const HttpRoute&, const HttpRoute&) = default;
};

struct TcpRoute {
  std::vector<Backend> backends; ///< A refused share's connections are closed.
  friend bool operator==(const TcpRoute&, const TcpRoute&) = default;
};

struct TlsRoute {
  std::vector<std::string> hostnames; ///< Lower case, matched with SNI; empty: the listener's.
  std::vector<Backend> backends;      ///< A refused share's connections are closed.
  friend bool operator==(const TlsRoute&, const TlsRoute&) = default;
};

struct UdpRoute {
  std::vector<Backend> backends; ///< A refused share's datagrams are dropped.
  friend bool operator==(const UdpRoute&, const UdpRoute&) = default;
};

/// A route as one listener serves it.
struct BoundRoute {
  std::string id;     ///< "HTTPRoute default/web"; also the last tie-break of precedence, by text.
  WallTime created{}; ///< Older wins ties.
  std::variant<HttpRoute, TcpRoute, TlsRoute, UdpRoute> route;
  friend bool operator==(const BoundRoute&, const BoundRoute&) = default;
};

struct Endpoint {
  std::string address; ///< IPv4 or IPv6 literal, or a host name.
  std::uint16_t port = 0;
  std::uint32_t weight = 1;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// How a cluster of a peered datacenter is dialled: its gateway's peering listener, with our
/// identity, expecting theirs (SPIFFE).
struct PeerTls {
  std::string sni;
  std::vector<std::string> spiffe_ids; ///< Any of them must be the server's URI SAN.
  std::vector<std::string> root_pems;
  std::string identity; ///< Id into Config::certificates: what we present.
  friend bool operator==(const PeerTls&, const PeerTls&) = default;
};

/// How a Service with a BackendTLSPolicy is reached. Certificate "backend-client" of the Config is
/// presented, if there is one.
struct BackendTls {
  std::string sni;                    ///< And the certificate's name, if there are no SANs.
  std::vector<std::string> dns_names; ///< Any of these …
  std::vector<std::string> uris;      ///< … or these must be among the certificate's SANs.
  std::vector<std::string> ca_pems;
  bool system_ca = false; ///< The machine's trusted authorities instead.
  friend bool operator==(const BackendTls&, const BackendTls&) = default;
};
inline constexpr const char* backend_client_certificate = "backend-client";

inline constexpr std::size_t failover_max = 8;

/// The endpoints behind one backend. It changes when pods come and go; routes name it by id, so
/// that such a change replaces one pointer and no route.
struct Cluster {
  std::string id;                  ///< "service/default/web/8080", "catalog/web", "peer/dc2/api"
  std::vector<Endpoint> endpoints; ///< Ready ones, sorted. None: its share is answered with 503.
  std::optional<PeerTls> tls;
  std::optional<BackendTls> backend_tls;
  bool http2 = false;   ///< appProtocol kubernetes.io/h2c: HTTP/2 with prior knowledge.
  bool refused = false; ///< It must not be reached (a broken BackendTLSPolicy): 500.
  /// Ids of clusters that stand in, the first that has one, while this has no endpoint that is fit
  /// for use: none at all, or all ejected. Theirs are not followed. At most failover_max.
  std::vector<std::string> failover;
  friend bool operator==(const Cluster&, const Cluster&) = default;
};

struct Certificate {
  std::string id; ///< "Secret default/edge-tls", "identity"
  std::string chain_pem, key_pem;
  friend bool operator==(const Certificate&, const Certificate&) = default;
};

/// One service that the peering listener lets in.
struct PeeringExport {
  std::string sni; ///< "<svc>.default.default.<peer>.external.<trust-domain>"
  std::string cluster;
  std::string peer; ///< Whose trust bundle the client's certificate must chain to.
  /// SPIFFE ids of callers that intentions allow, in order; "*" as the last element of the path
  /// stands for any service. The first that matches decides.
  struct Caller {
    std::string spiffe_id;
    bool allow = false;
    friend bool operator==(const Caller&, const Caller&) = default;
  };
  std::vector<Caller> callers;
  friend bool operator==(const PeeringExport&, const PeeringExport&) = default;
};

struct PeeringTrust {
  std::string peer;
  std::string trust_domain;
  std::vector<std::string> root_pems;
  friend bool operator==(const PeeringTrust&, const PeeringTrust&) = default;
};

template <class T>
using Resources = PersistentMap<std::string, std::shared_ptr<const T>>;

/// "listener/route id": where a BoundRoute stands.
inline std::string binding_key(const std::string& listener, const std::string& route) {
  return listener + '/' + route;
}

/// The listener of a binding key; listener names hold no '/'.
inline std::string_view listener_of(std::string_view binding) {
  return binding.substr(0, binding.find('/'));
}

/// Sets (a pointer) or removes (null) one resource.
template <class T>
void change(Resources<T>& resources, const std::string& key, std::shared_ptr<const T> value) {
  resources = value ? resources.with(key, std::move(value)) : resources.without(key);
}

/// All of one gateway. Copying copies pointers; a change shares everything else.
struct Config {
  std::uint64_t epoch = 0;             ///< Grows with every change; what a proxy acknowledges.
  Resources<Listener> listeners;       ///< By name.
  Resources<BoundRoute> routes;        ///< By binding_key().
  Resources<Cluster> clusters;         ///< By id.
  Resources<Certificate> certificates; ///< By id.
  Resources<PeeringExport> exports;    ///< By sni.
  Resources<PeeringTrust> trust;       ///< By peer.
};

/// What one epoch changes: set (a pointer) or removed (null), by key.
template <class T>
using Changed = std::vector<std::pair<std::string, std::shared_ptr<const T>>>;

struct Delta {
  std::uint64_t from = 0; ///< The epoch that it applies to; 0: to nothing, it is the whole.
  std::uint64_t epoch = 0;
  Changed<Listener> listeners;
  Changed<BoundRoute> routes;
  Changed<Cluster> clusters;
  Changed<Certificate> certificates;
  Changed<PeeringExport> exports;
  Changed<PeeringTrust> trust;
  bool empty() const {
    return listeners.empty() && routes.empty() && clusters.empty() && certificates.empty() &&
           exports.empty() && trust.empty();
  }
};

/// The config with the delta applied, or, if the delta is a whole (from 0), what the delta holds.
/// The delta's `from` is otherwise the caller's to check.
Config apply(Config config, const Delta& delta);
/// The delta that makes the whole config out of nothing.
Delta whole(const Config& config);
/// What leads from one to the other; costs as much as both are large, unless they are the same.
Delta difference(const Config& from, const Config& to);

/// Every resource, sorted, as text: for golden files and for comparing two ways to one answer.
/// Private keys are shown by length only. The epoch is not shown: it is no resource.
std::string to_text(const Config& config);

} // namespace strait::gateway
