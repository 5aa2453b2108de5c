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
std::string header_name(std::string_view text);       ///< RFC 9110 token, 1..256.
std::string header_value(std::string_view text);      ///< RFC 9110 field value, 1..4096.
std::string query_value(std::string_view text);       ///< 1..1024.
/// The value of an Exact or PathPrefix match.
std::string literal_path(std::string_view text);
std::string regular_expression(std::string_view text); ///< RE2, 1..1024.
std::string qualified_name(std::string_view text);     ///< Key of a label or annotation.
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
