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
class TlsTable;  ///< (tls_table.hpp) Server names of one TLS listener.

/// One listener, ready to serve.
struct ListenerTable {
  std::shared_ptr<const Listener> listener;
  std::shared_ptr<const HttpTable> http; ///< For HTTP and HTTPS.
  std::shared_ptr<const TlsTable> tls;   ///< For TLS.
  std::shared_ptr<const BoundRoute> tcp; ///< The oldest TcpRoute; null: connections are closed.
  std::shared_ptr<const BoundRoute> udp; ///< The oldest UdpRoute; null: datagrams are dropped.
};

/// All listeners that share one port, chosen by hostname: by the Host of each request on an HTTP
/// port, by the connection's server name (SNI) where TLS comes first.
struct PortTable {
  std::uint16_t port = 0;
  std::string address;
  /// What its listeners speak, with one mix: HTTPS and TLS listeners may share a port. Then it is
  /// https (tls: TLS listeners only), and what follows the ClientHello is said by the protocol of
  /// the chosen listener itself: HTTP, or find_tls(). A listener that comes or goes may turn tls
  /// into https and back; begins_with_tls() stays, and so can the socket.
  Protocol protocol = Protocol::http;
  PersistentMap<std::string, std::shared_ptr<const ListenerTable>> by_hostname;

  /// The most specific listener for a host (Gateway API: exact, then the longest wildcard, then the
  /// one without hostname); null if none. Cost: the number of labels of the host.
  const ListenerTable* find(std::string_view host) const;
  /// Whether its listeners are HTTPS or TLS, any mix of them.
  bool begins_with_tls() const { return protocol == Protocol::https || protocol == Protocol::tls; }
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
  /// TCP ports by number, whatever is spoken on them.
  PersistentMap<std::uint16_t, std::shared_ptr<const PortTable>> ports;
  /// UDP ports by number; they have nothing to do with TCP ports of the same number.
  PersistentMap<std::uint16_t, std::shared_ptr<const PortTable>> udp_ports;
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

/// What a new connection on a port that begins with TLS is for. All live as long as the snapshot.
struct TlsChoice {
  /// The most specific for the server name, HTTPS or TLS; null: the handshake is refused
  /// (unrecognized_name).
  const ListenerTable* listener = nullptr;
  /// Of a TLS listener: the route whose backends take the connection, passed through or terminated
  /// as Listener::passthrough says; null: it is refused.
  const BoundRoute* bound = nullptr;
  const TlsRoute* route = nullptr; ///< bound's.
};

/// The listener by PortTable::find(), then among its routes the most specific hostname, the oldest
/// route, the id (Gateway API precedence). A route of a less specific listener is not asked.
/// server_name: lower case; empty if the client sent none, then only a listener and a route without
/// hostname serve. Cost: the labels of the name, whatever the number of routes.
TlsChoice find_tls(const PortTable& port, std::string_view server_name);

/// Whether a request came over the wrong connection and is answered with 421 (RFC 9110 15.5.20):
/// a listener other than the one that the connection's server name chose is the most specific for
/// the host. So the host may be served here, but under other certificates or client validation than
/// this connection was checked with. If no listener covers the host, or only the chosen one, it is
/// not misdirected (404 if no route matches). host: lower case, without port; empty: never.
/// by_server_name may be of an earlier snapshot: listeners are told apart by name.
bool misdirected(const PortTable& port, const ListenerTable& by_server_name, std::string_view host);

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
