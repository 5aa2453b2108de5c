#pragma once

#include "base/result.hpp"
#include "net/address.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <utility>

namespace strait::net {

/// Owns a descriptor: closes it when it dies. Moved, not copied.
class Fd {
public:
  Fd() = default;
  explicit Fd(int fd) : fd_{fd} {}
  Fd(Fd&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Fd() { close(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void close();

private:
  int fd_ = -1;
};

struct ListenOptions {
  int backlog = 1024;
  /// Several sockets (one per worker) on one address; the kernel spreads connections over them.
  bool reuse_port = false;
};

/// A non-blocking listening socket (SO_REUSEADDR; IPv6 ones take IPv6 only). The error names the
/// address: conflict (in use), denied (no permission), invalid (not an address of this machine).
Result<Fd> listen_tcp(const Address& address, ListenOptions options = {});

struct Accepted {
  Fd fd; ///< Non-blocking, TCP_NODELAY.
  Address peer;
};
/// The next waiting connection, or nothing when there is none. Connections that died while waiting
/// are skipped. exhausted: no descriptor left, stop accepting for a while.
Result<std::optional<Accepted>> accept_tcp(const Fd& listener);

/// Begins to connect, without waiting: writable means done, then ask connect_outcome(). Fails at
/// once when there is no route or no port left.
Result<Fd> connect_tcp(const Address& address);
/// After a connecting socket became writable: success, or why not, naming the address.
Status connect_outcome(const Fd& fd, const Address& address);

/// What waits to be read from a stream, left where it is, as far as there is space; 0 bytes: the
/// connection ended or broke. Nothing: later.
std::optional<std::size_t> peek(const Fd& fd, std::span<char> space);
/// Reads what waits, at most so many bytes, and throws it away: bytes that nobody read would turn
/// the end of a connection into a reset.
void throw_away(const Fd& fd, std::size_t bytes_max);

/// Where a socket is bound: the ephemeral port that was chosen.
Result<Address> local_address(const Fd& fd);
Result<Address> peer_address(const Fd& fd);

/// Closes with a reset instead of an orderly end: what is left unsent is dropped.
void close_with_reset(Fd& fd);

} // namespace strait::net
