#include "gateway/proxy/session_token.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstring>

namespace strait::gateway::proxy {

namespace {

constexpr std::size_t number_bytes = 8;
constexpr std::size_t token_bytes = 3 * number_bytes; // Expiry, endpoint, tag.
constexpr std::size_t token_characters = token_bytes / 3 * 4;
using Token = std::array<unsigned char, token_bytes>;

void put(Token& token, std::size_t at, std::uint64_t number) {
  for (std::size_t i = 0; i < number_bytes; ++i)
    token[at + i] = static_cast<unsigned char>(number >> (56 - 8 * i));
}

std::uint64_t number_at(const Token& token, std::size_t at) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < number_bytes; ++i)
    number = number << 8 | token[at + i];
  return number;
}

/// Writes the tag over what stands before it.
bool sign(const SessionScope& scope, Token& token) {
  std::string text{reinterpret_cast<const char*>(token.data()), 2 * number_bytes};
  text.append(scope.route).append(1, '\0').append(scope.rule);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (!HMAC(EVP_sha256(), scope.key.data(), static_cast<int>(scope.key.size()),
            reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size))
    return false;
  std::memcpy(token.data() + 2 * number_bytes, digest.data(), number_bytes);
  return true;
}

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

} // namespace

std::uint64_t session_endpoint(std::string_view cluster, std::string_view endpoint) {
  std::uint64_t state = 0xcbf29ce484222325ULL; // FNV-1a
  const auto mix = [&](std::string_view text) {
    for (char c : text)
      state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  };
  mix(cluster);
  mix(std::string_view{"\0", 1});
  mix(endpoint);
  return state;
}

std::string make_session_token(const SessionScope& scope, std::uint64_t endpoint,
                               WallTime expires) {
  Token token{};
  put(token, 0, static_cast<std::uint64_t>(expires.time_since_epoch().count()));
  put(token, number_bytes, endpoint);
  std::string text;
  if (!sign(scope, token))
    return text;
  for (std::size_t at = 0; at < token.size(); at += 3) {
    const auto bits = static_cast<unsigned>(token[at]) << 16 |
                      static_cast<unsigned>(token[at + 1]) << 8 | token[at + 2];
    for (int shift = 18; shift >= 0; shift -= 6)
      text.push_back(alphabet[bits >> shift & 63U]);
  }
  return text;
}

std::optional<std::uint64_t> read_session_token(const SessionScope& scope, std::string_view text,
                                                WallTime now) {
  if (text.size() != token_characters)
    return std::nullopt;
  Token token{};
  for (std::size_t i = 0; i < token_characters; i += 4) {
    unsigned bits = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const auto digit = alphabet.find(text[i + j]);
      if (digit == std::string_view::npos)
        return std::nullopt;
      bits = bits << 6 | static_cast<unsigned>(digit);
    }
    const auto at = i / 4 * 3;
    token[at] = static_cast<unsigned char>(bits >> 16);
    token[at + 1] = static_cast<unsigned char>(bits >> 8);
    token[at + 2] = static_cast<unsigned char>(bits);
  }
  auto genuine = token;
  if (!sign(scope, genuine) || CRYPTO_memcmp(genuine.data(), token.data(), token.size()) != 0)
    return std::nullopt;
  const auto expires = number_at(token, 0);
  if (expires != 0 && static_cast<std::uint64_t>(now.time_since_epoch().count()) >= expires)
    return std::nullopt;
  return number_at(token, number_bytes);
}

std::string session_cookie(const SessionPersistence& session, std::string_view token, bool tls) {
  std::string cookie{session.name};
  cookie.append(1, '=').append(token).append("; Path=/; HttpOnly");
  if (tls)
    cookie.append("; Secure");
  if (session.permanent && session.absolute_timeout > Millis{0})
    cookie.append("; Max-Age=").append(std::to_string(session.absolute_timeout.count() / 1000));
  return cookie;
}

} // namespace strait::gateway::proxy
