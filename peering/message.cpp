#include "peering/message.hpp"

#include <array>

namespace strait::peering {
namespace {

struct Row {
  Resource resource;
  std::string_view url;
  std::string_view id;
};
constexpr std::array rows{
    Row{Resource::exported_service,
        "type.googleapis.com/hashicorp.consul.internal.peerstream.ExportedService", ""},
    Row{Resource::exported_service_list,
        "type.googleapis.com/hashicorp.consul.internal.peerstream.ExportedServiceList",
        "exported-service-list"},
    Row{Resource::trust_bundle,
        "type.googleapis.com/hashicorp.consul.internal.peering.PeeringTrustBundle", "roots"},
    Row{Resource::server_addresses,
        "type.googleapis.com/hashicorp.consul.internal.peering.PeeringServerAddresses",
        "server-addrs"},
};
static_assert(rows.size() == resource_count);

} // namespace

std::string_view type_url(Resource resource) {
  return rows[static_cast<std::size_t>(resource)].url;
}
std::string_view single_id(Resource resource) {
  return rows[static_cast<std::size_t>(resource)].id;
}

std::optional<Resource> resource_from(std::string_view url) {
  for (const auto& row : rows)
    if (row.url == url)
      return row.resource;
  return {};
}

} // namespace strait::peering
