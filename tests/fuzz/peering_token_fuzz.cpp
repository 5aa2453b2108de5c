// links: strait_peering
#include "peering/token.hpp"

#include <cstdint>
#include <cstdlib>

/// A token that is accepted survives being encoded and decoded again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace strait::peering;
  std::string_view text{reinterpret_cast<const char*>(data), size};
  if (auto token = decode_token(text)) {
    auto again = decode_token(encode_token(*token));
    if (!again || (again->peer_id.size() == token->peer_id.size() && !check_token(*again)))
      std::abort();
  }
  return 0;
}
