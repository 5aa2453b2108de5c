#pragma once

#include "base/result.hpp"
#include "gateway/snapshot/config.hpp"
#include "gateway/snapshot/hash_trie.hpp"

#include <cstddef>
#include <map>
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
  /// Stable while the rule keeps its content: workers key weights' state and pools by it. A hash of
  /// the route's id and the rule, so two equal rules of one route share it.
  std::uint64_t rule_id = 0;
  explicit operator bool() const { return rule != nullptr; }
};

class HttpTable; ///< (http_table.hpp) Hostnames and paths of one HTTP or HTTPS listener.

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

/// A cluster in the index that workers look it up in.
struct ClusterEntry {
  std::uint64_t hash = 0;
  std::shared_ptr<const Cluster> cluster;
  std::string_view key() const { return cluster->id; }
};

/// All that a worker needs to serve one gateway. Built once, never changed, freed when the last
/// request that began under it ends. Any thread may read.
struct Snapshot {
  Config config;
  PersistentMap<std::uint16_t, std::shared_ptr<const PortTable>> ports;
  HashTrie<ClusterEntry> clusters; ///< config.clusters, found in a time that does not grow.

  std::uint64_t epoch() const { return config.epoch; }
  /// Null if the id is unknown (then the share is refused with 500).
  const Cluster* cluster(std::string_view id) const;
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
  /// Since the builder was made; the difference of two readings is what came between.
  struct Counters {
    std::size_t routes_compiled = 0;
    std::size_t nodes_copied = 0;    ///< Of hostname, path and cluster tables.
    std::size_t bytes_allocated = 0; ///< Of those nodes; of lists of candidates an upper estimate.
  };

  /// Errc::conflict if the delta does not start at the current epoch: ask for the whole. A whole
  /// (from 0) is always taken, and what it repeats of the current snapshot is kept as it is.
  /// Anything wrong inside one resource (a regular expression that does not compile, two protocols
  /// on one port) leaves out that resource alone; the errors say so.
  Result<SnapshotPtr> apply(const Delta& delta);

  /// The last snapshot; null before the first.
  const SnapshotPtr& current() const { return current_; }
  const Counters& counters() const { return counters_; }
  /// What was left out of the current snapshot and why, sorted by what it is about.
  const std::vector<Error>& errors() const { return errors_; }

private:
  struct Change; ///< One delta on its way into the next snapshot.

  SnapshotPtr current_;
  Counters counters_;
  std::vector<Error> errors_;
  std::map<std::string, Error, std::less<>> left_out_; ///< "listener NAME", "route BINDING KEY".
  /// By listener name, also of those that their port leaves out for now.
  std::map<std::string, std::shared_ptr<const ListenerTable>, std::less<>> tables_;
};

} // namespace strait::gateway
