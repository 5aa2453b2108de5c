#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "net/http2_fields.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct nghttp2_session;

namespace strait::net::http2 {

/// What a client of HTTP/2 with prior knowledge sends first (RFC 9113 §3.4).
inline constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum class Role : std::uint8_t { server, client };

/// RFC 9113 §7, as far as we say them ourselves.
enum class ErrorCode : std::uint32_t {
  no_error = 0,
  protocol_error = 1,
  internal_error = 2,
  refused_stream = 7,
  cancel = 8,
  enhance_your_calm = 11,
};

/// Named maxima of one connection. What passes one of them ends the stream or the connection.
struct Limits {
  std::uint32_t streams_max = 128;               ///< Open at once, begun by the peer.
  std::uint32_t stream_window_bytes = 64 * 1024; ///< Received of one stream and not yet consumed.
  std::uint32_t connection_window_bytes = 1024 * 1024; ///< The same of all streams together.
  std::size_t head_bytes_max = 64 * 1024; ///< Of one header section, as FieldList counts it.
  std::size_t fields_max = 128;           ///< Of one header section.
  std::size_t continuations_max = 8;      ///< CONTINUATION frames behind one HEADERS.
  std::size_t answers_queued_max = 1'000; ///< Acknowledgements of PING and SETTINGS not yet sent.
  /// Streams that the peer resets, or makes us reset by breaking the rules: so many at once, and so
  /// many in a second thereafter ("rapid reset").
  std::uint32_t resets_burst = 500, resets_per_second = 50;
  /// Frames that cost us work and bring nothing (PING, SETTINGS, PRIORITY, empty DATA): so many at
  /// once, and so many in a second thereafter.
  std::uint32_t idle_frames_burst = 2'000, idle_frames_per_second = 500;
};

/// So many at once, so many in a second thereafter. A value; the caller brings the time.
class TokenBucket {
public:
  TokenBucket(std::uint32_t burst, std::uint32_t per_second)
      : burst_{burst}, per_second_{per_second}, tokens_{burst * thousand} {}
  /// Takes one; false if there is none.
  bool take(Instant now);

private:
  static constexpr std::uint64_t thousand = 1'000; // Counts thousandths, for the milliseconds.
  std::uint64_t burst_, per_second_, tokens_;
  Instant at_{};
};

/// What a session tells and asks. Called from within receive() and next_output(): a handler may
/// call the session's other functions, but neither of these two.
class Events {
public:
  /// A header section is complete: a request's (server), an interim or final answer's (client).
  virtual void on_head(std::int32_t stream, const FieldList& fields, bool ended) = 0;
  virtual void on_trailers(std::int32_t stream, const FieldList& fields) = 0;
  /// The section passes head_bytes_max or fields_max; it is not told.
  virtual void on_head_too_large(std::int32_t stream) = 0;
  /// Content; to be answered by consume() once it is dealt with.
  virtual void on_data(std::int32_t stream, std::string_view bytes) = 0;
  /// The peer's side of the stream ended in order; after on_head() with `ended` too.
  virtual void on_end(std::int32_t stream) = 0;
  /// Our side of the stream was sent to its end.
  virtual void on_sent(std::int32_t stream) = 0;
  /// Nothing more will be told of the stream; 0: it ended in order.
  virtual void on_closed(std::int32_t stream, std::uint32_t code) = 0;
  /// The peer takes no more streams; those that it did not process are closed with refused_stream.
  virtual void on_goaway() = 0;

  struct Body {
    std::size_t bytes = 0;               ///< Written to the space.
    bool end = false;                    ///< Nothing comes behind them …
    const FieldList* trailers = nullptr; ///< … but these.
  };
  /// There is room to send so much of the stream's content. Nothing, and no end: call resume() when
  /// there is more.
  virtual Body on_body_wanted(std::int32_t stream, std::span<char> space) = 0;

protected:
  ~Events() = default;
};

/// One HTTP/2 connection (RFC 9113) as a pure machine over nghttp2: bytes in, bytes out, events. No
/// socket, no clock. Rules of HTTP messages (RFC 9113 §8) are enforced: a handler sees no malformed
/// head. Flow control opens only as content is consumed. One thread.
class Session {
public:
  /// `events` outlives it.
  Session(Role role, const Limits& limits, Events& events);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  /// Takes what arrived. False: the connection is of no use; write what next_output() still has (it
  /// tells the peer why), then close.
  bool receive(Instant now, std::string_view bytes);
  /// The next bytes to be written, good until the next call; empty: none now. May fail as receive()
  /// does, which finished() tells.
  std::string_view next_output();
  /// Nothing more is to be sent or expected: close.
  bool finished() const;
  /// Why the connection failed; empty unless it did.
  const std::string& failure() const { return failure_; }

  /// Client: begins a request; its content, unless `ended`, is asked for by on_body_wanted.
  /// unavailable: the peer takes no more streams on this connection.
  Result<std::int32_t> request(const FieldList& fields, bool ended);
  /// Server: an interim (1xx) head.
  void interim(std::int32_t stream, const FieldList& fields);
  /// Server: the final head.
  void respond(std::int32_t stream, const FieldList& fields, bool ended);
  void resume(std::int32_t stream);
  void reset(std::int32_t stream, ErrorCode code);
  /// The peer's side of the stream has ended, or the stream is closed.
  bool peer_ended(std::int32_t stream) const;

  /// Content was dealt with: the peer may send as much again, on the stream and on the connection.
  void consume(std::int32_t stream, std::size_t bytes);
  /// As consume(), of the connection or of the stream alone.
  void consume_connection(std::size_t bytes);
  void consume_stream(std::int32_t stream, std::size_t bytes);

  /// Server: the peer should open no more streams; those under way are still taken.
  void announce_end();
  /// Takes no more streams; finished() once those that are open have ended.
  void end(ErrorCode code = ErrorCode::no_error);

  /// How many streams the peer lets us have open at once.
  std::uint32_t peer_streams_max() const;

private:
  struct Callbacks; // Of http2_session.cpp.
  bool fail(std::string why, ErrorCode code);

  Events& events_;
  const Limits limits_;
  const Role role_;
  nghttp2_session* session_ = nullptr;
  Instant now_{};
  TokenBucket resets_, idle_frames_;
  FieldList fields_; // Of the section that arrives: one at a time (RFC 9113 §4.3).
  std::size_t section_bytes_ = 0;
  bool too_large_ = false;
  std::string failure_;
  bool failed_ = false;
};

} // namespace strait::net::http2
