#pragma once

#include "base/time.hpp"

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The nouns as plain values: no IO, `==` defaulted. What a field means and which values it may
/// take is said by the API it comes from: Gateway API v1.6 for its kinds, Consul for its own.
namespace strait::model {

/// Every kind of record that the catalog keeps. The numbers are part of the stored format
/// (docs/formats/catalog.md): never change one, only add.
enum class Kind : std::uint8_t {
  gateway_class = 1,
  gateway_class_config = 2,
  gateway = 3,
  http_route = 4,
  tcp_route = 5,
  reference_grant = 6,
  mesh_service = 7,
  service = 8, ///< A Kubernetes Service.
  endpoint_slice = 9,
  secret = 10,
  config_map = 11,
  namespace_ = 12,
  grpc_route = 13,
  tls_route = 14,
  udp_route = 15,
  listener_set = 16,
  backend_tls_policy = 17,
  gateway_policy = 18,
  route_auth_filter = 19,
  node = 20,
  service_instance = 21, ///< One registered instance of a catalog service.
  health_check = 22,
  exported_services = 23,  ///< Consul config entry.
  service_intentions = 24, ///< Consul config entry.
  service_resolver = 25,   ///< Consul's, as an object.
  peering = 30,
  peering_secrets = 31,
  trust_bundle = 32,
  certificate_authority = 33,
  route_retry_filter = 34,
  route_timeout_filter = 35,
  jwt_provider = 36,  ///< Consul's, as an object.
  key_set = 37,       ///< What was fetched for a jwt_provider.
  kept_route = 38,    ///< A route as one gateway served it when it was last in order.
  pod = 39,           ///< Of a gateway.
  object_status = 40, ///< Conditions of another object.
  service_index = 41, ///< The revision that last changed one catalog service.
  kind_index = 42,    ///< The revision that last removed a record of one kind.
};

/// "HTTPRoute", "Gateway", …: the name in the API that the kind comes from.
std::string_view to_string(Kind kind);
/// The kind of that name, in any case ("httproute" too, as on a command line).
std::optional<Kind> kind_from(std::string_view name);
/// "gateway.networking.k8s.io", "" for core kinds, "consul.hashicorp.com" for Consul's.
std::string_view api_group(Kind kind);

/// Namespace and name; the namespace is empty for cluster-wide kinds.
struct Name {
  std::string ns;
  std::string name;

  friend auto operator<=>(const Name&, const Name&) = default;
  friend bool operator==(const Name&, const Name&) = default;
};
/// "ns/name", or "name" without a namespace.
std::string to_string(const Name& name);

struct ObjectKey {
  Kind kind{};
  Name name;

  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
  friend bool operator==(const ObjectKey&, const ObjectKey&) = default;
};
/// "HTTPRoute default/web"
std::string to_string(const ObjectKey& key);

using StringMap = std::map<std::string, std::string>;

/// The head of every Kubernetes-style object (metav1.ObjectMeta, the part that Strait uses).
struct Meta {
  Name name;
  std::string uid;
  std::int64_t generation = 1; ///< Grows with every change of the spec.
  WallTime created{};
  StringMap labels;
  StringMap annotations;

  friend bool operator==(const Meta&, const Meta&) = default;
};

/// A field that Strait cannot carry out: reported in a condition, never ignored in silence.
struct Unsupported {
  std::string path;      ///< "spec.rules[0].timeouts"
  std::string problem{}; ///< What was expected there; empty: Strait does not implement the field.

  friend bool operator==(const Unsupported&, const Unsupported&) = default;
};
/// "spec.rules[0].timeouts is not supported", or "spec.x: expected …".
std::string to_string(const Unsupported& field);

} // namespace strait::model
