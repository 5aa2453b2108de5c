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
using Filter = std::variant<RequestHeaderModifier, ResponseHeaderModifier, UnsupportedFilter>;

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

struct HttpRule {
  std::string name;
  std::vector<HttpMatch> matches; ///< Never empty after decoding: the default is prefix "/".
  std::vector<Filter> filters;
  std::vector<BackendRef> backends;
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
