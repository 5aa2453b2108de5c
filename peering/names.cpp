#include "peering/names.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <vector>

namespace strait::peering {
namespace {

constexpr std::size_t peer_name_bytes_max = 63;
constexpr std::size_t sni_bytes_max = 255;
constexpr std::size_t spiffe_bytes_max = 2048; // SPIFFE-ID §2.3

bool is_name_byte(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0;;) {
    auto to = text.find(separator, from);
    parts.push_back(text.substr(from, to - from));
    if (to == std::string_view::npos)
      return parts;
    from = to + 1;
  }
}

bool any_empty(const std::vector<std::string_view>& parts) {
  return std::any_of(parts.begin(), parts.end(), [](auto part) { return part.empty(); });
}

} // namespace

Status check_peer_name(std::string_view name) {
  bool ok =
      !name.empty() && name.size() <= peer_name_bytes_max && name.front() != '-' &&
      name.back() != '-' &&
      std::all_of(name.begin(), name.end(), [](char c) { return is_name_byte(c) || c == '-'; });
  if (ok)
    return {};
  return fail(Errc::invalid,
              "peering \"{}\": a valid peering name must consist of lower case alphanumeric "
              "characters or '-', start and end with an alphanumeric character, and be at most {} "
              "characters long",
              name.substr(0, 128), peer_name_bytes_max);
}

std::string trust_domain_of(std::string_view cluster_id) {
  return ascii_lower(cluster_id) + ".consul";
}

bool is_trust_domain(std::string_view text) {
  constexpr std::string_view suffix = ".consul";
  if (text.size() != 36 + suffix.size() || text.substr(36) != suffix)
    return false;
  for (std::size_t i = 0; i < 36; ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    bool hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    if (dash ? text[i] != '-' : !hex)
      return false;
  }
  return true;
}

std::string peering_server_name(std::string_view datacenter, std::string_view trust_domain) {
  return fmt::format("server.{}.peering.{}", datacenter, trust_domain);
}

std::optional<PeeringServerName> parse_peering_server_name(std::string_view name) {
  if (name.size() > sni_bytes_max)
    return {};
  auto parts = split(name, '.');
  if (parts.size() != 5 || any_empty(parts) || parts[0] != "server" || parts[2] != "peering")
    return {};
  return PeeringServerName{std::string{parts[1]}, fmt::format("{}.{}", parts[3], parts[4])};
}

std::string peered_service_sni(const PeeredServiceSni& name) {
  return fmt::format("{}.default.default.{}.external.{}", name.service, name.peer,
                     name.trust_domain);
}

std::optional<PeeredServiceSni> parse_peered_service_sni(std::string_view sni) {
  if (sni.size() > sni_bytes_max)
    return {};
  auto parts = split(sni, '.');
  if (parts.size() != 7 || any_empty(parts) || parts[1] != "default" || parts[2] != "default" ||
      parts[4] != "external")
    return {};
  return PeeredServiceSni{std::string{parts[0]}, std::string{parts[3]},
                          fmt::format("{}.{}", parts[5], parts[6])};
}

std::string mesh_gateway_sni(std::string_view datacenter, std::string_view trust_domain) {
  return fmt::format("{}.internal.{}", datacenter, trust_domain);
}

std::string to_string(const SpiffeId& id) {
  switch (id.role) {
  case SpiffeId::Role::service:
    return fmt::format("spiffe://{}/ns/{}/dc/{}/svc/{}", id.trust_domain, id.ns, id.datacenter,
                       id.service);
  case SpiffeId::Role::mesh_gateway:
    return fmt::format("spiffe://{}/gateway/mesh/dc/{}", id.trust_domain, id.datacenter);
  case SpiffeId::Role::server:
    return fmt::format("spiffe://{}/agent/server/dc/{}", id.trust_domain, id.datacenter);
  case SpiffeId::Role::api_gateway:
    return fmt::format("spiffe://{}/ns/{}/dc/{}/gateway/{}", id.trust_domain, id.ns, id.datacenter,
                       id.service);
  }
  return {};
}

std::optional<SpiffeId> parse_spiffe_id(std::string_view uri) {
  constexpr std::string_view scheme = "spiffe://";
  if (uri.size() > spiffe_bytes_max || !uri.starts_with(scheme))
    return {};
  auto parts = split(uri.substr(scheme.size()), '/');
  if (any_empty(parts))
    return {};
  SpiffeId id;
  id.trust_domain = std::string{parts[0]};
  auto path = std::vector<std::string_view>(parts.begin() + 1, parts.end());
  if (path.size() > 2 && path[0] == "ap") // A partition other than the default one.
    path.erase(path.begin(), path.begin() + 2);
  if (path.size() == 6 && path[0] == "ns" && path[2] == "dc" &&
      (path[4] == "svc" || path[4] == "gateway")) {
    id.role = path[4] == "svc" ? SpiffeId::Role::service : SpiffeId::Role::api_gateway;
    id.ns = std::string{path[1]};
    id.datacenter = std::string{path[3]};
    id.service = std::string{path[5]};
    return id;
  }
  if (path.size() != 4 || path[2] != "dc")
    return {};
  id.datacenter = std::string{path[3]};
  if (path[0] == "gateway" && path[1] == "mesh")
    id.role = SpiffeId::Role::mesh_gateway;
  else if (path[0] == "agent" && path[1] == "server")
    id.role = SpiffeId::Role::server;
  else
    return {};
  return id;
}

} // namespace strait::peering
