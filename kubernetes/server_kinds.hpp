#pragma once

#include "base/result.hpp"
#include "catalog/model/object.hpp"

#include <array>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Which kinds Strait reads from an API server, and how it finds out which of them there are. Pure.
namespace strait::kubernetes {

/// One kind in one API group. A model kind may stand in two (Consul's old and new group).
struct ServerKind {
  model::Kind kind{};
  std::string_view group;                   ///< "" is core.
  std::string_view name, plural;            ///< "HTTPRoute", "httproutes"
  std::array<std::string_view, 2> versions; ///< That Strait decodes, the best first.
  bool namespaced = true;
  bool status = false;    ///< Strait writes its status.
  bool built_in = false;  ///< Every server has it.
  bool on_demand = false; ///< Only those that something refers to are read: Secrets, ConfigMaps.
  std::string_view label_selector{}; ///< Only those are read.
};
std::span<const ServerKind> server_kinds();

/// "gateway.networking.k8s.io/v1", or "v1" for core.
std::string api_version(const ServerKind& kind, std::string_view version);
/// Of the whole cluster with an empty namespace.
std::string collection_path(const ServerKind& kind, std::string_view version,
                            std::string_view ns = {});
std::string object_path(const ServerKind& kind, std::string_view version, const model::Name& name);

/// Discovery of one API group: GET /apis/GROUP tells versions, GET /apis/GROUP/VERSION their kinds.
inline constexpr std::array<std::string_view, 3> discovered_groups{
    "gateway.networking.k8s.io", "consul.hashicorp.com", "api-gateway.consul.hashicorp.com"};
Result<std::vector<std::string>> parse_group(std::string_view text);
/// The plurals that can be listed and watched.
Result<std::set<std::string>> parse_resources(std::string_view text);

/// By group and version, the plurals served.
using Resources = std::map<std::pair<std::string, std::string>, std::set<std::string>>;
/// The best version of the kind that is served; empty: the server does not have the kind.
std::string_view served_version(const ServerKind& kind, const Resources& resources);

/// What the server has of the Gateway API, for GatewayClass' condition SupportedVersion.
struct GatewayApi {
  std::set<std::string> missing;                ///< Kinds: "TCPRoute".
  std::map<std::string, std::string> bundles{}; ///< CRD → its bundle-version annotation.
  friend bool operator==(const GatewayApi&, const GatewayApi&) = default;
};
struct ApiSupport {
  bool supported = true;
  std::string message;
};
/// Releases of the same major and one of these minors are known to work: what CRDs must be.
inline constexpr int bundle_major = 1;
inline constexpr int bundle_minor_min = 6, bundle_minor_max = 7;
ApiSupport support_of(const GatewayApi& api);
inline constexpr std::string_view bundle_annotation = "gateway.networking.k8s.io/bundle-version";

} // namespace strait::kubernetes
