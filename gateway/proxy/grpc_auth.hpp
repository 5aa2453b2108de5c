#pragma once

#include "base/time.hpp"
#include "gateway/snapshot/config.hpp"
#include "net/http1_head.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The question to an authorizer that speaks gRPC, and its verdict: envoy.service.auth.v3, by hand
/// in protobuf's wire format, because the data plane has no other use for protobuf. Pure functions;
/// the verdict is read from outside bytes.
namespace strait::gateway::proxy {

inline constexpr std::string_view grpc_auth_path = "/envoy.service.auth.v3.Authorization/Check";

/// What is told of a request.
struct GrpcAuthQuestion {
  const net::http1::RequestHead& head;
  std::string_view client_ip;
  bool tls = false;
  WallTime began{};
  std::string_view body; ///< The part that the filter forwards.
};

/// A CheckRequest with gRPC's prefix. Without allowed headers of the filter all are told.
std::string grpc_auth_message(const ExternalAuth& auth, const GrpcAuthQuestion& question);
/// The head of the call, for a connection that speaks HTTP/2 behind an HTTP/1.1 face.
std::string grpc_auth_head(std::string_view authority, std::size_t message_bytes, Millis timeout);

struct GrpcVerdict {
  bool allowed = false;
  HeaderEdits request, response; ///< If allowed.
  int status = 403;              ///< If not, the answer to the client.
  std::vector<HeaderEdit> fields;
  std::string body;
};

/// Reads the content of the call's answer: one CheckResponse with gRPC's prefix, not compressed.
/// Nothing: it is something else, or says what cannot be said in HTTP.
std::optional<GrpcVerdict> read_grpc_verdict(std::string_view content);

} // namespace strait::gateway::proxy
