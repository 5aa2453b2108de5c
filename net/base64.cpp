#include "net/base64.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace strait::net {

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0'); // EVP adds a NUL.
  auto size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                              reinterpret_cast<const unsigned char*>(bytes.data()),
                              static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

Result<std::string> from_base64(std::string_view given) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::string_view blank = " \t\r\n";
  auto first = given.find_first_not_of(blank);
  if (first == std::string_view::npos)
    return std::string{};
  std::string text{given.substr(first, given.find_last_not_of(blank) - first + 1)};
  std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
  auto body = text.find_last_not_of('=') + 1;
  auto padding = text.size() - body;
  if (text.size() % 4 != 0 || padding > 2 ||
      std::string_view{text}.substr(0, body).find_first_not_of(alphabet) != std::string_view::npos)
    return fail(Errc::invalid, "not base64");
  std::string bytes(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size())) < 0)
    return fail(Errc::invalid, "not base64");
  bytes.resize(bytes.size() - padding);
  return bytes;
}

} // namespace strait::net
