#pragma once

#include "base/result.hpp"
#include "gateway/snapshot/hostname_trie.hpp"
#include "gateway/snapshot/snapshot.hpp"

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// One HTTP route made ready for matching: regular expressions compiled, conditions without
/// duplicates, and the rank of each match in the order of precedence.
namespace strait::gateway {

/// Longer paths of a match leave out their route.
inline constexpr std::size_t max_path_segments = 128;
inline constexpr std::size_t max_regex_bytes = 4096;
/// Memory of one compiled expression with its automaton, as RE2 bounds it.
inline constexpr std::int64_t max_regex_memory = 1 << 20;
inline constexpr std::size_t max_conditions = 64; ///< Of headers, and of query, in one match.

/// Where a match stands among those of equal hostname and path (Gateway API, HTTPRouteMatch).
struct Rank {
  bool method = false;
  std::uint32_t headers = 0, query = 0;
  WallTime created{};
  std::string_view id; ///< Lent by the route.
  std::uint32_t rule = 0, match = 0;
};
/// Whether the first comes before the second.
bool precedes(const Rank& first, const Rank& second);
/// The match must exist.
Rank rank_of(const BoundRoute& route, const HttpRoute& http, std::size_t rule, std::size_t match);

/// A condition, with its expression if it has one (else null: equality).
struct Condition {
  const ValueCondition* condition;
  std::unique_ptr<const RE2> regex;
};

/// One match of one rule, ready to be asked.
struct Candidate {
  Rank rank;
  MatchedRule outcome;
  std::unique_ptr<const RE2> path; ///< Only for regular expressions.
  std::vector<Condition> headers, query;
};
using CandidatePtr = std::shared_ptr<const Candidate>;

/// Method, headers and query; and the path, if it is a regular expression. Header names compare
/// without case and a header's first field counts. Of the query, the first parameter of a name
/// counts; names and values are compared with "%XX" decoded and '+' as a space, and a '%' without
/// two hexadecimal digits stands for itself. All regular expressions must match the whole value.
bool satisfies(const Candidate& candidate, const RequestView& request);

/// A "/" at the end of a prefix says nothing.
inline std::string_view prefix_path(std::string_view path) {
  return path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
}

/// "" or "name" or "*.name"; the error says what is wrong.
Status check_hostname(std::string_view hostname);

/// The candidates of all matches, in the order of the route; each keeps the route alive.
/// Errc::invalid names the field that cannot be served.
Result<std::vector<CandidatePtr>> compile(const std::shared_ptr<const BoundRoute>& route);

} // namespace strait::gateway
