#pragma once

#include "net/http1_head.hpp"

#include <cstddef>
#include <string_view>

namespace strait::net::http1 {

enum class Progress : std::uint8_t {
  need_more, ///< Call again with the same bytes and more behind them.
  done,      ///< head() is complete; the body begins head().bytes() further.
  failed,    ///< error() says why; nothing more can be parsed on this connection.
};

/// Reads header lines; the part that both directions share.
class HeadReader {
public:
  HeadReader(const Limits& limits, Head& head) : limits_{limits}, head_{head} {}

protected:
  enum class Line : std::uint8_t { need_more, found, failed };
  Line next_line(std::string_view bytes, std::size_t line_max, ParseError too_long);
  bool read_field(std::string_view bytes);
  bool read_common(bool request);
  Progress fail(ParseError error);
  void restart();

  Limits limits_;
  Head& head_;
  ParseError error_ = ParseError::none;
  std::size_t line_ = 0;    // Where the current line begins.
  std::size_t scanned_ = 0; // No LF before here since line_.
  std::size_t end_ = 0;     // Behind the LF of the line found.
  bool started_ = false;    // The start line was read.
  bool blank_ = false;      // The one ignored CRLF before the request was seen.

private:
  bool note_connection(std::string_view value);
  bool note_transfer_encoding(std::string_view value);
  bool note_content_length(std::string_view value);
  void mark_hop_by_hop();

  friend class RequestParser;
  friend class ResponseParser;
  // What the fields said, until the head is complete.
  bool close_ = false, keep_ = false, upgrade_token_ = false;
  unsigned hosts_ = 0, lengths_ = 0, encodings_ = 0;
  bool chunked_ = false, nominates_ = false;
};

/// Incremental parser of one request head after another (RFC 9112 §2-7), strict where leniency
/// lets two parsers disagree about where a message ends. Pure: no IO, no clock. Bytes are fed from
/// the beginning of the message each time and looked at once. In the steady state it allocates
/// nothing; release_memory() makes it small while its connection idles.
class RequestParser : HeadReader {
public:
  explicit RequestParser(const Limits& limits = {}) : HeadReader{limits, request_} {}
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  /// `bytes` begins with the first byte of the message and may go on past the head's end (body,
  /// next requests): what lies behind is not looked at.
  Progress parse(std::string_view bytes);
  ParseError error() const { return error_; }
  const RequestHead& head() const { return request_; }
  RequestHead& head() { return request_; }
  /// Nothing of a message was seen since the last reset.
  bool idle() const { return !started_ && scanned_ == 0 && !blank_; }
  /// Ready for the next message.
  void reset();
  void release_memory();

private:
  bool read_request_line(std::string_view line);
  Progress finish();
  bool read_target();
  bool read_authority(Slice text);
  RequestHead request_;
};

/// What the response depends on (RFC 9112 §6.3).
enum class ResponseTo : std::uint8_t { head, connect, other };

/// As RequestParser, for responses.
class ResponseParser : HeadReader {
public:
  explicit ResponseParser(const Limits& limits = {}) : HeadReader{limits, response_} {}
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  Progress parse(std::string_view bytes, ResponseTo request);
  ParseError error() const { return error_; }
  const ResponseHead& head() const { return response_; }
  ResponseHead& head() { return response_; }
  bool idle() const { return !started_ && scanned_ == 0; }
  void reset();
  void release_memory();

private:
  bool read_status_line(std::string_view line);
  bool finish(ResponseTo request);
  ResponseHead response_;
};

} // namespace strait::net::http1
