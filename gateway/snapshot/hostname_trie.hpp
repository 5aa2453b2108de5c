#pragma once

#include "gateway/snapshot/hash_trie.hpp"

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace strait::gateway {

/// A DNS name's length; a longer host matches only what has no hostname.
inline constexpr std::size_t max_hostname_bytes = 253;

/// Nodes under hostnames: "a.b", "*.b" and "" (every host). Persistent: a copy shares everything.
///
///   struct Node { std::uint64_t hash; std::string_view key() const; };  // hash ==
///   hash_text(key())
///
/// A wildcard's key is what hosts must end with: ".b" for "*.b".
template <class Node>
class HostnameTrie {
public:
  using Ptr = std::shared_ptr<const Node>;

  bool empty() const { return exact_.empty() && wildcard_.empty() && !any_; }

  /// The node under the hostname becomes edit(node, key), where null stands for no node.
  template <class Edit>
  void change(std::string_view hostname, Edit&& edit, CopyCost& cost) {
    if (hostname.empty()) {
      any_ = edit(any_.get(), hostname);
      return;
    }
    const bool is_wildcard = hostname.starts_with('*');
    auto& nodes = is_wildcard ? wildcard_ : exact_;
    const auto key = is_wildcard ? hostname.substr(1) : hostname;
    Ptr node = edit(nodes.find(key), key);
    nodes = node ? nodes.with(std::move(node), cost) : nodes.without(key, cost);
  }

  /// The first that ask(node) does not answer with null, from the most specific hostname that
  /// covers the host (lower case) to the least: exact, wildcards from the longest, every host.
  /// Adds the nodes looked at to *visited, if given. Cost: the labels of the host.
  template <class Ask>
  auto first(std::string_view host, std::size_t* visited, Ask&& ask) const
      -> decltype(ask(std::declval<const Node&>())) {
    if (!host.empty() && host.size() <= max_hostname_bytes) {
      if (const auto* node = exact_.find(host, visited))
        if (auto answer = ask(*node))
          return answer;
      // A wildcard stands for at least one byte before its dot.
      for (auto dot = host.find('.', 1); dot != std::string_view::npos && !wildcard_.empty();
           dot = host.find('.', dot + 1))
        if (const auto* node = wildcard_.find(host.substr(dot), visited))
          if (auto answer = ask(*node))
            return answer;
    }
    return any_ ? ask(*any_) : nullptr;
  }

private:
  HashTrie<Node> exact_, wildcard_;
  Ptr any_;
};

} // namespace strait::gateway
