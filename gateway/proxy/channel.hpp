#pragma once

#include "net/buffer.hpp"
#include "net/event_loop.hpp"
#include "net/output_queue.hpp"
#include "net/stream.hpp"

#include <memory>

namespace strait::gateway::proxy {

/// An object that destroys itself from within its own callbacks is handed to Retirement instead.
class Retirable {
public:
  Retirable() = default;
  Retirable(const Retirable&) = delete;
  Retirable& operator=(const Retirable&) = delete;
  virtual ~Retirable() = default;
};

/// Keeps what is done with until the events at hand were delivered. One loop's thread.
class Retirement {
public:
  explicit Retirement(net::EventLoop& loop) : loop_{loop} {}
  void retire(std::unique_ptr<Retirable> object);

private:
  net::EventLoop& loop_;
  std::vector<std::unique_ptr<Retirable>> retired_, going_;
};

/// One side of a proxied connection: a stream, what was read from it and not yet dealt with, and
/// what epoll said of it. Tells its owner of every readiness; moves bytes only when it is asked.
class Channel final : public net::EventHandler {
public:
  class Owner {
  public:
    virtual void on_channel(Channel& channel) = 0;

  protected:
    ~Owner() = default;
  };

  /// What a fill or a flush came to.
  enum class Flow : std::uint8_t {
    moved,   ///< Fill: bytes came. Flush: all was written.
    blocked, ///< Later.
    full,    ///< Fill only: the buffer holds its maximum.
    ended,   ///< Fill only: the peer ended its side; nothing more will come.
    failed,
  };

  Channel(net::EventLoop& loop, net::BufferPool& buffers, std::size_t bytes_max)
      : in{buffers, bytes_max}, loop_{loop} {}
  ~Channel() { close(); }

  /// Watches the descriptor from now on, before it has a stream (a connect in progress).
  Status watch(int fd, Owner& owner);
  /// The stream of the descriptor that is watched.
  void attach(std::unique_ptr<net::Stream> stream) { stream_ = std::move(stream); }
  /// A stream without a descriptor: whoever feeds it calls wake().
  void attach(std::unique_ptr<net::Stream> stream, Owner& owner) {
    stream_ = std::move(stream);
    owner_ = &owner;
  }
  /// The stream without a descriptor may move bytes again; `lost`: nothing can be answered any
  /// more. Not from within a call of the owner's.
  void wake(bool lost);
  void set_owner(Owner& owner) { owner_ = &owner; }

  Flow handshake();
  /// Reads once.
  Flow fill();
  /// The same, whatever epoll said last.
  Flow fill_now() {
    readable_ = true;
    return fill();
  }
  /// Writes until the queue is empty or the stream takes no more.
  Flow flush(net::OutputQueue& queue);
  /// Ends our side; moved once that is done.
  Flow shut_down();
  void close();

  bool open() const { return fd_ >= 0; }
  net::Stream& stream() { return *stream_; }
  const net::Stream& stream() const { return *stream_; }
  bool ended() const { return ended_; }
  bool failed() const { return failed_; }
  /// Both directions are gone, or the socket has an error: nothing can be answered any more.
  bool broken() const { return failed_ || broken_; }
  /// Whether the descriptor became writable since it was watched: a connect is decided.
  bool writable() const { return writable_; }
  /// Whether a read may bring something.
  bool readable() const { return readable_ && !ended_ && !failed_; }
  void expect_writable() { writable_ = false; }

  std::uint64_t bytes_in() const { return bytes_in_; }
  std::uint64_t bytes_out() const { return bytes_out_; }

  net::ReceiveBuffer in;

private:
  void on_ready(net::Ready ready) override;

  net::EventLoop& loop_;
  std::unique_ptr<net::Stream> stream_;
  Owner* owner_ = nullptr;
  int fd_ = -1;
  std::uint64_t bytes_in_ = 0, bytes_out_ = 0;
  bool readable_ = true, writable_ = true, hung_up_ = false;
  bool ended_ = false, failed_ = false, broken_ = false;
};

} // namespace strait::gateway::proxy
