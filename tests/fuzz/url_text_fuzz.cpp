// links: strait_api
#include "api/duration.hpp"
#include "net/http_message.hpp"

#include <cstdint>
#include <cstdlib>

/// Text in a URL: whatever it is, encoding makes it safe and decoding gives it back.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace strait;
  std::string_view text{reinterpret_cast<const char*>(data), size};
  if (net::percent_decode(net::percent_encode(text)) != text)
    std::abort();
  if (net::percent_decode(text, true).size() > text.size())
    std::abort();
  std::size_t bytes = 0;
  for (auto& [name, value] : net::parse_query(text))
    bytes += name.size() + value.size();
  if (bytes > text.size())
    std::abort();
  api::parse_duration(text);
  return 0;
}
