#pragma once

#include "base/persistent_map.hpp"
#include "base/result.hpp"
#include "gateway/snapshot/config.hpp"
#include "gateway/snapshot/hostname_trie.hpp"

#include <string>
#include <string_view>
#include <tuple>
#include <variant>

/// The TLS routes of one listener by server name, made like an HTTP listener's table of hosts:
///
///   name: exact | longest wildcard … | any       hash tries, one look-up per label
///     └─ routes, the oldest first                 only the first serves
///
/// Persistent: a change copies the way to what changed.
namespace strait::gateway {

/// The order in which routes of equal standing serve (Gateway API): the oldest, then by id.
inline bool older(const BoundRoute& a, const BoundRoute& b) {
  return std::tie(a.created, a.id) < std::tie(b.created, b.id);
}

struct OldestFirst {
  using Route = std::shared_ptr<const BoundRoute>;
  bool operator()(const Route& a, const Route& b) const { return older(*a, *b); }
  bool operator()(const Route& a, const BoundRoute& b) const { return older(*a, b); }
  bool operator()(const BoundRoute& a, const Route& b) const { return older(a, *b); }
};

struct ServerNameNode {
  std::uint64_t hash = 0;
  std::string name; ///< Of a wildcard the part that names must end with: ".example.com".
  PersistentMap<std::shared_ptr<const BoundRoute>, std::monostate, OldestFirst> routes;
  std::string_view key() const { return name; }
};

/// A value; copies share everything. Any thread may read.
class TlsTable {
public:
  /// With a route that holds a TlsRoute. Errc::invalid if one of its hostnames is none.
  [[nodiscard]] Result<TlsTable> with(const std::shared_ptr<const BoundRoute>& route,
                                      CopyCost& cost) const;
  /// Without it; a route that was never put in changes nothing.
  [[nodiscard]] TlsTable without(const BoundRoute& route, CopyCost& cost) const;

  /// The oldest route under the most specific hostname that covers the name (lower case; empty: the
  /// client sent none); null if there is none. Adds the nodes looked at to *visited, if given.
  const BoundRoute* find(std::string_view server_name, std::size_t* visited = nullptr) const;

  bool empty() const { return names_.empty(); }

private:
  HostnameTrie<ServerNameNode> names_;
};

} // namespace strait::gateway
