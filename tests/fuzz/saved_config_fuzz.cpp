// links: strait_gateway_feed
//
// A saved config: whatever loads is saved to bytes that load again to the same.
#include "gateway/feed/feed_codec.hpp"
#include "gateway/feed/saved_config.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace strait::gateway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input{reinterpret_cast<const char*>(data), size};
  auto config = feed::decode_saved(input);
  if (!config)
    return 0;
  auto again = feed::decode_saved(feed::encode_saved(*config));
  if (!again || to_text(*again) != to_text(*config))
    __builtin_trap();
  return 0;
}
