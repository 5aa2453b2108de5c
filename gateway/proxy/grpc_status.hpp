#pragma once

#include <string>
#include <string_view>

namespace strait::gateway::proxy {

/// The status code of gRPC that tells a gRPC client what an HTTP status tells others: as gRPC's
/// "HTTP to gRPC Status Code Mapping" has it, but a time-out is DEADLINE_EXCEEDED (4).
int grpc_status(int http_status);

/// As grpc-message must be written: bytes outside of visible ASCII, and '%', percent-encoded; at
/// most grpc_message_bytes_max of the text.
void append_grpc_message(std::string_view text, std::string& out);
inline constexpr std::size_t grpc_message_bytes_max = 1'024;

} // namespace strait::gateway::proxy
