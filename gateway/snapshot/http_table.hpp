#pragma once

#include "base/persistent_map.hpp"
#include "gateway/snapshot/compiled_route.hpp"
#include "gateway/snapshot/hostname_trie.hpp"

#include <string>
#include <string_view>
#include <variant>

/// The table of one HTTP listener:
///
///   host: exact | longest wildcard … | any       hash tries, one look-up per label
///     └─ path: one node per segment               hash tries, one look-up per segment
///          ├─ exact:  candidates in order of rank  the request ends here
///          └─ prefix: candidates in order of rank  the request passes or ends here
///     └─ regular expressions, in order of rank     asked one by one
///
/// Under one hostname an exact path is asked first, then regular expressions, then prefixes from
/// the longest to the shortest. All of it is persistent: a change copies the way to what changed.
namespace strait::gateway {

/// What one match looked at, for tests of its cost.
struct MatchCost {
  std::size_t nodes = 0;      ///< Of tries and of the path.
  std::size_t candidates = 0; ///< Whose conditions were asked.
};

struct ByRank {
  bool operator()(const CandidatePtr& a, const CandidatePtr& b) const {
    return precedes(a->rank, b->rank);
  }
  bool operator()(const CandidatePtr& a, const Rank& b) const { return precedes(a->rank, b); }
  bool operator()(const Rank& a, const CandidatePtr& b) const { return precedes(a, b->rank); }
};
/// Best first.
using Candidates = PersistentMap<CandidatePtr, std::monostate, ByRank>;

struct PathNode {
  std::uint64_t hash = 0;
  std::string segment;
  Candidates exact, prefix;
  HashTrie<PathNode> children;
  std::string_view key() const { return segment; }
};

struct HostNode {
  std::uint64_t hash = 0;
  std::string name; ///< Of a wildcard the part that hosts must end with: ".example.com".
  Candidates regexes;
  std::shared_ptr<const PathNode> root; ///< Null: only regular expressions.
  std::string_view key() const { return name; }
};

/// A value; copies share everything. Any thread may read.
class HttpTable {
public:
  /// The candidates of one route, as compile() made them.
  [[nodiscard]] HttpTable with(const std::vector<CandidatePtr>& candidates, CopyCost& cost) const;
  /// Without all that the route put in. A route that was never put in changes nothing.
  [[nodiscard]] HttpTable without(const BoundRoute& route, CopyCost& cost) const;

  /// See gateway::match(). No allocation, but inside RE2. The listener's own hostname is not looked
  /// at: the caller chose it by PortTable::find(). A path that does not start with '/' matches
  /// nothing.
  MatchedRule match(const RequestView& request, MatchCost* cost = nullptr) const;

  bool empty() const { return hosts_.empty(); }

private:
  HostnameTrie<HostNode> hosts_;
};

} // namespace strait::gateway
