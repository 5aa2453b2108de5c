#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace strait::gateway::proxy {

/// What a proxy counts. All only grow; what is open now is the difference of two.
enum class Counter : std::uint8_t {
  downstream_connections,
  downstream_closed,
  downstream_bytes_in,
  downstream_bytes_out,
  accept_errors,
  accept_paused, ///< Times that connections_max was reached.
  requests,
  responses_1xx,
  responses_2xx,
  responses_3xx,
  responses_4xx,
  responses_5xx,
  requests_aborted, ///< The client went away before its answer was complete.
  requests_refused, ///< Not HTTP: answered 4xx before matching.
  no_listener,
  no_route,
  misdirected,
  backend_refused, ///< Shares answered with a refusal, rules without backends.
  no_endpoint,
  failovers,         ///< Picks made in a cluster that stands in for another.
  upstream_overflow, ///< endpoint_pending_max reached.
  upstream_connects,
  upstream_connect_failures,
  upstream_connect_timeouts,
  upstream_reuses,
  upstream_closed,
  upstream_failures, ///< Connections that died, or answers that were not HTTP.
  upstream_response_timeouts,
  upstream_bytes_in,
  upstream_bytes_out,
  retries,
  request_timeouts, ///< Of rules: the whole request.
  backend_timeouts, ///< Of rules: one attempt.
  redirects,
  cors_preflights,
  mirrors_sent,
  mirrors_abandoned, ///< Drawn, but not sent: too many under way, too large, or cut off.
  mirrors_failed,    ///< Sent, without an answer.
  auth_allowed,
  auth_denied,
  auth_failures, ///< The authorizer gave no answer: 403.
  jwt_denied,
  sessions_begun, ///< Of session persistence: tokens handed out.
  sessions_kept,  ///< Requests that went where their token says.
  ejections,
  panics, ///< Picks made although every endpoint was ejected.
  upgrades,
  http2_connections, ///< Of clients.
  http2_upstreams,   ///< Connections to endpoints.
  tls_handshakes,
  tls_handshake_failures,
  tls_unknown_name,
  tcp_connections,
  tcp_refused, ///< No route, refused share or no endpoint.
  peering_accepted,
  peering_unknown_name,
  peering_bad_certificate, ///< None, expired, or of another trust bundle.
  peering_foreign_identity,
  peering_denied, ///< By intentions.
  access_log_dropped,
  snapshots,
  bind_failures,
  tls_hello_refused,  ///< Where routes go by server name: no ClientHello, too large or too late.
  tls_passed_through, ///< Connections of TLS routes, by what their listener does.
  tls_terminated,
  tls_refused,  ///< No route for the name, refused share or no endpoint.
  udp_sessions, ///< Begun; and ended, for whatever reason.
  udp_sessions_ended,
  udp_sessions_evicted, ///< For a newer one, at udp_sessions_max.
  udp_datagrams_in,     ///< From clients; and to them.
  udp_datagrams_out,
  udp_dropped,         ///< No route, refused share, no endpoint, no room in the kernel, draining.
  udp_too_large,       ///< Past udp_datagram_bytes_max, in either direction.
  connections_refused, ///< Past the bound of the process: closed at once.
  count_,
};
inline constexpr std::size_t counter_count = static_cast<std::size_t>(Counter::count_);
/// "downstream_connections": for metrics.
std::string_view to_string(Counter counter);

/// What is counted by listener and by cluster.
struct NamedCounts {
  std::string name;
  std::uint64_t requests = 0; ///< Connections, for TCP.
  std::uint64_t failures = 0; ///< Answered 5xx, or refused.
};

/// The sum over all workers.
struct Counters {
  std::array<std::uint64_t, counter_count> values{};
  /// At most ProxyLimits::named_counters_max of each; the rest is under "other".
  std::vector<NamedCounts> listeners, clusters;

  std::uint64_t operator[](Counter counter) const {
    return values[static_cast<std::size_t>(counter)];
  }
  /// Of several proxies: names that both count are one.
  Counters& operator+=(const Counters& other);
  std::uint64_t active_connections() const {
    return (*this)[Counter::downstream_connections] - (*this)[Counter::downstream_closed];
  }
};

/// A number that one thread counts and any thread reads.
class Count {
public:
  void add(std::uint64_t by = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
  std::atomic<std::uint64_t> value_{0};
};

struct NamedCount {
  std::string name;
  Count requests, failures;
};

/// Counts by name, bounded: names past the maximum share one entry "other". The owner adds, any
/// thread reads.
class NamedCountTable {
public:
  explicit NamedCountTable(std::size_t max) : max_{max} {}
  /// Stays valid as long as the table. Owner's thread only.
  NamedCount& find_or_add(std::string_view name);
  void add_to(std::vector<NamedCounts>& sums) const;

private:
  std::size_t max_;
  mutable std::mutex mutex_; // Of the vector, not of the counts.
  std::vector<std::unique_ptr<NamedCount>> entries_;
};

/// One worker's counts. The worker adds, any thread reads.
struct WorkerCounters {
  explicit WorkerCounters(std::size_t named_max) : listeners{named_max}, clusters{named_max} {}

  void add(Counter counter, std::uint64_t by = 1) {
    values[static_cast<std::size_t>(counter)].add(by);
  }
  void add_response(int status) {
    const int family = status / 100 < 1 || status / 100 > 5 ? 5 : status / 100;
    values[static_cast<std::size_t>(Counter::responses_1xx) + static_cast<std::size_t>(family - 1)]
        .add();
  }
  void add_to(Counters& sum) const;

  alignas(64) std::array<Count, counter_count> values;
  NamedCountTable listeners, clusters;
};

} // namespace strait::gateway::proxy
