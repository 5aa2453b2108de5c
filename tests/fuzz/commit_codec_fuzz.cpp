// links: strait_storage
// A record of the change log: whatever decodes is encoded to the same bytes again.

#include "storage/commit_codec.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes{reinterpret_cast<const char*>(data), size};
  auto commit = strait::storage::decode_commit(1, bytes);
  if (commit && strait::storage::encode_writes(*commit) != bytes)
    std::abort();
  return 0;
}
