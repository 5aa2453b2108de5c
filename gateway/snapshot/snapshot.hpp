#pragma once

#include "base/result.hpp"
#include "gateway/snapshot/config.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace strait::gateway {

struct HeaderView {
  std::string_view name, value; ///< Names in any case.
};

/// What matching looks at; all text is borrowed for the time of the call.
struct RequestView {
  std::string_view method;
  std::string_view host; ///< Lower case, without port.
  std::string_view path; ///< Starts with '/'; without query.
  std::string_view query;
  std::span<const HeaderView> headers;
};

/// The rule that a request falls under, with what it was compiled to. Lives as long as the
/// snapshot.
struct MatchedRule {
  const BoundRoute* route = nullptr; ///< Null: nothing matches, answer 404.
  const HttpRule* rule = nullptr;
  const Match* match = nullptr;
  /// Stable while the rule keeps its content: workers key weights' state and pools by it.
  std::uint64_t rule_id = 0;
  explicit operator bool() const { return rule != nullptr; }
};

class HttpTable; ///< Hostnames and paths of one HTTP or HTTPS listener (http_table.hpp).

/// One listener, ready to serve.
struct ListenerTable {
  std::shared_ptr<const Listener> listener;
  std::shared_ptr<const HttpTable> http; ///< For HTTP and HTTPS.
  std::shared_ptr<const BoundRoute>
      tcp; ///< For TCP: the oldest route; null: connections are closed.
};

/// All listeners that share one port, chosen by hostname.
struct PortTable {
  std::uint16_t port = 0;
  std::string address;
  Protocol protocol = Protocol::http;
  PersistentMap<std::string, std::shared_ptr<const ListenerTable>> by_hostname;

  /// The most specific listener for a host (Gateway API: exact, then the longest wildcard, then the
  /// one without hostname); null if none. Cost: the number of labels of the host.
  const ListenerTable* find(std::string_view host) const;
};

/// All that a worker needs to serve one gateway. Built once, never changed, freed when the last
/// request that began under it ends. Any thread may read.
struct Snapshot {
  Config config;
  PersistentMap<std::uint16_t, std::shared_ptr<const PortTable>> ports;

  std::uint64_t epoch() const { return config.epoch; }
  /// Null if the id is unknown (then the share is refused with 500).
  const Cluster* cluster(const std::string& id) const;
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

/// The rule for a request on one listener: hostname (most specific first), path (exact, regular
/// expression, longest prefix), method, number of header conditions, number of query conditions,
/// age, id, order in the route (Gateway API precedence; the rank of regular expressions is ours).
/// A rule under a less specific hostname is used only if none of a more specific one matches.
/// Cost: the labels of the host times the segments of the path, whatever the number of routes.
MatchedRule match(const ListenerTable& listener, const RequestView& request);

/// Whether a hostname pattern ("", "a.b", "*.b") covers the host.
bool hostname_covers(std::string_view pattern, std::string_view host);

/// Turns deltas into snapshots. Owned by the proxy actor; one thread. A change copies the path to
/// what changed, never the table: the counters are asserted in tests.
class SnapshotBuilder {
public:
  struct Counters {
    std::size_t routes_compiled = 0;
    std::size_t nodes_copied = 0;    ///< Of hostname and path tables.
    std::size_t bytes_allocated = 0; ///< Estimate, of those nodes.
  };

  /// Errc::conflict if the delta does not start at the current epoch: ask for the whole.
  /// Anything wrong inside one resource (a regular expression that does not compile, two protocols
  /// on one port) leaves out that resource alone; the errors say so.
  Result<SnapshotPtr> apply(const Delta& delta);

  /// The last snapshot; null before the first.
  const SnapshotPtr& current() const { return current_; }
  const Counters& counters() const { return counters_; }
  /// What was left out of the current snapshot and why.
  const std::vector<Error>& errors() const { return errors_; }

private:
  SnapshotPtr current_;
  Counters counters_;
  std::vector<Error> errors_;
};

} // namespace strait::gateway
