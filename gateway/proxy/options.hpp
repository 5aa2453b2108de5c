#pragma once

#include "base/log.hpp"
#include "base/time.hpp"
#include "gateway/proxy/connection_bound.hpp"
#include "net/http1_error.hpp"
#include "net/http2_session.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace strait::gateway::proxy {

enum class AccessLogFormat : std::uint8_t { off, text, json };

struct AccessLogOptions {
  AccessLogFormat format = AccessLogFormat::off;
  /// Gets whole lines, several at a time. Called on one thread of the proxy's own, never on a
  /// worker: it may block.
  std::function<void(std::string_view lines)> sink;
  /// Of one worker's lines that wait for the sink; further ones are dropped and counted.
  std::size_t buffer_bytes_max = 1 << 20;
  Millis flush_interval{100};
};

/// Named maxima of one worker. What passes one of them is refused and counted.
struct ProxyLimits {
  net::http1::Limits head{};            ///< Of requests and of responses.
  std::uint64_t body_bytes_max = 0;     ///< Of a request's content, 413 above; 0: streamed, no end.
  std::size_t connections_max = 65'536; ///< Downstream; above, accepting pauses.
  std::size_t accepts_per_turn_max = 64;
  /// Reads of one connection's body or tunnel in one turn of the loop, so that a fast one leaves
  /// room for the others.
  unsigned reads_per_turn_max = 16;
  unsigned requests_per_turn_max = 64; ///< Pipelined on one connection.
  /// To one endpoint; further requests wait.
  std::size_t endpoint_connections_max = 1'024;
  /// Requests that wait for a connection to one endpoint; 503 above.
  std::size_t endpoint_pending_max = 1'024;
  std::size_t endpoint_idle_max = 128;          ///< Kept connections to one endpoint.
  net::http2::Limits http2{};                   ///< Of one connection, a client's or ours.
  std::size_t http2_send_bytes_max = 64 * 1024; ///< Content of one stream that waits to be sent.
  /// Heads of one stream that nobody has read yet, as HTTP/1.1: interim answers come before the
  /// window counts anything.
  std::size_t http2_heads_bytes_max = 128 * 1024;
  /// HTTP/2 connections to one endpoint: another one is made when the streams of the others are
  /// used up; above, requests wait.
  std::size_t endpoint_http2_connections_max = 4;
  std::size_t linger_bytes_max = 1 << 18; ///< Read and thrown away before an early close.
  std::size_t rule_states_max = 1 << 17;  ///< Rules whose weights are remembered.
  unsigned retries_max = 10;              ///< Of one request, whatever its rule asks for.
  std::size_t mirrors_max = 256;          ///< Copies under way to mirrors; more are abandoned.
  std::size_t mirror_body_bytes_max = 64 * 1024; ///< Of a copied body; larger ones are abandoned.
  std::size_t mirror_answer_bytes_max = 1
                                        << 20; ///< Read and thrown away; more ends its connection.
  std::size_t auth_answer_bytes_max =
      64 * 1024;             ///< Of an authorizer's refusal; longer: no content.
  std::size_t jwks_max = 64; ///< Key sets that are kept ready; the oldest are made again.
  std::size_t named_counters_max = 256; ///< Listeners and clusters that are counted by name.
  std::size_t tls_contexts_max = 1'024; ///< Kept; the oldest unused ones are made again.
  /// Each has a descriptor. Above, the session that was silent for longest ends for the new one.
  std::size_t udp_sessions_max = 4'096;
  std::size_t udp_datagram_bytes_max = 65'507; ///< Larger ones are dropped.
  unsigned datagrams_per_turn_max = 64;        ///< Of one UDP socket in one turn of the loop.
};

struct ProxyTimeouts {
  Millis handshake{10'000};         ///< TLS of a client.
  Millis request_head{15'000};      ///< From its first byte to its end: 408.
  Millis downstream_idle{75'000};   ///< Between requests.
  Millis upstream_connect{5'000};   ///< TCP and TLS, name resolution and waiting included: 504.
  Millis upstream_response{60'000}; ///< From the request sent to the response's head: 504.
  Millis stream_idle{300'000};      ///< No byte in either direction of a body or a tunnel.
  Millis upstream_idle{60'000};     ///< Of a kept connection.
  Millis http2_notice{1'000};       ///< From the notice that a connection ends to its end.
  Millis linger{2'000};             ///< For a client to read an answer that came early.
  Millis listener_retired{30'000};  ///< For connections of a listener that was removed.
  Millis bind_retry{1'000};
  Millis resolve_again{10'000}; ///< Age of a resolved host name.
  Millis mirror{30'000};        ///< Of a whole copy.
  Millis external_auth{10'000}; ///< For an authorizer's answer: 403.
  Millis udp_idle{60'000};      ///< No datagram in either direction ends a session.
};

/// When an endpoint is taken out of turn because connecting to it or talking to it fails.
struct EjectionOptions {
  unsigned failures = 3; ///< In a row.
  Millis first{1'000};   ///< Doubles with each ejection in a row, up to `longest`.
  Millis longest{30'000};
};

struct ProxyOptions {
  unsigned workers = 0; ///< 0: one per core.
  AccessLogOptions access_log{};
  ProxyLimits limits{};
  /// Of all workers' connections of clients; further ones are closed at once. Null: none but
  /// ProxyLimits::connections_max.
  std::shared_ptr<ConnectionBound> connection_bound{};
  ProxyTimeouts timeouts{};
  EjectionOptions ejection{};
  /// What mirrors and jitter are drawn from; the worker's number is added. 0: the system's.
  std::uint64_t seed = 0;
  /// Signs the tokens of session persistence where the configuration brings no key (SessionKeys);
  /// the same in every proxy of a gateway. Empty: tokens are checked for damage only, which lets a
  /// client choose among its rule's endpoints.
  std::string session_key{};
  Log log{};
};

} // namespace strait::gateway::proxy
