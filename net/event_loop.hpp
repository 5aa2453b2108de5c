#pragma once

// net/: bytes to protocol events, and the loop and sockets under them. No gateway, no catalog, no
// CAF. The proxy, the API server and the Kubernetes client stand on it.
//
//   EventLoop        one thread, one epoll: descriptors, timers, an inbox for other threads
//   Address, Fd      where to listen or dial, and who closes (address.hpp, socket.hpp)
//   Stream           bytes in, bytes out, never blocking: TcpStream (stream.hpp), TlsStream
//   (tls.hpp) ReceiveBuffer    what was read and not yet understood (buffer.hpp) OutputQueue what
//   is to be written, as slices for one system call (output_queue.hpp) http1::…         RFC 9112 as
//   pure machines: heads, bodies, and how to write them (http1_*.hpp) client_hello     the SNI and
//   ALPN of a TLS ClientHello without terminating it HttpServer       for control APIs, on a loop;
//   HttpClient: blocking, for commands and tests Resolver         names to addresses by c-ares, on
//   a loop (dns.hpp)
//
// Whoever owns a loop runs it on one thread; everything attached to it is touched by that thread
// alone, but for the calls whose comment says "any thread". Nothing here starts a thread.

#include "base/result.hpp"
#include "base/time.hpp"
#include "net/timer_wheel.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <sys/epoll.h>
#include <vector>

namespace strait::net {

/// What a descriptor is ready for; the bits of epoll(7).
struct Ready {
  std::uint32_t bits;
  bool readable() const;
  bool writable() const;
  /// The peer closed its side, or both sides are gone: a read will tell.
  bool hung_up() const;
  bool failed() const;
};

/// Told on the loop's thread that a descriptor became ready. It may remove or destroy any handler,
/// itself included: an event for a removed descriptor is never delivered, not even when the
/// descriptor's number was used again meanwhile.
class EventHandler {
public:
  virtual void on_ready(Ready ready) = 0;

protected:
  ~EventHandler() = default;
};

/// How a descriptor is watched.
enum class Watch : std::uint8_t {
  /// Edge-triggered, both directions: told once per change, registered once and never modified. The
  /// handler reads until a short read (or EAGAIN) and writes until EAGAIN. For streams.
  edge,
  /// Level-triggered, reading only: told as long as there is something. For listening sockets.
  level_read,
  level_write,
  level_both,
};

/// A handle to a loop's inbox that may outlive the loop: post() then says false.
class Poster {
public:
  using Task = std::function<void()>;
  /// Any thread. Runs the task on the loop's thread, in the order posted. False, and the task is
  /// destroyed unrun, if the loop is gone or its inbox holds EventLoopOptions::inbox_max tasks.
  bool post(Task task) const;

private:
  friend class EventLoop;
  struct Inbox;
  explicit Poster(std::shared_ptr<Inbox> inbox) : inbox_{std::move(inbox)} {}
  std::shared_ptr<Inbox> inbox_;
};

struct EventLoopOptions {
  /// Tasks that wait for the loop; further ones are refused.
  std::size_t inbox_max = 1 << 16;
  /// Events taken by one system call.
  std::size_t events_max = 256;
};

/// One epoll loop, owned by one thread. Resource: neither copied nor moved. Handlers and timers are
/// lent to it and must be removed (or die) before it.
class EventLoop {
public:
  using Task = Poster::Task;

  /// Fails if the process may open no more descriptors.
  static Result<std::unique_ptr<EventLoop>> create(EventLoopOptions options = {});
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();

  /// Watches a descriptor that the caller owns. remove() it before it is closed.
  Status add(int fd, Watch watch, EventHandler& handler);
  /// Changes what is watched; needed only for level watches (pause and resume of accepting).
  Status modify(int fd, Watch watch);
  /// Delivers nothing more for this descriptor. Unknown descriptors are ignored.
  void remove(int fd);

  /// Any thread; see Poster::post.
  bool post(Task task) const { return poster().post(std::move(task)); }
  Poster poster() const { return Poster{inbox_}; }
  /// Loop thread only: runs the task after the events at hand, before waiting again. The way to
  /// destroy an object from within its own callback.
  void defer(Task task) { deferred_.push_back(std::move(task)); }

  /// Serves until stop(), also one that came before. Call from the owning thread; may be called
  /// again after it returned. Tasks posted before stop() are run before it returns.
  void run();
  /// One turn: waits at most `wait` for something to do, does it. For tests and for borrowed loops.
  void run_once(Millis wait);
  /// Any thread, signal handlers excepted.
  void stop();

  /// The time when the current turn began (monotonic, milliseconds): no system call.
  Instant now() const { return now_; }
  TimerWheel& timers() { return timers_; }

  /// Descriptors being watched, the loop's own excepted.
  std::size_t watched() const { return watched_; }
  /// Turns so far: what tests of "no busy loop" count.
  std::uint64_t turns() const { return turns_; }

private:
  struct Slot {
    EventHandler* handler = nullptr;
    std::uint32_t generation = 0;
  };
  EventLoop(EventLoopOptions options, int epoll, std::shared_ptr<Poster::Inbox> inbox);
  void take_inbox();
  void run_deferred();

  EventLoopOptions options_;
  int epoll_;
  std::shared_ptr<Poster::Inbox> inbox_;
  std::vector<Slot> slots_; // By descriptor.
  std::vector<epoll_event> events_;
  std::vector<Task> taken_, deferred_, running_;
  Instant now_;
  TimerWheel timers_;
  std::size_t watched_ = 0;
  std::uint64_t turns_ = 0;
};

/// A time-out on a loop. Starting, restarting and cancelling cost the same however many there are,
/// and allocate nothing. Loop thread only. Dies before its loop; cancels itself when it dies.
class Timer final : public TimerNode {
public:
  using Callback = std::function<void()>;
  /// A callback that captures no more than one pointer allocates nothing.
  Timer(EventLoop& loop, Callback callback) : loop_{loop}, callback_{std::move(callback)} {}
  ~Timer() override { cancel(); }

  /// Calls back once, not before `after` has passed since this turn began. A running one is moved.
  void start(Millis after) { loop_.timers().add(*this, loop_.now() + after); }
  void cancel() { loop_.timers().remove(*this); }

private:
  void on_due() override { callback_(); }
  EventLoop& loop_;
  Callback callback_;
};

} // namespace strait::net
