#include "net/udp.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace strait::net {

namespace {

/// Room for one packet-information message of either family.
constexpr std::size_t control_bytes = CMSG_SPACE(sizeof(in6_pktinfo));

Result<Fd> udp_socket(const Address& address) {
  Fd fd{::socket(address.is_ipv6() ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                 IPPROTO_UDP)};
  if (!fd)
    return fail(Errc::exhausted, "UDP socket for {}: {}", address.to_string(),
                std::strerror(errno));
  return fd;
}

void switch_on(const Fd& fd, int level, int option) {
  const int on = 1;
  ::setsockopt(fd.get(), level, option, &on, sizeof on);
}

Errc code_of(int error) {
  switch (error) {
  case EADDRINUSE:
    return Errc::conflict;
  case EACCES:
  case EPERM:
    return Errc::denied;
  case EADDRNOTAVAIL:
  case EAFNOSUPPORT:
  case EINVAL:
    return Errc::invalid;
  default:
    return Errc::unavailable;
  }
}

Udp outcome_of(int error) {
  switch (error) {
  case EAGAIN:
  case ENOBUFS:
    return Udp::later;
  case ECONNREFUSED:
  case EHOSTUNREACH:
  case EHOSTDOWN:
  case ENETUNREACH:
    return Udp::refused;
  default:
    return Udp::failed;
  }
}

/// The address in a received packet-information message.
Address destination(const cmsghdr& header, const unsigned char* data) {
  if (header.cmsg_level == IPPROTO_IP && header.cmsg_type == IP_PKTINFO) {
    in_pktinfo information;
    std::memcpy(&information, data, sizeof information);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr = information.ipi_spec_dst;
    return Address::from_sockaddr(reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  if (header.cmsg_level == IPPROTO_IPV6 && header.cmsg_type == IPV6_PKTINFO) {
    in6_pktinfo information;
    std::memcpy(&information, data, sizeof information);
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = information.ipi6_addr;
    return Address::from_sockaddr(reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  return {};
}

template <class Information>
std::size_t put(cmsghdr& header, int level, int type, const Information& information) {
  header.cmsg_level = level;
  header.cmsg_type = type;
  header.cmsg_len = CMSG_LEN(sizeof information);
  std::memcpy(CMSG_DATA(&header), &information, sizeof information);
  return CMSG_SPACE(sizeof information);
}

std::size_t put_source(cmsghdr& header, const Address& from) {
  if (from.is_ipv6()) {
    in6_pktinfo information{};
    information.ipi6_addr = reinterpret_cast<const sockaddr_in6*>(from.data())->sin6_addr;
    return put(header, IPPROTO_IPV6, IPV6_PKTINFO, information);
  }
  in_pktinfo information{};
  information.ipi_spec_dst = reinterpret_cast<const sockaddr_in*>(from.data())->sin_addr;
  return put(header, IPPROTO_IP, IP_PKTINFO, information);
}

} // namespace

Result<Fd> bind_udp(const Address& address, bool reuse_port) {
  auto fd = udp_socket(address);
  if (!fd)
    return fd;
  if (reuse_port)
    switch_on(*fd, SOL_SOCKET, SO_REUSEPORT);
  if (address.is_ipv6()) {
    switch_on(*fd, IPPROTO_IPV6, IPV6_V6ONLY);
    switch_on(*fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
  } else {
    switch_on(*fd, IPPROTO_IP, IP_PKTINFO);
  }
  if (::bind(fd->get(), address.data(), address.size()) < 0)
    return fail(code_of(errno), "bind UDP {}: {}", address.to_string(), std::strerror(errno));
  return fd;
}

Result<Fd> connect_udp(const Address& address) {
  auto fd = udp_socket(address);
  if (!fd)
    return fd;
  if (::connect(fd->get(), address.data(), address.size()) < 0)
    return fail(code_of(errno), "connect UDP {}: {}", address.to_string(), std::strerror(errno));
  return fd;
}

Udp receive_datagram(const Fd& fd, std::span<char> space, Datagram& out) {
  sockaddr_storage from{};
  alignas(cmsghdr) std::array<unsigned char, control_bytes> control;
  iovec slice{space.data(), space.size()};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &slice;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t got;
  do
    got = ::recvmsg(fd.get(), &message, MSG_TRUNC);
  while (got < 0 && errno == EINTR);
  if (got < 0)
    return outcome_of(errno);
  out.bytes = static_cast<std::size_t>(got);
  out.truncated = (message.msg_flags & MSG_TRUNC) != 0;
  out.from = Address::from_sockaddr(reinterpret_cast<const sockaddr*>(&from), message.msg_namelen);
  out.to = {};
  for (auto* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header))
    out.to = destination(*header, CMSG_DATA(header));
  return Udp::moved;
}

Udp receive_datagram(const Fd& fd, std::span<char> space, std::size_t& bytes, bool& truncated) {
  ssize_t got;
  do
    got = ::recv(fd.get(), space.data(), space.size(), MSG_TRUNC);
  while (got < 0 && errno == EINTR);
  if (got < 0)
    return outcome_of(errno);
  bytes = static_cast<std::size_t>(got);
  truncated = bytes > space.size();
  return Udp::moved;
}

Udp send_datagram(const Fd& fd, std::string_view bytes, const Address& to, const Address& from) {
  alignas(cmsghdr) std::array<unsigned char, control_bytes> control{};
  iovec slice{const_cast<char*>(bytes.data()), bytes.size()}; // sendmsg only reads it.
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(to.data());
  message.msg_namelen = to.size();
  message.msg_iov = &slice;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  message.msg_controllen = put_source(*CMSG_FIRSTHDR(&message), from);
  ssize_t sent;
  do
    sent = ::sendmsg(fd.get(), &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? outcome_of(errno) : Udp::moved;
}

Udp send_datagram(const Fd& fd, std::string_view bytes) {
  ssize_t sent;
  do
    sent = ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? outcome_of(errno) : Udp::moved;
}

} // namespace strait::net
