#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace strait::gateway {

/// What a change of persistent tables cost: nodes made or copied, and their bytes.
struct CopyCost {
  std::size_t nodes = 0;
  std::size_t bytes = 0;
};

inline std::uint64_t hash_text(std::string_view text) {
  return std::hash<std::string_view>{}(text);
}

/// A hash array mapped trie that is never changed: 32 ways per node, so a look-up among 100,000
/// keys visits four nodes and a change copies four. Items are shared; an item knows its key:
///
///   struct T { std::uint64_t hash; std::string_view key() const; };  // hash == hash_text(key())
///
/// Any thread may read any trie at any time. Items whose hashes are wholly equal share a last node
/// that is searched in line.
template <class T>
class HashTrie {
  using Item = std::shared_ptr<const T>;
  struct Node;
  using Ptr = std::shared_ptr<const Node>;
  struct Node {
    std::uint32_t item_map = 0, branch_map = 0; // Which of the 32 ways hold an item or a branch.
    std::vector<Item> items;
    std::vector<Ptr> branches;
  };
  static constexpr unsigned bits = 5;
  static constexpr unsigned hash_bits = 64;

public:
  bool empty() const { return !root_; }

  /// The item with the key, or null. Adds the nodes looked at to *visited, if given.
  const T* find(std::string_view key, std::size_t* visited = nullptr) const {
    const Node* node = root_.get();
    if (!node)
      return nullptr;
    const auto hash = hash_text(key);
    for (unsigned shift = 0;; shift += bits) {
      if (visited)
        ++*visited;
      if (shift >= hash_bits) {
        for (const auto& item : node->items)
          if (item->key() == key)
            return item.get();
        return nullptr;
      }
      const auto way = way_of(hash, shift);
      if (node->branch_map & way) {
        node = node->branches[index(node->branch_map, way)].get();
      } else if (node->item_map & way) {
        const T* item = node->items[index(node->item_map, way)].get();
        return item->hash == hash && item->key() == key ? item : nullptr;
      } else {
        return nullptr;
      }
    }
  }

  /// With the item in place of one of equal key.
  [[nodiscard]] HashTrie with(Item item, CopyCost& cost) const {
    return HashTrie{insert(root_.get(), std::move(item), 0, cost)};
  }
  [[nodiscard]] HashTrie without(std::string_view key, CopyCost& cost) const {
    return find(key) ? HashTrie{erase(*root_, hash_text(key), key, 0, cost)} : *this;
  }

  /// Calls visit(item) for each, in no particular order.
  template <class F>
  void each(F&& visit) const {
    if (root_)
      each(*root_, visit);
  }

  HashTrie() = default;

private:
  explicit HashTrie(Ptr root) : root_{std::move(root)} {}

  static std::uint32_t way_of(std::uint64_t hash, unsigned shift) {
    return std::uint32_t{1} << ((hash >> shift) & 31);
  }
  static std::size_t index(std::uint32_t map, std::uint32_t way) {
    return static_cast<std::size_t>(std::popcount(map & (way - 1)));
  }
  static Ptr counted(Node node, CopyCost& cost) {
    ++cost.nodes;
    cost.bytes += sizeof(Node) + node.items.capacity() * sizeof(Item) +
                  node.branches.capacity() * sizeof(Ptr);
    return std::make_shared<const Node>(std::move(node));
  }
  template <class V>
  static std::vector<V> replaced(const std::vector<V>& from, std::size_t at, V value) {
    auto copy = from;
    copy[at] = std::move(value);
    return copy;
  }
  template <class V>
  static std::vector<V> inserted(const std::vector<V>& from, std::size_t at, V value) {
    std::vector<V> copy;
    copy.reserve(from.size() + 1);
    const auto middle = from.begin() + static_cast<std::ptrdiff_t>(at);
    copy.insert(copy.end(), from.begin(), middle);
    copy.push_back(std::move(value));
    copy.insert(copy.end(), middle, from.end());
    return copy;
  }
  template <class V>
  static std::vector<V> erased(const std::vector<V>& from, std::size_t at) {
    std::vector<V> copy;
    copy.reserve(from.size() - 1);
    const auto middle = from.begin() + static_cast<std::ptrdiff_t>(at);
    copy.insert(copy.end(), from.begin(), middle);
    copy.insert(copy.end(), middle + 1, from.end());
    return copy;
  }

