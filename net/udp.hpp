#pragma once

#include "net/socket.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace strait::net {

/// What came of receiving or sending one datagram. Nothing is allocated, whatever it is.
enum class Udp : std::uint8_t {
  moved,
  later,   ///< Receiving: none waits. Sending: the kernel has no room, the datagram is dropped.
  refused, ///< Of a connected socket: nobody listens at the other end, or none reaches it (ICMP).
  failed,  ///< Too large for the path, no memory.
};

/// One datagram as it was received.
struct Datagram {
  std::size_t bytes = 0;  ///< As it was sent: more than the space if it was cut off.
  Address from;           ///< Its sender.
  Address to;             ///< The address of this machine that it was sent to; port 0.
  bool truncated = false; ///< The space was too small, what is there is a part.
};

/// A non-blocking UDP socket bound to an address (IPv6 ones take IPv6 only), that tells with each
/// datagram which address it came for. Errors as of listen_tcp().
Result<Fd> bind_udp(const Address& address, bool reuse_port = false);
/// A non-blocking UDP socket that sends to this address and hears only from it.
Result<Fd> connect_udp(const Address& address);

/// The next datagram. Zero bytes are a datagram too.
Udp receive_datagram(const Fd& fd, std::span<char> space, Datagram& out);
/// On a connected socket: where it came from is known.
Udp receive_datagram(const Fd& fd, std::span<char> space, std::size_t& bytes, bool& truncated);
/// Sends to an address; `from` is the address of this machine to send from (Datagram::to).
Udp send_datagram(const Fd& fd, std::string_view bytes, const Address& to, const Address& from);
Udp send_datagram(const Fd& fd, std::string_view bytes);

} // namespace strait::net
