#include "net/stream.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits.h>
#include <sys/socket.h>

namespace strait::net {

IoResult TcpStream::read_some(std::span<char> space) {
  drained_ = true;
  for (;;) {
    auto got = ::recv(fd_.get(), space.data(), space.size(), 0);
    if (got > 0) {
      drained_ = static_cast<std::size_t>(got) < space.size();
      return {Io::ok, static_cast<std::size_t>(got)};
    }
    if (got == 0)
      return {space.empty() ? Io::ok : Io::closed, 0};
    if (errno == EINTR)
      continue;
    if (errno == EAGAIN)
      return {Io::want_read, 0};
    errno_ = errno;
    return {Io::failed, 0};
  }
}

IoResult TcpStream::write_some(std::span<const iovec> slices) {
  if (slices.empty())
    return {};
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(slices.data()); // sendmsg only reads it.
  message.msg_iovlen = std::min<std::size_t>(slices.size(), IOV_MAX);
  for (;;) {
    auto sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    if (sent >= 0)
      return {Io::ok, static_cast<std::size_t>(sent)};
    if (errno == EINTR)
      continue;
    if (errno == EAGAIN)
      return {Io::want_write, 0};
    errno_ = errno;
    return {Io::failed, 0};
  }
}

IoResult TcpStream::shutdown() {
  if (::shutdown(fd_.get(), SHUT_WR) < 0) {
    errno_ = errno;
    return {Io::failed, 0};
  }
  return {};
}

std::string TcpStream::failure() const { return errno_ ? std::strerror(errno_) : ""; }

} // namespace strait::net
