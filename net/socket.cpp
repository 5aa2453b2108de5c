#include "net/socket.hpp"

#include <cerrno>
#include <cstring>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace strait::net {

void Fd::close() {
  if (fd_ >= 0)
    ::close(std::exchange(fd_, -1));
}

namespace {

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
  case EMFILE:
  case ENFILE:
  case ENOBUFS:
  case ENOMEM:
    return Errc::exhausted;
  default:
    return Errc::unavailable;
  }
}

std::string_view reason_of(int error) {
  switch (error) {
  case EADDRINUSE:
    return "address already in use";
  case EACCES:
  case EPERM:
    return "permission denied (ports below 1024 need a privilege)";
  case EADDRNOTAVAIL:
    return "not an address of this machine";
  case ECONNREFUSED:
    return "connection refused";
  case ETIMEDOUT:
    return "timed out";
  default:
    return std::strerror(error);
  }
}

auto refused(std::string_view what, const Address& address, int error) {
  return fail(code_of(error), "{} {}: {}", what, address.to_string(), reason_of(error));
}

void switch_on(int fd, int level, int option) {
  int on = 1;
  ::setsockopt(fd, level, option, &on, sizeof on);
}

Fd tcp_socket(const Address& address) {
  return Fd{::socket(address.is_ipv6() ? AF_INET6 : AF_INET,
                     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP)};
}

} // namespace

Result<Fd> listen_tcp(const Address& address, ListenOptions options) {
  auto fd = tcp_socket(address);
  if (!fd)
    return refused("listen on", address, errno);
  switch_on(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  if (options.reuse_port)
    switch_on(fd.get(), SOL_SOCKET, SO_REUSEPORT);
  if (address.is_ipv6())
    switch_on(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY);
  if (::bind(fd.get(), address.data(), address.size()) < 0 ||
      ::listen(fd.get(), options.backlog) < 0)
    return refused("listen on", address, errno);
  return fd;
}

Result<std::optional<Accepted>> accept_tcp(const Fd& listener) {
  for (;;) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    auto* from = reinterpret_cast<sockaddr*>(&storage);
    Fd fd{::accept4(listener.get(), from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (fd) {
      switch_on(fd.get(), IPPROTO_TCP, TCP_NODELAY);
      return Accepted{std::move(fd), Address::from_sockaddr(from, size)};
    }
    switch (errno) {
    case EAGAIN:
      return std::nullopt;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return fail(Errc::exhausted, "accept: {}", std::strerror(errno));
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
      return fail(Errc::internal, "accept: {}", std::strerror(errno));
    default:
      continue; // Died while it waited (accept(2) names a dozen such errors).
    }
  }
}

Result<Fd> connect_tcp(const Address& address) {
  auto fd = tcp_socket(address);
  if (!fd)
    return refused("connect to", address, errno);
  switch_on(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  if (::connect(fd.get(), address.data(), address.size()) < 0 && errno != EINPROGRESS)
    return refused("connect to", address, errno);
  return fd;
}

Status connect_outcome(const Fd& fd, const Address& address) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) < 0)
    error = errno;
  if (error)
    return fail(Errc::unavailable, "connect to {}: {}", address.to_string(), reason_of(error));
  return {};
}

std::optional<std::size_t> peek(const Fd& fd, std::span<char> space) {
  ssize_t got;
  do
    got = ::recv(fd.get(), space.data(), space.size(), MSG_PEEK);
  while (got < 0 && errno == EINTR);
  if (got < 0)
    return errno == EAGAIN ? std::optional<std::size_t>{} : 0;
  return static_cast<std::size_t>(got);
}

void throw_away(const Fd& fd, std::size_t bytes_max) {
  // MSG_TRUNC: for TCP the kernel drops the bytes instead of copying them (tcp(7)).
  while (::recv(fd.get(), nullptr, bytes_max, MSG_TRUNC | MSG_DONTWAIT) < 0 && errno == EINTR) {
  }
}

Result<Address> local_address(const Fd& fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (::getsockname(fd.get(), address, &size) < 0)
    return fail(Errc::unavailable, "local address of a socket: {}", std::strerror(errno));
  return Address::from_sockaddr(address, size);
}

Result<Address> peer_address(const Fd& fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (::getpeername(fd.get(), address, &size) < 0)
    return fail(Errc::unavailable, "peer address of a socket: {}", std::strerror(errno));
  return Address::from_sockaddr(address, size);
}

void close_with_reset(Fd& fd) {
  linger at_once{1, 0};
  if (fd)
    ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  fd.close();
}

} // namespace strait::net
