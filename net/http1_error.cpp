#include "net/http1_error.hpp"

namespace strait::net::http1 {

int status_of(ParseError error) {
  switch (error) {
  case ParseError::target_too_long:
    return 414;
  case ParseError::field_line_too_long:
  case ParseError::too_many_fields:
  case ParseError::head_too_large:
  case ParseError::trailer_too_large:
    return 431;
  case ParseError::bad_expect:
    return 417;
  case ParseError::chunk_size_overflow:
    return 413;
  case ParseError::method_too_long:
  case ParseError::unknown_transfer_encoding:
    return 501;
  case ParseError::version_unsupported:
    return 505;
  default:
    return 400;
  }
}

std::string_view to_string(ParseError error) {
  switch (error) {
  case ParseError::none:
    return "no error";
  case ParseError::bad_start_line:
    return "malformed start line";
  case ParseError::bad_method:
    return "the method is not a token";
  case ParseError::method_too_long:
    return "the method is too long";
  case ParseError::bad_target:
    return "malformed request target";
  case ParseError::target_too_long:
    return "the start line is too long";
  case ParseError::bad_version:
    return "malformed HTTP version";
  case ParseError::version_unsupported:
    return "neither HTTP/1.0 nor HTTP/1.1";
  case ParseError::http09:
    return "a request line without a version";
  case ParseError::bad_status:
    return "malformed status code";
  case ParseError::bare_cr:
    return "CR without LF";
  case ParseError::bare_lf:
    return "LF without CR";
  case ParseError::obs_fold:
    return "a header line that continues the one before";
  case ParseError::bad_field_name:
    return "malformed header name";
  case ParseError::bad_field_value:
    return "control character in a header value";
  case ParseError::field_line_too_long:
    return "a header line is too long";
  case ParseError::too_many_fields:
    return "too many header fields";
  case ParseError::head_too_large:
    return "the header section is too large";
  case ParseError::host_missing:
    return "no Host";
  case ParseError::host_repeated:
    return "more than one Host";
  case ParseError::bad_host:
    return "malformed Host";
  case ParseError::bad_content_length:
    return "malformed Content-Length";
  case ParseError::repeated_content_length:
    return "more than one Content-Length";
  case ParseError::length_and_encoding:
    return "Content-Length beside Transfer-Encoding";
  case ParseError::bad_transfer_encoding:
    return "malformed Transfer-Encoding";
  case ParseError::unknown_transfer_encoding:
    return "a Transfer-Encoding other than chunked";
  case ParseError::encoding_in_http10:
    return "Transfer-Encoding in HTTP/1.0";
  case ParseError::bad_expect:
    return "an expectation other than 100-continue";
  case ParseError::bad_upgrade:
    return "malformed Upgrade";
  case ParseError::bad_chunk_size:
    return "malformed chunk size";
  case ParseError::chunk_size_overflow:
    return "the chunk size is too large";
  case ParseError::chunk_line_too_long:
    return "the chunk size line is too long";
  case ParseError::bad_chunk_end:
    return "no CRLF behind the chunk's data";
  case ParseError::bad_trailer:
    return "malformed trailer field";
  case ParseError::trailer_too_large:
    return "the trailer section is too large";
  case ParseError::truncated:
    return "the connection ended within the message";
  }
  return "unknown";
}

} // namespace strait::net::http1
