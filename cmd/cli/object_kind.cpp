#include "cmd/cli/object_kind.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace strait::cli {

namespace {

using model::Kind;

constexpr std::array kinds{
    ObjectKind{Kind::gateway_class, "gc", false},
    ObjectKind{Kind::gateway_class_config, "gcc", false},
    ObjectKind{Kind::gateway, "gtw"},
    ObjectKind{Kind::http_route, ""},
    ObjectKind{Kind::tcp_route, ""},
    ObjectKind{Kind::reference_grant, "refgrant"},
    ObjectKind{Kind::mesh_service, ""},
    ObjectKind{Kind::service, "svc"},
    ObjectKind{Kind::endpoint_slice, ""},
    ObjectKind{Kind::secret, ""},
    ObjectKind{Kind::config_map, "cm"},
    ObjectKind{Kind::namespace_, "ns", false},
    ObjectKind{Kind::exported_services, "", false},
    ObjectKind{Kind::service_intentions, "", false},
    ObjectKind{Kind::grpc_route, ""},
    ObjectKind{Kind::tls_route, ""},
    ObjectKind{Kind::udp_route, ""},
    ObjectKind{Kind::listener_set, "lset"},
    ObjectKind{Kind::backend_tls_policy, "btlspolicy"},
    ObjectKind{Kind::gateway_policy, ""},
    ObjectKind{Kind::route_auth_filter, ""},
    ObjectKind{Kind::route_retry_filter, ""},
    ObjectKind{Kind::route_timeout_filter, ""},
    ObjectKind{Kind::jwt_provider, ""},
    ObjectKind{Kind::service_resolver, ""},
    ObjectKind{Kind::pod, "po"},
};

/// Lower case and without dashes: "exported-services" and "ExportedServices" are one.
std::string folded(std::string_view text) {
  std::string out;
  for (char c : text)
    if (c != '-')
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// "httproute" in the singular and the plural: "httproutes", "gatewayclasses", "gatewaypolicies".
bool names(std::string_view wanted, const std::string& singular) {
  if (wanted == singular || wanted == singular + "s" || wanted == singular + "es")
    return true;
  return singular.ends_with('y') && wanted == singular.substr(0, singular.size() - 1) + "ies";
}

} // namespace

std::span<const ObjectKind> object_kinds() { return kinds; }

std::vector<std::string> object_kind_names() {
  std::vector<std::string> out;
  for (const auto& kind : kinds)
    out.emplace_back(to_string(kind.kind));
  return out;
}

Outcome<ObjectKind> object_kind(std::string_view name) {
  auto wanted = folded(name);
  for (const auto& kind : kinds) {
    if (names(wanted, folded(to_string(kind.kind))) ||
        (!kind.short_name.empty() && wanted == kind.short_name))
      return kind;
  }
  std::string known;
  for (const auto& kind : object_kind_names())
    known += (known.empty() ? "" : ", ") + kind;
  return tl::unexpected{Failure{ExitCode::usage, "there is no kind of object called \"" +
                                                     std::string{name} + "\"; there are " + known}};
}

std::string objects_path(const ObjectKind& kind, std::string_view ns, std::string_view name) {
  auto out = "/strait/v1/objects/" + std::string{to_string(kind.kind)};
  if (kind.namespaced && !ns.empty())
    out += "/" + net::percent_encode(ns);
  else if (!kind.namespaced && !name.empty())
    out += "/-"; // Where the namespace stands: these kinds have none.
  if (!name.empty())
    out += "/" + net::percent_encode(name);
  return out;
}

} // namespace strait::cli
