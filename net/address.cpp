#include "net/address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstring>

namespace strait::net {

namespace {

Result<std::uint16_t> parse_port(std::string_view text, std::string_view whole) {
  unsigned port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port > 65535)
    return fail(Errc::invalid, "address \"{}\": port must be 0..65535", whole);
  return static_cast<std::uint16_t>(port);
}

} // namespace

Address::Address() {
  std::memset(&storage_, 0, sizeof storage_);
  storage_.v4.sin_family = AF_INET;
}

Result<HostAndPort> split_host_port(std::string_view text) {
  HostAndPort out;
  std::string_view rest;
  if (!text.empty() && text.front() == '[') {
    auto close = text.find(']');
    if (close == std::string_view::npos)
      return fail(Errc::invalid, "address \"{}\": missing ]", text);
    out.host = std::string{text.substr(1, close - 1)};
    rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':')
      return fail(Errc::invalid, "address \"{}\": expected :PORT behind ]", text);
  } else {
    auto colon = text.find(':');
    if (colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos)
      return fail(Errc::invalid, "address \"{}\": an IPv6 address with a port is [IP]:PORT", text);
    out.host = std::string{text.substr(0, colon)};
    rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon);
  }
  if (!rest.empty()) {
    auto port = parse_port(rest.substr(1), text);
    if (!port)
      return fail(port.error());
    out.port = *port;
  }
  return out;
}

Result<Address> Address::parse(std::string_view text) {
  if (text.find(':') == std::string_view::npos)
    return fail(Errc::invalid, "address \"{}\": expected HOST:PORT", text);
  auto split = split_host_port(text);
  if (!split)
    return fail(split.error());
  if (split->host.empty() && text.front() == ':')
    return any(split->port);
  auto bracketed = text.front() == '[';
  auto address = from_ip(bracketed ? "[" + split->host + "]" : split->host, split->port);
  if (!address)
    return fail(Errc::invalid, "address \"{}\": expected IP:PORT, [IPv6]:PORT or :PORT", text);
  return address;
}

Result<Address> Address::from_ip(std::string_view ip, std::uint16_t port) {
  auto bare = ip;
  if (bare.size() > 2 && bare.front() == '[' && bare.back() == ']')
    bare = bare.substr(1, bare.size() - 2);
  std::array<char, INET6_ADDRSTRLEN + 1> text{};
  Address out;
  if (!bare.empty() && bare.size() < text.size() && bare.find('\0') == std::string_view::npos) {
    std::copy(bare.begin(), bare.end(), text.begin());
    if (bare.size() == ip.size() &&
        ::inet_pton(AF_INET, text.data(), &out.storage_.v4.sin_addr) == 1)
      return out.with_port(port);
    if (::inet_pton(AF_INET6, text.data(), &out.storage_.v6.sin6_addr) == 1) {
      out.storage_.v6.sin6_family = AF_INET6;
      out.storage_.v6.sin6_flowinfo = 0;
      return out.with_port(port);
    }
  }
  return fail(Errc::invalid, "\"{}\": expected an IPv4 or IPv6 address", ip);
}

Address Address::loopback(std::uint16_t port) {
  Address out;
  out.storage_.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out.with_port(port);
}

Address Address::any(std::uint16_t port) { return Address{}.with_port(port); }

Address Address::from_sockaddr(const sockaddr* address, socklen_t size) {
  Address out;
  if (address->sa_family == AF_INET && size >= sizeof(sockaddr_in))
    std::memcpy(&out.storage_.v4, address, sizeof(sockaddr_in));
  else if (address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6))
    std::memcpy(&out.storage_.v6, address, sizeof(sockaddr_in6));
  return out;
}

std::uint16_t Address::port() const {
  return ntohs(is_ipv6() ? storage_.v6.sin6_port : storage_.v4.sin_port);
}

Address Address::with_port(std::uint16_t port) const {
  auto out = *this;
  (is_ipv6() ? out.storage_.v6.sin6_port : out.storage_.v4.sin_port) = htons(port);
  return out;
}

bool Address::is_ipv6() const { return storage_.base.sa_family == AF_INET6; }

bool Address::is_loopback() const {
  return is_ipv6() ? IN6_IS_ADDR_LOOPBACK(&storage_.v6.sin6_addr) != 0
                   : ntohl(storage_.v4.sin_addr.s_addr) >> 24 == 127;
}

std::string Address::ip() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_ipv6())
    ::inet_ntop(AF_INET6, &storage_.v6.sin6_addr, text.data(), text.size());
  else
    ::inet_ntop(AF_INET, &storage_.v4.sin_addr, text.data(), text.size());
  return text.data();
}

std::string Address::to_string() const {
  return is_ipv6() ? fmt::format("[{}]:{}", ip(), port()) : fmt::format("{}:{}", ip(), port());
}

socklen_t Address::size() const { return is_ipv6() ? sizeof(sockaddr_in6) : sizeof(sockaddr_in); }

bool operator==(const Address& a, const Address& b) {
  if (a.is_ipv6() != b.is_ipv6() || a.port() != b.port())
    return false;
  if (!a.is_ipv6())
    return a.storage_.v4.sin_addr.s_addr == b.storage_.v4.sin_addr.s_addr;
  return std::memcmp(&a.storage_.v6.sin6_addr, &b.storage_.v6.sin6_addr, sizeof(in6_addr)) == 0 &&
         a.storage_.v6.sin6_scope_id == b.storage_.v6.sin6_scope_id;
}

} // namespace strait::net
