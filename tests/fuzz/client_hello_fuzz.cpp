// links: strait_net strait_base
//
// A ClientHello seen whole is seen the same with bytes behind it; a part of it is either refused
// likewise or asks for more.
#include "net/client_hello.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace strait::net;
  std::string bytes{reinterpret_cast<const char*>(data), size};
  auto whole = peek_client_hello(bytes);
  for (auto c : whole.server_name)
    if (c <= 0x20 || (c >= 'A' && c <= 'Z'))
      std::abort();
  for (auto cut : {size / 3, size / 2, size > 0 ? size - 1 : 0}) {
    auto part = peek_client_hello(bytes.substr(0, cut));
    if (part.state != ClientHello::State::need_more &&
        (part.state != whole.state || part.server_name != whole.server_name))
      std::abort();
  }
  if (whole.state == ClientHello::State::complete) {
    auto more = peek_client_hello(bytes + "more");
    if (more.state != whole.state || more.server_name != whole.server_name ||
        more.alpn != whole.alpn)
      std::abort();
  }
  return 0;
}
