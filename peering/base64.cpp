#include "peering/base64.hpp"

#include <openssl/evp.h>

namespace strait::peering {

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0'); // EVP adds a NUL.
  auto size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                              reinterpret_cast<const unsigned char*>(bytes.data()),
                              static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

Result<std::string> from_base64(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  auto first = text.find_first_not_of(space);
  if (first == std::string_view::npos)
    return std::string{};
  text = text.substr(first, text.find_last_not_of(space) - first + 1);
  auto padding = text.size() - (text.find_last_not_of('=') + 1);
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  auto body = text.substr(0, text.size() - padding);
  if (text.size() % 4 != 0 || padding > 2 ||
      body.find_first_not_of(alphabet) != std::string_view::npos)
    return fail(Errc::invalid, "not base64");
  std::string bytes(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size())) < 0)
    return fail(Errc::invalid, "not base64");
  bytes.resize(bytes.size() - padding);
  return bytes;
}

} // namespace strait::peering
