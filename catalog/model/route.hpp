#pragma once

#include "catalog/model/object.hpp"

#include <variant>

namespace strait::model {

/// From a route to a Gateway (or one listener of it).
struct ParentRef {
  std::string group = "gateway.networking.k8s.io";
  std::string kind = "Gateway";
  std::string ns; ///< Empty: the route's own.
  std::string name;
  std::string section_name;          ///< A listener's name; empty: all.
  std::optional<std::uint16_t> port; ///< Only listeners of this port.
  friend auto operator<=>(const ParentRef&, const ParentRef&) = default;
  friend bool operator==(const ParentRef&, const ParentRef&) = default;
};

struct Header {
  std::string name, value;
  friend bool operator==(const Header&, const Header&) = default;
};

/// RequestHeaderModifier and ResponseHeaderModifier.
struct HeaderModifier {
  std::vector<Header> set, add;
  std::vector<std::string> remove;
  bool empty() const { return set.empty() && add.empty() && remove.empty(); }
  friend bool operator==(const HeaderModifier&, const HeaderModifier&) = default;
};

struct RequestHeaderModifier {
  HeaderModifier headers;
  friend bool operator==(const RequestHeaderModifier&, const RequestHeaderModifier&) = default;
};
struct ResponseHeaderModifier {
  HeaderModifier headers;
  friend bool operator==(const ResponseHeaderModifier&, const ResponseHeaderModifier&) = default;
};
/// A filter that the API knows and Strait does not carry out yet.
struct UnsupportedFilter {
  std::string type;
  friend bool operator==(const UnsupportedFilter&, const UnsupportedFilter&) = default;
};

/// BackendObjectReference: a backend without a weight.
struct BackendTarget {
  std::string group; ///< "" is core (Service); MeshService has consul.hashicorp.com.
  std::string kind = "Service";
  std::string ns; ///< Empty: the route's own.
  std::string name;
  std::optional<std::uint16_t> port;
  friend bool operator==(const BackendTarget&, const BackendTarget&) = default;
};

/// The share of requests that is copied: numerator of denominator.
struct RequestMirror {
  BackendTarget backend;
  std::uint32_t numerator = 100, denominator = 100; ///< "percent: 42" is 42 of 100.
  friend bool operator==(const RequestMirror&, const RequestMirror&) = default;
};

/// HTTPPathModifier.
struct PathModifier {
  enum class Type : std::uint8_t { full, prefix };
  Type type = Type::full;
  std::string value;
  friend bool operator==(const PathModifier&, const PathModifier&) = default;
};

struct RequestRedirect {
  std::string scheme;   ///< "http", "https"; empty: the request's.
  std::string hostname; ///< Empty: the request's.
  std::optional<PathModifier> path;
  std::optional<std::uint16_t> port;
  std::uint16_t status = 302; ///< 301, 302, 303, 307 or 308.
  friend bool operator==(const RequestRedirect&, const RequestRedirect&) = default;
};

struct UrlRewrite {
  std::string hostname; ///< Empty: the request's.
  std::optional<PathModifier> path;
  friend bool operator==(const UrlRewrite&, const UrlRewrite&) = default;
};

struct Cors {
  std::vector<std::string> allow_origins; ///< "*", "https://*.example.com", …
  bool allow_credentials = false;
  std::vector<std::string> allow_methods, allow_headers, expose_headers;
  std::int32_t max_age = 5; ///< Seconds.
  friend bool operator==(const Cors&, const Cors&) = default;
};

struct ExternalAuth {
  enum class Protocol : std::uint8_t { http, grpc };
  Protocol protocol = Protocol::http;
  BackendTarget backend;
  std::string path;                         ///< HTTP only: prepended to the request's.
  std::vector<std::string> allowed_headers; ///< Of the request, passed on to the authorizer.
  std::vector<std::string> allowed_response_headers; ///< HTTP only: passed on to the backend.
  std::uint32_t forward_body = 0;                    ///< Bytes at most; 0: the body is not sent.
  friend bool operator==(const ExternalAuth&, const ExternalAuth&) = default;
};

/// A filter of another kind: RouteRetryFilter, RouteTimeoutFilter, RouteAuthFilter
/// (catalog/model/policy.hpp), or one that Strait does not know.
struct ExtensionRef {
  std::string group, kind, name;
  friend bool operator==(const ExtensionRef&, const ExtensionRef&) = default;
};

using Filter =
    std::variant<RequestHeaderModifier, ResponseHeaderModifier, UnsupportedFilter, RequestMirror,
                 RequestRedirect, UrlRewrite, Cors, ExternalAuth, ExtensionRef>;

struct BackendRef {
  std::string group; ///< "" is core (Service); MeshService has consul.hashicorp.com.
  std::string kind = "Service";
  std::string ns; ///< Empty: the route's own.
  std::string name;
  std::optional<std::uint16_t> port;
  std::int32_t weight = 1;
  std::vector<Filter> filters;
  friend bool operator==(const BackendRef&, const BackendRef&) = default;
};

enum class PathMatchType : std::uint8_t { exact, prefix, regex };
struct PathMatch {
  PathMatchType type = PathMatchType::prefix;
  std::string value = "/";
  friend bool operator==(const PathMatch&, const PathMatch&) = default;
};

enum class ValueMatchType : std::uint8_t { exact, regex };
/// A condition on one header or one query parameter.
struct ValueMatch {
  ValueMatchType type = ValueMatchType::exact;
  std::string name, value;
  friend bool operator==(const ValueMatch&, const ValueMatch&) = default;
};

struct HttpMatch {
  PathMatch path;
  std::vector<ValueMatch> headers, query;
  std::string method; ///< Upper case; empty: any.
  friend bool operator==(const HttpMatch&, const HttpMatch&) = default;
};

/// HTTPRouteTimeouts. Zero: none.
struct Timeouts {
  std::optional<Millis> request, backend_request;
  friend bool operator==(const Timeouts&, const Timeouts&) = default;
};

/// HTTPRouteRetry.
struct Retry {
  std::vector<std::uint16_t> codes; ///< Statuses of the backend that are tried again.
  std::optional<std::int32_t> attempts;
  std::optional<Millis> backoff; ///< At least, between two attempts.
  friend bool operator==(const Retry&, const Retry&) = default;
};

struct SessionPersistence {
  enum class Type : std::uint8_t { cookie, header };
  Type type = Type::cookie;
  std::string name; ///< Of the cookie or header; empty: Strait's own.
  std::optional<Millis> absolute_timeout;
  bool permanent = false; ///< A cookie that outlives the browser's session; needs absolute_timeout.
  friend bool operator==(const SessionPersistence&, const SessionPersistence&) = default;
};

struct HttpRule {
  std::string name;
  std::vector<HttpMatch> matches; ///< Never empty after decoding: the default is prefix "/".
  std::vector<Filter> filters;
  std::vector<BackendRef> backends;
  Timeouts timeouts;
  std::optional<Retry> retry;
  std::optional<SessionPersistence> session;
  friend bool operator==(const HttpRule&, const HttpRule&) = default;
};

struct HttpRoute {
  static constexpr Kind kind = Kind::http_route;
  Meta meta;
  std::vector<ParentRef> parents;
  std::vector<std::string> hostnames;
  std::vector<HttpRule> rules;
  std::vector<Unsupported> unsupported;
  friend bool operator==(const HttpRoute&, const HttpRoute&) = default;
};

struct TcpRoute {
  static constexpr Kind kind = Kind::tcp_route;
  Meta meta;
  std::vector<ParentRef> parents;
  std::vector<BackendRef> backends; ///< Of its one rule.
  std::vector<Unsupported> unsupported;
  friend bool operator==(const TcpRoute&, const TcpRoute&) = default;
};

/// GRPCMethodMatch; empty service or method: any.
struct GrpcMethodMatch {
  ValueMatchType type = ValueMatchType::exact;
  std::string service, method;
  friend bool operator==(const GrpcMethodMatch&, const GrpcMethodMatch&) = default;
};

struct GrpcMatch {
  std::optional<GrpcMethodMatch> method;
  std::vector<ValueMatch> headers;
  friend bool operator==(const GrpcMatch&, const GrpcMatch&) = default;
};

struct GrpcRule {
  std::string name;
  std::vector<GrpcMatch> matches; ///< Empty: every request.
  std::vector<Filter> filters;
  std::vector<BackendRef> backends;
  std::optional<SessionPersistence> session;
  friend bool operator==(const GrpcRule&, const GrpcRule&) = default;
};

struct GrpcRoute {
  static constexpr Kind kind = Kind::grpc_route;
  Meta meta;
  std::vector<ParentRef> parents;
  std::vector<std::string> hostnames;
  std::vector<GrpcRule> rules;
  std::vector<Unsupported> unsupported;
  friend bool operator==(const GrpcRoute&, const GrpcRoute&) = default;
};

struct TlsRoute {
  static constexpr Kind kind = Kind::tls_route;
  Meta meta;
  std::vector<ParentRef> parents;
  std::vector<std::string> hostnames; ///< Matched with SNI.
  std::vector<BackendRef> backends;   ///< Of its one rule.
  std::vector<Unsupported> unsupported;
  friend bool operator==(const TlsRoute&, const TlsRoute&) = default;
};

struct UdpRoute {
  static constexpr Kind kind = Kind::udp_route;
  Meta meta;
  std::vector<ParentRef> parents;
  std::vector<BackendRef> backends; ///< Of its one rule.
  std::vector<Unsupported> unsupported;
  friend bool operator==(const UdpRoute&, const UdpRoute&) = default;
};

/// Lives in the namespace that is referred to (Gateway API ReferenceGrant).
struct ReferenceGrant {
  static constexpr Kind kind = Kind::reference_grant;
  struct From {
    std::string group, kind, ns;
    friend bool operator==(const From&, const From&) = default;
  };
  struct To {
    std::string group, kind;
    std::string name; ///< Empty: every name.
    friend bool operator==(const To&, const To&) = default;
  };
  Meta meta;
  std::vector<From> from;
  std::vector<To> to;
  friend bool operator==(const ReferenceGrant&, const ReferenceGrant&) = default;
};

/// How a route names a catalog service, of this datacenter or of a peered one (specification B8).
struct MeshService {
  static constexpr Kind kind = Kind::mesh_service;
  Meta meta;
  std::string service; ///< spec.name; empty: the object's own name.
  std::string peer;    ///< Empty: this datacenter.
  friend bool operator==(const MeshService&, const MeshService&) = default;
};

} // namespace strait::model
