#pragma once

#include "base/result.hpp"
#include "net/socket.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <sys/uio.h>

namespace strait::net {

enum class Io : std::uint8_t {
  ok,         ///< Some bytes were moved, or the step is done.
  want_read,  ///< Nothing moved: again once the descriptor is readable.
  want_write, ///< Nothing moved: again once it is writable.
  closed,     ///< The peer ended its side in order; nothing more will be read.
  failed,     ///< The connection is of no use; Stream::failure() says why.
};

struct IoResult {
  Io state = Io::ok;
  std::size_t bytes = 0;
};

/// A connection that moves bytes and never blocks: plain TCP or TLS, sessions do not know which.
/// Owns its descriptor. Loop thread only. Watch fd() with Watch::edge: with TLS a read may want to
/// write and the other way round, so on any readiness try again whatever was waiting.
class Stream {
public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  /// Before the first byte: ok once bytes may flow. Plain TCP is ready at once.
  virtual IoResult handshake() = 0;
  /// Reads what is there, at most the space given. `drained()` says whether to try again.
  virtual IoResult read_some(std::span<char> space) = 0;
  /// Writes what can be taken of the slices, in order. May take fewer bytes than given.
  virtual IoResult write_some(std::span<const iovec> slices) = 0;
  /// Ends our side in order; the peer may go on sending. ok, want_* (again later) or failed.
  virtual IoResult shutdown() = 0;
  /// Drops the connection now. The loop must no longer watch the descriptor.
  virtual void close() = 0;

  virtual int fd() const = 0;
  /// Whether the last read took all there was (it was shorter than its space), so that an
  /// edge-triggered session may wait for the next event without a read that yields EAGAIN.
  virtual bool drained() const = 0;
  /// Why the last step failed: empty unless one did.
  virtual std::string failure() const = 0;
  /// The negotiated ALPN protocol ("h2", "http/1.1"); empty without TLS or without one.
  virtual std::string_view alpn() const { return {}; }
  virtual bool is_tls() const { return false; }
  /// As the client of a TLS connection sent it; empty if it sent none, and without TLS.
  virtual std::string_view sni() const { return {}; }
};

/// Plain TCP.
class TcpStream final : public Stream {
public:
  explicit TcpStream(Fd fd) : fd_{std::move(fd)} {}

  IoResult handshake() override { return {}; }
  IoResult read_some(std::span<char> space) override;
  IoResult write_some(std::span<const iovec> slices) override;
  IoResult shutdown() override;
  void close() override { fd_.close(); }
  int fd() const override { return fd_.get(); }
  bool drained() const override { return drained_; }
  std::string failure() const override;

  /// Gives the descriptor away (a TLS stream takes over, splice, another worker).
  Fd take() { return std::move(fd_); }

private:
  Fd fd_;
  int errno_ = 0;
  bool drained_ = false;
};

} // namespace strait::net
