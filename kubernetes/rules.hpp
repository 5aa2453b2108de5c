#pragma once

#include <string>
#include <string_view>

/// What the Gateway API and Kubernetes demand of single texts. Each says what it expected, or
/// nothing when the text is fine.
namespace strait::kubernetes::rules {

using TextRule = std::string (*)(std::string_view);

std::string any(std::string_view text);
std::string not_empty(std::string_view text);
std::string dns_label(std::string_view text);     ///< RFC 1123 label, at most 63.
std::string dns_subdomain(std::string_view text); ///< RFC 1123 subdomain, at most 253.
std::string api_group(std::string_view text);     ///< A subdomain, or empty for core.
std::string api_kind(std::string_view text);
/// DNS name whose first label may be "*" (Gateway API Hostname); no IP address.
std::string hostname(std::string_view text);
std::string listener_hostname(std::string_view text); ///< As hostname; empty is every host.
std::string precise_hostname(std::string_view text);  ///< DNS name without "*"; no IP address.
std::string header_name(std::string_view text);       ///< RFC 9110 token, 1..256.
std::string header_value(std::string_view text);      ///< RFC 9110 field value, 1..4096.
std::string query_value(std::string_view text);       ///< 1..1024.
/// The value of an Exact or PathPrefix match.
std::string literal_path(std::string_view text);
std::string regular_expression(std::string_view text); ///< RE2, 1..1024.
std::string path_replacement(std::string_view text);   ///< Of a path modifier: at most 1024.
std::string authorizer_path(std::string_view text);    ///< Put before a request's path, or empty.
std::string cors_origin(std::string_view text); ///< "*", or scheme, host (may begin "*.") and port.
std::string grpc_service(std::string_view text); ///< "package.Service", at most 1024.
std::string grpc_method(std::string_view text);
std::string session_name(std::string_view text);   ///< Of a cookie or header, at most 128.
std::string absolute_uri(std::string_view text);   ///< 1..253
std::string http_uri(std::string_view text);       ///< http:// or https://
std::string well_known_ca(std::string_view text);  ///< "System" or "example.com/name"
std::string duration(std::string_view text);       ///< GEP-2257: "1h30m", "500ms".
std::string go_duration(std::string_view text);    ///< As Go writes it: also "1.5s".
std::string quantity(std::string_view text);       ///< Kubernetes' resource quantity: "100m".
std::string qualified_name(std::string_view text); ///< Key of a label or annotation.
std::string annotation_key(std::string_view text); ///< As that, but capitals may stand anywhere.
std::string optional_qualified_name(std::string_view text); ///< Or empty.
std::string image(std::string_view text); ///< Of a container: 1..512, no white space.
std::string label_value(std::string_view text);
std::string data_key(std::string_view text); ///< Key in a Secret or ConfigMap.
std::string controller_name(std::string_view text);
std::string protocol(std::string_view text); ///< Of a listener: a name, or domain/name.
std::string address_type(std::string_view text);
std::string short_description(std::string_view text); ///< At most 64 characters.
std::string timestamp(std::string_view text);         ///< RFC 3339, whole seconds, UTC.
std::string service_name(std::string_view text);      ///< Of the Consul catalog, 1..255.
std::string service_name_or_star(std::string_view text);
std::string peer_name(std::string_view text);   ///< Of a peering; empty is this datacenter.
std::string target_port(std::string_view text); ///< Name of a container's port.
std::string ipv4(std::string_view text);
std::string ipv6(std::string_view text);

} // namespace strait::kubernetes::rules
