// links: strait_kubernetes strait_model strait_base
#include "kubernetes/config_entry.hpp"
#include "kubernetes/decode.hpp"
#include "kubernetes/encode.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

using namespace strait::kubernetes;

namespace {

void require(bool fine, const std::string& text) {
  if (fine)
    return;
  std::fprintf(stderr, "does not read back as it was:\n%s\n", text.c_str());
  std::abort();
}

} // namespace

/// No text brings the decoders of JSON objects and of config entries down, and what they read is
/// written as JSON that reads back as an equal value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  if (auto object = decode_json(text)) {
    auto json = to_json(*object);
    std::visit(
        [](auto& it) {
          // Values of fields that are not implemented are not kept, so they cannot come back.
          if constexpr (requires { it.unsupported; })
            it.unsupported.clear();
        },
        *object);
    auto again = decode_json(json);
    require(again && *again == *object, json);
  }
  if (auto entry = decode_config_entry(text)) {
    auto json = encode_config_entry(*entry, 1, 2);
    auto again = decode_config_entry(json);
    require(again && *again == *entry, json);
  }
  return 0;
}
