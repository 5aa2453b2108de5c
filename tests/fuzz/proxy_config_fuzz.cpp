// links: strait_gateway_feed
//
// Frames of the feed and what they carry: whatever decodes is encoded to bytes that decode to the
// same, a delta can be made into a snapshot, its names can be looked up, and its routes compared.
#include "gateway/feed/feed_codec.hpp"
#include "gateway/snapshot/shadow_index.hpp"
#include "gateway/snapshot/snapshot.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace strait::gateway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input{reinterpret_cast<const char*>(data), size};
  if (auto frame = feed::decode_proxy_frame(input)) {
    auto again = feed::decode_proxy_frame(feed::encode(*frame));
    if (!again || *again != *frame)
      __builtin_trap();
  }
  if (auto frame = feed::decode_config_frame(input)) {
    auto bytes = feed::encode(*frame);
    if (!feed::decode_config_frame(bytes))
      __builtin_trap();
  }
  auto delta = feed::decode(input);
  if (!delta)
    return 0;
  auto bytes = feed::encode(*delta);
  auto again = feed::decode(bytes);
  if (!again || feed::encode(*again) != bytes)
    __builtin_trap();
  delta->from = 0;
  SnapshotBuilder builder;
  if (!builder.apply(*delta))
    __builtin_trap();
  for (const auto& [number, port] : builder.current()->ports)
    for (const auto& [hostname, table] : port->by_hostname) {
      // A hostname's own listener is the most specific for it, but a wildcard is no host.
      const bool is_host = !hostname.starts_with('*');
      if (is_host && find_tls(*port, hostname).listener != table.get())
        __builtin_trap();
      if (is_host && misdirected(*port, *table, hostname))
        __builtin_trap();
    }
  ShadowIndex shadows;
  for (const auto& [key, route] : builder.current()->config.routes)
    shadows.change(key, route);
  for (const auto& [key, route] : builder.current()->config.routes) {
    shadows.shadowed(key);
    shadows.change(key, nullptr);
  }
  delta->from = delta->epoch;
  if (delta->from != 0 && !builder.apply(*delta)) // The same once more changes nothing.
    __builtin_trap();
  return 0;
}
