// links: strait_gateway_proxy
#include "gateway/proxy/jwt.hpp"

#include <cstdint>
#include <string_view>

// The first line is a key set, the second a token, the rest claims as if a signature had covered
// them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace strait;
  using namespace strait::gateway;
  std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto take_line = [&] {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    return line;
  };
  const auto set = take_line();
  const auto token = take_line();
  auto parsed = proxy::KeySet::parse(set);
  const auto keys = parsed ? std::move(*parsed) : proxy::KeySet{};
  if (keys.size() > proxy::jwks_keys_max)
    __builtin_trap();
  const Jwt::Provider provider{.issuer = "me", .audiences = {"a"}, .claims = {{{"a", "b"}, "7"}}};
  const WallTime now{Millis{1'000'000}};
  // Without keys nobody can have signed anything.
  if (proxy::check_jwt(provider, keys, token, now) == proxy::JwtFault::none && keys.size() == 0)
    __builtin_trap();
  proxy::check_claims(provider, text, now);
  return 0;
}
