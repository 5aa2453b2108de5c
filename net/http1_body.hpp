#pragma once

#include "net/http1_head.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace strait::net::http1 {

/// One step through a body.
struct BodyStep {
  enum class State : std::uint8_t {
    data,      ///< `payload` is content. More may follow in the same bytes: call again.
    need_more, ///< Everything given was consumed.
    done,      ///< The body is complete; what lies behind `consumed` belongs to the next message.
    failed,
  };
  State state = State::need_more;
  std::size_t consumed = 0; ///< Bytes of the input that are dealt with, framing included.
  std::string_view payload; ///< Part of the input; empty unless data.
};

/// Walks a body as its bytes arrive (RFC 9112 §6, §7). A pure machine that never keeps a byte of
/// the input: forward the consumed bytes as they are, or only the payload, as you need. Allocates
/// only when there are trailer fields.
class BodyReader {
public:
  explicit BodyReader(const Limits& limits = {}) : limits_{limits} {}

  void start(Framing framing, std::uint64_t content_length);
  void start(const Head& head) { start(head.framing(), head.content_length()); }

  /// Takes the bytes behind what was consumed before.
  BodyStep next(std::string_view bytes);
  /// Like next() until it is not data: for forwarding as is. `payload` is empty, payload_bytes()
  /// counts.
  BodyStep skip(std::string_view bytes);
  /// The connection ended: whether the body is complete (else error() is truncated).
  bool finish_at_close();

  bool done() const { return state_ == State::done; }
  ParseError error() const { return error_; }
  /// Content bytes so far.
  std::uint64_t payload_bytes() const { return payload_bytes_; }
  /// Bytes of content that must come before anything else is read: 0 unless known.
  std::uint64_t remaining() const { return remaining_; }
  /// The trailer fields, once done. Names and values; never merge them into the header.
  std::vector<std::pair<std::string_view, std::string_view>> trailers() const;

private:
  enum class State : std::uint8_t {
    done,
    length,
    until_close,
    size_first, // A chunk size must begin.
    size,
    size_blank, // Blank between the size and its extension.
    extension,
    extension_quoted,
    extension_escape,
    size_lf,
    chunk_data,
    data_cr,
    data_lf,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_lf,
    final_lf,
    failed,
  };
  bool frame(char c);
  bool refuse(ParseError error);

  Limits limits_;
  State state_ = State::done;
  ParseError error_ = ParseError::none;
  std::uint64_t remaining_ = 0;
  std::uint64_t payload_bytes_ = 0;
  std::size_t line_bytes_ = 0, trailer_bytes_ = 0;
  std::string trailers_; // Raw trailer lines.
};

} // namespace strait::net::http1
