#pragma once

#include "base/random.hpp"
#include "peering/out_queue.hpp"
#include "peering/wire.hpp"

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <mutex>
#include <string>

/// What dialed and accepted streams have in common. Only *_wire.cpp files include this.
namespace strait::peering::wire {

inline constexpr const char* stream_method =
    "/hashicorp.consul.internal.peerstream.PeerStreamService/StreamResources";

inline grpc::ByteBuffer to_buffer(const std::string& bytes) {
  grpc::Slice slice{bytes};
  return {&slice, 1};
}

inline Result<Message> read_message(grpc::ByteBuffer& buffer, StreamCounters& counters) {
  grpc::Slice whole;
  if (!buffer.DumpToSingleSlice(&whole).ok())
    return fail(Errc::corrupt, "peer stream: a message without content");
  counters.messages_received += 1;
  counters.bytes_received += whole.size();
  return decode({reinterpret_cast<const char*>(whole.begin()), whole.size()});
}

grpc::Status to_status(const Error& error);
Error to_error(const grpc::Status& status);
Code to_code(grpc::StatusCode code);

/// A stream over one of gRPC's bidirectional reactors, which has one read and one write under way
/// at most. Reactor: ClientBidiReactor or ServerBidiReactor of byte buffers.
template <class Reactor>
class ReactorStream : public Stream, public Reactor {
public:
  explicit ReactorStream(const WireLimits& limits)
      : queue_{limits.queued_messages_max, limits.queued_bytes_max} {}

  void send(const Message& message, bool urgent) final {
    auto bytes = encode(message);
    {
      std::lock_guard lock{mutex_};
      if (closed_ || draining_)
        return;
      if (queue_.push(std::move(bytes), urgent)) {
        write_next();
        return;
      }
    }
    hang_up(Code::resource_exhausted, "the peer does not read: its queue is full");
  }

  void read_on() final {
    std::lock_guard lock{mutex_};
    read_next();
  }

  void drain() final {
    std::lock_guard lock{mutex_};
    if (closed_ || draining_)
      return;
    draining_ = true;
    write_next();
    read_next();
  }

  const StreamCounters& counters() const final { return counters_; }

protected:
  /// Under the lock, when there is nothing left to write.
  virtual void written_all() = 0;

  void write_next() {
    if (writing_ || closed_)
      return;
    auto bytes = queue_.pop();
    if (!bytes)
      return written_all();
    counters_.messages_sent += 1;
    counters_.bytes_sent += bytes->size();
    writing_ = true;
    out_ = to_buffer(*bytes);
    this->StartWrite(&out_);
  }

  void read_next() {
    if (reading_ || closed_)
      return;
    reading_ = true;
    in_.Clear();
    this->StartRead(&in_);
  }

  std::mutex mutex_;
  OutQueue queue_;
  StreamCounters counters_;
  grpc::ByteBuffer out_, in_;
  bool writing_ = false, reading_ = false;
  bool draining_ = false;
  bool closed_ = false; // No operation may be started any more.
};

} // namespace strait::peering::wire
