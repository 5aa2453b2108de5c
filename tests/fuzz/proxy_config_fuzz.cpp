// links: strait_gateway_feed
//
// Frames of the feed and what they carry: whatever decodes is encoded to bytes that decode to the
// same, and a delta can be made into a snapshot.
#include "gateway/feed/feed_codec.hpp"
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
  delta->from = delta->epoch;
  if (delta->from != 0 && !builder.apply(*delta)) // The same once more changes nothing.
    __builtin_trap();
  return 0;
}
