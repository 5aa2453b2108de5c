// links: strait_catalog
// A row of the store: the first byte says how long the key is, then key and value. Whatever decodes
// is encoded to a row that decodes to the same again.

#include "catalog/record_codec.hpp"

#include <cstdlib>

using namespace strait::catalog;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes{reinterpret_cast<const char*>(data), size};
  if (bytes.empty())
    return 0;
  auto key_bytes = bytes.substr(1, data[0]);
  auto value = bytes.substr(1 + key_bytes.size());
  auto key = decode_key(key_bytes);
  if (!key)
    return 0;
  if (encode_key(*key) != key_bytes)
    std::abort();
  if (is_index(key->kind)) {
    auto revision = decode_index(*key, value);
    if (revision && decode_index(*key, encode_index(*revision)) != revision)
      std::abort();
    return 0;
  }
  auto record = decode_record(*key, value);
  if (!record)
    return 0;
  auto again = decode_record(*key, encode_record(record->value, record->created, record->modified));
  if (!again || !(*again == *record))
    std::abort();
  return 0;
}
