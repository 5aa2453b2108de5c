// links: Threads::Threads
// A parser with a planted bug: proof that the fuzzer, the sanitizer and the test around them can
// find one.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

namespace {

// A record is the tag "TAG", then its length, then its bytes. The length is believed without a look
// at what is there.
int last_byte_of_record(const std::uint8_t* data, std::size_t size) {
  if (size < 5 || data[0] != 'T' || data[1] != 'A' || data[2] != 'G')
    return -1;
  const std::size_t length = data[3];
  auto body = std::make_unique<std::uint8_t[]>(size - 4);
  std::memcpy(body.get(), data + 4, size - 4);
  const volatile std::uint8_t* believed = body.get();
  return length == 0 ? -1 : believed[length - 1];
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  last_byte_of_record(data, size);
  return 0;
}
