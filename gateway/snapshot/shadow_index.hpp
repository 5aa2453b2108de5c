#pragma once

#include "gateway/snapshot/config.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

/// Which rules no request can reach, because another rule of the same listener says the same match
/// and comes first (Gateway API lets both be accepted and is silent; strait.dev/Shadowed is not).
/// Pure and not persistent; owned and used by one thread.
namespace strait::gateway {

/// A rule all of whose matches, under all hostnames of its route, are said by rules of better rank.
struct ShadowedRule {
  std::size_t rule = 0;
  /// Id of the route that serves the rule's first match under the route's first hostname instead;
  /// it may be the same route.
  std::string winner;
  std::size_t winner_rule = 0;
  friend bool operator==(const ShadowedRule&, const ShadowedRule&) = default;
};

/// Every match has a place: its listener, hostname, path, method and conditions, however they are
/// written. Those who share a place stand there in the order of their rank (the oldest route, its
/// id, the order in the route), and the first is served.
///
/// Of a route for TLS, TCP or UDP the only rule is 0, and its places are its server names or the
/// listener.
class ShadowIndex {
public:
  /// Since the index was made; the difference of two readings is what came between.
  struct Counters {
    std::size_t places = 0; ///< Looked up.
    std::size_t claims = 0; ///< Of routes to a place, looked at one by one.
  };

  /// Sets (a pointer) or takes out (null) the route of a binding key. The answer: the keys of the
  /// other bindings for which shadowed() may have changed, sorted. Cost: the matches of the old and
  /// the new route times their hostnames, and the size of the answer; not the number of routes.
  std::vector<std::string> change(const std::string& binding,
                                  std::shared_ptr<const BoundRoute> route);

  /// The shadowed rules of one binding in the order of the route; none for an unknown key. Cost:
  /// the route's matches times its hostnames.
  std::vector<ShadowedRule> shadowed(const std::string& binding) const;

  const Counters& counters() const { return counters_; }

private:
  /// One match of one route at a place.
  struct Claim {
    const BoundRoute* route = nullptr; // Owned by bindings_.
    std::size_t rule = 0, match = 0;
    bool operator<(const Claim& other) const;
    bool same_rule(const Claim& other) const {
      return route->id == other.route->id && rule == other.rule;
    }
  };
  using Claims = std::set<Claim>;

  template <class F>
  static void for_each_claim(const std::string& binding, const BoundRoute& route, F visit);

  std::unordered_map<std::string, std::shared_ptr<const BoundRoute>> bindings_;
  std::unordered_map<std::string, Claims> places_;
  mutable Counters counters_;
};

} // namespace strait::gateway