  static Ptr insert(const Node* node, Item item, unsigned shift, CopyCost& cost) {
    if (shift >= hash_bits) { // All bits equal.
      Node last = node ? *node : Node{};
      for (auto& old : last.items)
        if (old->key() == item->key()) {
          old = std::move(item);
          return counted(std::move(last), cost);
        }
      last.items.push_back(std::move(item));
      return counted(std::move(last), cost);
    }
    const auto way = way_of(item->hash, shift);
    if (!node)
      return counted({.item_map = way, .items = {std::move(item)}}, cost);
    if (node->branch_map & way) {
      const auto at = index(node->branch_map, way);
      auto below = insert(node->branches[at].get(), std::move(item), shift + bits, cost);
      return counted({.item_map = node->item_map,
                      .branch_map = node->branch_map,
                      .items = node->items,
                      .branches = replaced(node->branches, at, std::move(below))},
                     cost);
    }
    const auto at = index(node->item_map, way);
    if (!(node->item_map & way))
      return counted({.item_map = node->item_map | way,
                      .branch_map = node->branch_map,
                      .items = inserted(node->items, at, std::move(item)),
                      .branches = node->branches},
                     cost);
    const auto& there = node->items[at];
    if (there->hash == item->hash && there->key() == item->key())
      return counted({.item_map = node->item_map,
                      .branch_map = node->branch_map,
                      .items = replaced(node->items, at, std::move(item)),
                      .branches = node->branches},
                     cost);
    auto pair = insert(insert(nullptr, there, shift + bits, cost).get(), std::move(item),
                       shift + bits, cost);
    return counted(
        {.item_map = node->item_map & ~way,
         .branch_map = node->branch_map | way,
         .items = erased(node->items, at),
         .branches = inserted(node->branches, index(node->branch_map, way), std::move(pair))},
        cost);
  }

  /// Null if nothing is left. The key must be there.
  static Ptr erase(const Node& node, std::uint64_t hash, std::string_view key, unsigned shift,
                   CopyCost& cost) {
    if (shift >= hash_bits) {
      std::size_t at = 0;
      while (node.items[at]->key() != key)
        ++at;
      return shrunk({.items = erased(node.items, at)}, cost);
    }
    const auto way = way_of(hash, shift);
    if (node.item_map & way)
      return shrunk({.item_map = node.item_map & ~way,
                     .branch_map = node.branch_map,
                     .items = erased(node.items, index(node.item_map, way)),
                     .branches = node.branches},
                    cost);
    const auto at = index(node.branch_map, way);
    auto below = erase(*node.branches[at], hash, key, shift + bits, cost);
    Node copy{.item_map = node.item_map, .branch_map = node.branch_map, .items = node.items};
    if (below && (below->items.size() != 1 || !below->branches.empty())) {
      copy.branches = replaced(node.branches, at, std::move(below));
    } else {
      copy.branch_map &= ~way;
      copy.branches = erased(node.branches, at);
      if (below) { // A single item moves up, so that the trie is as deep as it must be.
        copy.items = inserted(node.items, index(node.item_map, way), below->items.front());
        copy.item_map |= way;
      }
    }
    return shrunk(std::move(copy), cost);
  }
  static Ptr shrunk(Node node, CopyCost& cost) {
    return node.items.empty() && node.branches.empty() ? nullptr : counted(std::move(node), cost);
  }

  template <class F>
  static void each(const Node& node, F& visit) {
    for (const auto& item : node.items)
      visit(*item);
    for (const auto& branch : node.branches)
      each(*branch, visit);
  }

  Ptr root_;
};

} // namespace strait::gateway
