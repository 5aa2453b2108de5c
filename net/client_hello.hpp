#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace strait::net {

/// What can be seen of a TLS connection before it is terminated, for choosing where to pass it.
struct ClientHello {
  enum class State : std::uint8_t {
    need_more,
    complete,
    not_tls,   ///< The bytes are not a TLS handshake.
    malformed, ///< It began as one, but breaks RFC 8446 §4.1.2 or RFC 6066 §3.
    too_large, ///< A maximum below is passed.
  };
  State state = State::need_more;
  std::string server_name;       ///< Lower case; empty if there was none.
  std::vector<std::string> alpn; ///< As offered, in order.
};

/// Of the handshake message without record headers.
inline constexpr std::size_t client_hello_bytes_max = 16 * 1024;
/// Of the connection's bytes up to the end of the message: records of a byte each are refused here.
inline constexpr std::size_t client_hello_wire_bytes_max = 2 * client_hello_bytes_max;

/// Reads the ClientHello at the beginning of a connection's bytes, fragmented over records or not.
/// Pure; consumes nothing. Call again with more bytes on need_more.
ClientHello peek_client_hello(std::string_view bytes);

} // namespace strait::net
