#include "gateway/snapshot/http_table.hpp"

#include <array>
#include <bit>
#include <functional>

namespace strait::gateway {
namespace {

using PathPtr = std::shared_ptr<const PathNode>;
using HostPtr = std::shared_ptr<const HostNode>;
/// What is done to the one list of candidates that a match belongs to.
using Edit = std::function<Candidates(const Candidates&)>;

/// A persistent map tells nothing of its nodes: one per level, and two more for a rotation.
Candidates counted(const Candidates& before, Candidates after, CopyCost& cost) {
  if (after.same(before))
    return after;
  const auto levels = static_cast<std::size_t>(std::bit_width(after.size())) + 2;
  cost.nodes += levels;
  cost.bytes += levels * Candidates::node_bytes();
  return after;
}

template <class Node>
std::shared_ptr<const Node> counted(Node node, CopyCost& cost) {
  ++cost.nodes;
  cost.bytes += sizeof(Node) + node.key().size();
  return std::make_shared<const Node>(std::move(node));
}

/// The node, changed at the path that is left; null if nothing is left in it. `rest` has a value
/// while there are segments to go.
PathPtr edit_path(const PathNode* old, std::string_view segment,
                  std::optional<std::string_view> rest, PathType type, const Edit& edit,
                  CopyCost& cost) {
  PathNode node =
      old ? *old : PathNode{.hash = hash_text(segment), .segment = std::string{segment}};
  if (!rest) {
    auto& list = type == PathType::exact ? node.exact : node.prefix;
    list = counted(list, edit(list), cost);
  } else {
    const auto next = rest->substr(0, rest->find('/'));
    std::optional<std::string_view> after;
    if (next.size() < rest->size())
      after = rest->substr(next.size() + 1);
    auto child = edit_path(node.children.find(next), next, after, type, edit, cost);
    node.children =
        child ? node.children.with(std::move(child), cost) : node.children.without(next, cost);
  }
  if (node.exact.empty() && node.prefix.empty() && node.children.empty())
    return nullptr;
  return counted(std::move(node), cost);
}

/// The host's node with the match's list changed; null if nothing is left in it.
HostPtr edit_host(const HostNode* old, std::string_view name, const Match& match, const Edit& edit,
                  CopyCost& cost) {
  HostNode node = old ? *old : HostNode{.hash = hash_text(name), .name = std::string{name}};
  if (match.path_type == PathType::regex) {
    node.regexes = counted(node.regexes, edit(node.regexes), cost);
  } else {
    std::string_view path = match.path;
    if (match.path_type == PathType::prefix)
      path = prefix_path(path);
    std::optional<std::string_view> rest;
    if (!path.empty())
      rest = path.substr(1);
    node.root = edit_path(node.root.get(), "", rest, match.path_type, edit, cost);
  }
  if (node.regexes.empty() && !node.root)
    return nullptr;
  return counted(std::move(node), cost);
}

const Candidate* first_satisfied(const Candidates& candidates, const RequestView& request,
                                 MatchCost* cost) {
  const Candidate* found = nullptr;
  candidates.each([&](const auto& item) {
    if (cost)
      ++cost->candidates;
    if (satisfies(*item.first, request))
      found = item.first.get();
    return !found;
  });
  return found;
}

const Candidate* match_in(const HostNode& host, const RequestView& request, MatchCost* cost) {
  // compile() admits no deeper path, so the walk ends before the array does.
  std::array<const PathNode*, max_path_segments + 1> prefixes;
  std::size_t depth = 0;
  if (const auto* node = host.root.get()) {
    auto rest = request.path.substr(1);
    for (;;) {
      if (!node->prefix.empty())
        prefixes[depth++] = node;
      const auto segment = rest.substr(0, rest.find('/'));
      node = node->children.find(segment, cost ? &cost->nodes : nullptr);
      if (!node)
        break;
      if (segment.size() < rest.size()) {
        rest.remove_prefix(segment.size() + 1);
        continue;
      }
      if (!node->prefix.empty())
        prefixes[depth++] = node;
      if (const auto* found = first_satisfied(node->exact, request, cost))
        return found;
      break;
    }
  }
  if (const auto* found = first_satisfied(host.regexes, request, cost))
    return found;
  while (depth > 0)
    if (const auto* found = first_satisfied(prefixes[--depth]->prefix, request, cost))
      return found;
  return nullptr;
}

template <class F>
void for_each_hostname(const HttpRoute& http, F visit) {
  if (http.hostnames.empty())
    visit(std::string_view{});
  for (const auto& hostname : http.hostnames)
    visit(std::string_view{hostname});
}

void edit_hosts(HostnameTrie<HostNode>& hosts, const HttpRoute& http, const Match& match,
                const Edit& edit, CopyCost& cost) {
  for_each_hostname(http, [&](std::string_view hostname) {
    hosts.change(
        hostname,
        [&](const HostNode* old, std::string_view name) {
          return edit_host(old, name, match, edit, cost);
        },
        cost);
  });
}

} // namespace

HttpTable HttpTable::with(const std::vector<CandidatePtr>& candidates, CopyCost& cost) const {
  auto table = *this;
  for (const auto& candidate : candidates) {
    const Edit edit = [&](const Candidates& list) { return list.with(candidate, {}); };
    const auto& outcome = candidate->outcome;
    edit_hosts(table.hosts_, std::get<HttpRoute>(outcome.route->route), *outcome.match, edit, cost);
    ++cost.nodes; // The candidate itself.
    cost.bytes += sizeof(Candidate) +
                  (candidate->headers.size() + candidate->query.size()) * sizeof(Condition);
  }
  return table;
}

HttpTable HttpTable::without(const BoundRoute& route, CopyCost& cost) const {
  auto table = *this;
  const auto& http = std::get<HttpRoute>(route.route);
  for (std::size_t r = 0; r < http.rules.size(); ++r)
    for (std::size_t m = 0; m < http.rules[r].matches.size(); ++m) {
      const auto rank = rank_of(route, http, r, m);
      const Edit edit = [&](const Candidates& list) { return list.without(rank); };
      edit_hosts(table.hosts_, http, http.rules[r].matches[m], edit, cost);
    }
  return table;
}

MatchedRule HttpTable::match(const RequestView& request, MatchCost* cost) const {
  if (!request.path.starts_with('/'))
    return {};
  const auto* found =
      hosts_.first(request.host, cost ? &cost->nodes : nullptr,
                   [&](const HostNode& host) { return match_in(host, request, cost); });
  return found ? found->outcome : MatchedRule{};
}

} // namespace strait::gateway
