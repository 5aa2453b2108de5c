#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>

namespace strait::net {

/// An IPv4 or IPv6 address with a port. A value; any thread.
class Address {
public:
  /// 0.0.0.0:0
  Address();
  /// "127.0.0.1:80", "[::1]:80", ":80" (every IPv4 address). Host names are not resolved: see
  /// dns.hpp. The error names the text and what was expected.
  static Result<Address> parse(std::string_view host_and_port);
  /// The IP text alone ("10.0.0.1", "::1", "[::1]") with a port.
  static Result<Address> from_ip(std::string_view ip, std::uint16_t port);
  static Address loopback(std::uint16_t port);
  static Address any(std::uint16_t port);
  /// From the kernel's form; families other than IPv4 and IPv6 give 0.0.0.0:0.
  static Address from_sockaddr(const sockaddr* address, socklen_t size);

  std::uint16_t port() const;
  [[nodiscard]] Address with_port(std::uint16_t port) const;
  bool is_ipv6() const;
  bool is_loopback() const;
  /// "10.0.0.1" or "::1": no brackets, no port.
  std::string ip() const;
  /// "10.0.0.1:80" or "[::1]:80".
  std::string to_string() const;

  const sockaddr* data() const { return &storage_.base; }
  socklen_t size() const;

  friend bool operator==(const Address& a, const Address& b);

private:
  union Storage {
    sockaddr base;
    sockaddr_in v4;
    sockaddr_in6 v6;
  } storage_;
};

/// Splits "host:port" or "[ipv6]:port" whose host may be a name; an absent port gives 0.
struct HostAndPort {
  std::string host;
  std::uint16_t port = 0;
};
Result<HostAndPort> split_host_port(std::string_view text);

} // namespace strait::net
