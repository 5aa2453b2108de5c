// links: strait_peering
#include "peering/exports.hpp"
#include "peering/message.hpp"

#include <cstdint>
#include <cstdlib>

/// A message that is decoded is encoded to one that is decoded to the same; a resource in it is
/// either refused or becomes a command that names nothing empty.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace strait::peering;
  auto message = decode({reinterpret_cast<const char*>(data), size});
  if (!message)
    return 0;
  auto again = decode(encode(*message));
  if (!again || *again != *message)
    std::abort();
  auto* response = std::get_if<Response>(&*message);
  if (!response || !response->payload)
    return 0;
  auto resource = resource_from(response->url);
  if (!resource)
    return 0;
  auto payload = decode_payload(*resource, response->id, *response->payload);
  if (!payload)
    return 0;
  if (auto* service = std::get_if<ExportedService>(&*payload))
    for (const auto& instance : service->instances)
      if (instance.node.name.empty() || instance.instance.id.empty())
        std::abort();
  (void)import_command("peer", std::move(*payload));
  return 0;
}
