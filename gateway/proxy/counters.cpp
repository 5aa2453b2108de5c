#include "gateway/proxy/counters.hpp"

#include <algorithm>

namespace strait::gateway::proxy {

namespace {

constexpr std::array<std::string_view, counter_count> names{
    "downstream_connections",
    "downstream_closed",
    "downstream_bytes_in",
    "downstream_bytes_out",
    "accept_errors",
    "accept_paused",
    "requests",
    "responses_1xx",
    "responses_2xx",
    "responses_3xx",
    "responses_4xx",
    "responses_5xx",
    "requests_aborted",
    "requests_refused",
    "no_listener",
    "no_route",
    "misdirected",
    "backend_refused",
    "no_endpoint",
    "failovers",
    "upstream_overflow",
    "upstream_connects",
    "upstream_connect_failures",
    "upstream_connect_timeouts",
    "upstream_reuses",
    "upstream_closed",
    "upstream_failures",
    "upstream_response_timeouts",
    "upstream_bytes_in",
    "upstream_bytes_out",
    "retries",
    "request_timeouts",
    "backend_timeouts",
    "redirects",
    "cors_preflights",
    "mirrors_sent",
    "mirrors_abandoned",
    "mirrors_failed",
    "auth_allowed",
    "auth_denied",
    "auth_failures",
    "jwt_denied",
    "sessions_begun",
    "sessions_kept",
    "ejections",
    "panics",
    "upgrades",
    "http2_connections",
    "http2_upstreams",
    "tls_handshakes",
    "tls_handshake_failures",
    "tls_unknown_name",
    "tcp_connections",
    "tcp_refused",
    "peering_accepted",
    "peering_unknown_name",
    "peering_bad_certificate",
    "peering_foreign_identity",
    "peering_denied",
    "access_log_dropped",
    "snapshots",
    "bind_failures",
    "tls_hello_refused",
    "tls_passed_through",
    "tls_terminated",
    "tls_refused",
    "udp_sessions",
    "udp_sessions_ended",
    "udp_sessions_evicted",
    "udp_datagrams_in",
    "udp_datagrams_out",
    "udp_dropped",
    "udp_too_large",
    "connections_refused",
};
static_assert(!names.back().empty(), "every counter has a name");

void add_to(std::vector<NamedCounts>& sums, const std::vector<NamedCounts>& more) {
  for (const auto& it : more) {
    auto found = std::find_if(sums.begin(), sums.end(),
                              [&](const auto& sum) { return sum.name == it.name; });
    if (found == sums.end())
      found = sums.insert(sums.end(), NamedCounts{it.name, 0, 0});
    found->requests += it.requests;
    found->failures += it.failures;
  }
}

} // namespace

Counters& Counters::operator+=(const Counters& other) {
  for (std::size_t i = 0; i < counter_count; ++i)
    values[i] += other.values[i];
  add_to(listeners, other.listeners);
  add_to(clusters, other.clusters);
  return *this;
}

std::string_view to_string(Counter counter) { return names[static_cast<std::size_t>(counter)]; }

NamedCount& NamedCountTable::find_or_add(std::string_view name) {
  const auto named = [&](std::string_view wanted) {
    return std::find_if(entries_.begin(), entries_.end(),
                        [&](const auto& entry) { return entry->name == wanted; });
  };
  if (auto found = named(name); found != entries_.end())
    return **found;
  if (entries_.size() + 1 >= max_) {
    name = "other";
    if (auto found = named(name); found != entries_.end())
      return **found;
  }
  auto entry = std::make_unique<NamedCount>();
  entry->name = name;
  std::lock_guard lock{mutex_};
  return *entries_.emplace_back(std::move(entry));
}

void NamedCountTable::add_to(std::vector<NamedCounts>& sums) const {
  std::lock_guard lock{mutex_};
  for (const auto& entry : entries_) {
    auto found = std::find_if(sums.begin(), sums.end(),
                              [&](const auto& sum) { return sum.name == entry->name; });
    if (found == sums.end())
      found = sums.insert(sums.end(), NamedCounts{entry->name, 0, 0});
    found->requests += entry->requests.value();
    found->failures += entry->failures.value();
  }
}

void WorkerCounters::add_to(Counters& sum) const {
  for (std::size_t i = 0; i < counter_count; ++i)
    sum.values[i] += values[i].value();
  listeners.add_to(sum.listeners);
  clusters.add_to(sum.clusters);
}

} // namespace strait::gateway::proxy
