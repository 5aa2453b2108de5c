#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace strait::net::http1 {

/// Named maxima of one message. What passes one of them is refused, never cut.
struct Limits {
  std::size_t head_bytes_max = 64 * 1024; ///< Start line and header section, final CRLF included.
  std::size_t start_line_bytes_max = 16 * 1024; ///< CRLF included.
  std::size_t field_line_bytes_max = 32 * 1024; ///< One header line, CRLF included.
  std::size_t fields_max = 128;
  std::size_t method_bytes_max = 32;
  std::size_t chunk_line_bytes_max = 256;   ///< Chunk size with its extensions, CRLF included.
  std::size_t trailer_bytes_max = 8 * 1024; ///< Trailer section, final CRLF included.
};

/// Why a message was refused. Framing errors end the connection: what follows cannot be trusted.
enum class ParseError : std::uint8_t {
  none,
  bad_start_line,
  bad_method,
  method_too_long,
  bad_target,
  target_too_long, ///< The start line is longer than its maximum.
  bad_version,
  version_unsupported, ///< Well-formed, but neither HTTP/1.0 nor HTTP/1.1.
  http09,              ///< A request line without a version.
  bad_status,
  bare_cr,
  bare_lf,
  obs_fold,
  bad_field_name, ///< Also blank before the colon, and a line without a colon.
  bad_field_value,
  field_line_too_long,
  too_many_fields,
  head_too_large,
  host_missing,
  host_repeated,
  bad_host,
  bad_content_length,
  repeated_content_length,
  length_and_encoding, ///< Content-Length beside Transfer-Encoding.
  bad_transfer_encoding,
  unknown_transfer_encoding,
  encoding_in_http10,
  bad_expect, ///< An expectation other than 100-continue.
  bad_upgrade,
  bad_chunk_size,
  chunk_size_overflow,
  chunk_line_too_long,
  bad_chunk_end, ///< No CRLF where the chunk's data must end.
  bad_trailer,
  trailer_too_large,
  truncated, ///< The connection ended within the message.
};

/// The status to answer a request with: 400, 413, 414, 417, 431, 501 or 505.
int status_of(ParseError error);
/// One clause for logs and bodies: "Content-Length beside Transfer-Encoding".
std::string_view to_string(ParseError error);

} // namespace strait::net::http1
