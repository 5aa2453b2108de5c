// links: strait_peering
#include "peering/names.hpp"

#include <cstdint>
#include <cstdlib>

/// What is read as a name of the peering protocol is written as that name again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace strait::peering;
  std::string_view text{reinterpret_cast<const char*>(data), size};
  if (auto id = parse_spiffe_id(text))
    if (parse_spiffe_id(to_string(*id)) != id)
      std::abort();
  if (auto sni = parse_peered_service_sni(text))
    if (parse_peered_service_sni(peered_service_sni(*sni)) != sni)
      std::abort();
  if (auto name = parse_peering_server_name(text))
    if (parse_peering_server_name(peering_server_name(name->datacenter, name->trust_domain)) !=
        name)
      std::abort();
  if (check_peer_name(text) && (text.empty() || text.size() > 63))
    std::abort();
  return 0;
}
