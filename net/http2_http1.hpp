#pragma once

#include "net/http1_body.hpp"
#include "net/http1_head.hpp"
#include "net/http2_fields.hpp"

#include <cstdint>
#include <string>

/// HTTP semantics carried from one version's message format to the other's (RFC 9113 §8, RFC 9110
/// §7.6). Pure.
namespace strait::net::http2 {

/// How content follows a head that was written as HTTP/1.1.
enum class Content : std::uint8_t {
  refused, ///< The head cannot be written as HTTP/1.1; nothing was appended.
  none,
  plain,   ///< As it comes: its length is in the head.
  chunked, ///< In chunks, then append_trailers().
};

/// Appends a request's head as HTTP/1.1: ":authority" becomes Host, cookies are joined (§8.2.3).
/// Its content is chunked unless it ended with the head or its length is known; a gRPC message's is
/// always chunked, because its trailers have no other place.
Content append_request(const FieldList& fields, bool ended, std::string& out);
/// The same for an answer's head, interim ones included. `to_head`: it answers a HEAD request.
Content append_response(const FieldList& fields, bool ended, bool to_head, std::string& out);
/// The last chunk and the trailer fields, that are dropped if they cannot be written. `out` is
/// complete then.
void append_trailers(const FieldList& trailers, std::string& out);

/// The head of an HTTP/1.1 request as HTTP/2 has it: without what concerns one connection only.
void to_fields(const http1::RequestHead& head, bool tls, FieldList& out);
void to_fields(const http1::ResponseHead& head, FieldList& out);
/// The trailer fields of a body that was read to its end.
void to_trailers(const http1::BodyReader& body, FieldList& out);

/// Whether a content type is gRPC's: "application/grpc", alone or followed by "+proto" and the
/// like. gRPC-Web is not.
bool is_grpc(std::string_view content_type);

} // namespace strait::net::http2
