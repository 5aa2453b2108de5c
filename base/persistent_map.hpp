#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace strait {

/// An ordered map that is never changed: with() and without() return a new map that shares all but
/// O(log n) nodes with the old one (an AVL tree copied along the path). Copying a map copies one
/// pointer. Views and snapshots are made of it, so that one change costs the same whatever the
/// size.
///
/// Any thread may read any map at any time. Iteration is in key order.
template <class K, class V, class Less = std::less<>>
class PersistentMap {
  struct Node;
  using Ptr = std::shared_ptr<const Node>;
  struct Node {
    std::pair<K, V> item;
    Ptr left, right;
    std::uint32_t count;
    std::uint8_t height;
  };

public:
  using value_type = std::pair<K, V>;

  class const_iterator {
  public:
    using value_type = std::pair<K, V>;
    using difference_type = std::ptrdiff_t;
    using pointer = const value_type*;
    using reference = const value_type&;
    using iterator_category = std::forward_iterator_tag;

    const_iterator() = default;
    reference operator*() const { return path_.back()->item; }
    pointer operator->() const { return &path_.back()->item; }
    const_iterator& operator++() {
      const Node* node = path_.back();
      path_.pop_back();
      push_left(node->right.get());
      return *this;
    }
    const_iterator operator++(int) {
      auto old = *this;
      ++*this;
      return old;
    }
    friend bool operator==(const const_iterator& a, const const_iterator& b) {
      return a.path_.empty() ? b.path_.empty()
                             : !b.path_.empty() && a.path_.back() == b.path_.back();
    }

  private:
    friend class PersistentMap;
    void push_left(const Node* node) {
      for (; node; node = node->left.get())
        path_.push_back(node);
    }
    std::vector<const Node*> path_; // The current node last; each has its left side done.
  };
  using iterator = const_iterator;

  std::size_t size() const { return root_ ? root_->count : 0; }
  bool empty() const { return !root_; }
  const_iterator begin() const {
    const_iterator it;
    it.push_left(root_.get());
    return it;
  }
  const_iterator end() const { return {}; }

  /// The value at the key, or null. Valid as long as any map that shares the node lives.
  template <class Q>
  const V* find(const Q& key) const {
    for (const Node* node = root_.get(); node;) {
      if (Less{}(key, node->item.first))
        node = node->left.get();
      else if (Less{}(node->item.first, key))
        node = node->right.get();
      else
        return &node->item.second;
    }
    return nullptr;
  }
  template <class Q>
  bool contains(const Q& key) const {
    return find(key) != nullptr;
  }

  /// From the first key that is not less than the given one.
  template <class Q>
  const_iterator lower_bound(const Q& key) const {
    const_iterator it;
    for (const Node* node = root_.get(); node;) {
      if (Less{}(node->item.first, key)) {
        node = node->right.get();
      } else {
        it.path_.push_back(node);
        node = node->left.get();
      }
    }
    return it;
  }

  [[nodiscard]] PersistentMap with(K key, V value) const {
    return PersistentMap{insert(root_, std::move(key), std::move(value))};
  }
  template <class Q>
  [[nodiscard]] PersistentMap without(const Q& key) const {
    return contains(key) ? PersistentMap{erase(root_, key)} : *this;
  }

  /// Calls visit(item) in key order until it returns false; whether it never did. Allocates
  /// nothing.
  template <class F>
  bool each(F&& visit) const {
    return each(root_.get(), visit);
  }

  /// Calls visit(old item, new item) in key order until it returns false; whether it never did.
  /// Null stands for what `from` has not yet, or `to` no more. What both share is passed over:
  /// where one map was made of the other, this costs O(log n) for each change between them. Items
  /// whose nodes were copied on the way to a change are visited too, though they are equal.
  template <class F>
  static bool differences(const PersistentMap& from, const PersistentMap& to, F&& visit) {
    Walk old{from.root_.get()}, now{to.root_.get()};
    while (!old.done() || !now.done()) {
      const Node* mine = old.subtree();
      const Node* other = now.subtree();
      if (mine && mine == other) {
        old.pop();
        now.pop();
      } else if (mine && (!other || mine->height >= other->height)) {
        old.open();
      } else if (other) {
        now.open();
      } else {
        bool gone = now.done() || (!old.done() && Less{}(old.item().first, now.item().first));
        bool came = old.done() || (!now.done() && Less{}(now.item().first, old.item().first));
        const value_type* before = came ? nullptr : old.pop();
        const value_type* after = gone ? nullptr : now.pop();
        if (!visit(before, after))
          return false;
      }
    }
    return true;
  }

  /// A map of items that come in the order of their keys, each key once: O(n), where as many with()
  /// cost O(n log n). Items in another order are inserted one by one.
  [[nodiscard]] static PersistentMap from_sorted(std::vector<value_type> items) {
    auto unordered = [](auto& a, auto& b) { return !Less{}(a.first, b.first); };
    if (std::adjacent_find(items.begin(), items.end(), unordered) == items.end())
      return PersistentMap{build(items, 0, items.size())};
    PersistentMap map;
    for (auto& [key, value] : items)
      map = map.with(std::move(key), std::move(value));
    return map;
  }

  /// Whether both are the same object in memory: cheap, and true implies equal.
  bool same(const PersistentMap& other) const { return root_ == other.root_; }

  friend bool operator==(const PersistentMap& a, const PersistentMap& b) {
    return a.size() == b.size() &&
           differences(a, b, [](auto* it, auto* other) { return it && other && *it == *other; });
  }

  /// The memory of one node, for tests that count what a change costs.
  static constexpr std::size_t node_bytes() { return sizeof(Node); }

  PersistentMap() = default;

private:
  explicit PersistentMap(Ptr root) : root_{std::move(root)} {}

  /// In key order, by subtrees that can be passed over or opened.
  class Walk {
  public:
    explicit Walk(const Node* root) { push(root); }
    bool done() const { return next_.empty(); }
    /// What comes next, null if that is a single item or nothing.
    const Node* subtree() const {
      return done() || next_.back().opened ? nullptr : next_.back().node;
    }
    const value_type& item() const { return next_.back().node->item; }
    /// Passes over what comes next.
    const value_type* pop() {
      const Node* node = next_.back().node;
      next_.pop_back();
      return &node->item;
    }
    /// The subtree becomes its left side, its item and its right side.
    void open() {
      const Node* node = next_.back().node;
      next_.pop_back();
      push(node->right.get());
      next_.push_back({node, true});
      push(node->left.get());
    }

  private:
    struct Next {
      const Node* node;
      bool opened; // Only its item is left.
    };
    void push(const Node* node) {
      if (node)
        next_.push_back({node, false});
    }
    std::vector<Next> next_; // The first last.
  };

  template <class F>
  static bool each(const Node* node, F& visit) {
    for (; node; node = node->right.get())
      if (!each(node->left.get(), visit) || !visit(node->item))
        return false;
    return true;
  }
  static int height(const Ptr& node) { return node ? node->height : 0; }
  static std::uint32_t count(const Ptr& node) { return node ? node->count : 0; }

  static Ptr make(std::pair<K, V> item, Ptr left, Ptr right) {
    auto tall = static_cast<std::uint8_t>(1 + std::max(height(left), height(right)));
    auto many = 1 + count(left) + count(right);
    return std::make_shared<const Node>(
        Node{std::move(item), std::move(left), std::move(right), many, tall});
  }
  static Ptr balance(std::pair<K, V> item, Ptr left, Ptr right) {
    if (height(left) > height(right) + 1) {
      if (height(left->left) >= height(left->right))
        return make(left->item, left->left, make(std::move(item), left->right, std::move(right)));
      const auto& pivot = left->right;
      return make(pivot->item, make(left->item, left->left, pivot->left),
                  make(std::move(item), pivot->right, std::move(right)));
    }
    if (height(right) > height(left) + 1) {
      if (height(right->right) >= height(right->left))
        return make(right->item, make(std::move(item), std::move(left), right->left), right->right);
      const auto& pivot = right->left;
      return make(pivot->item, make(std::move(item), std::move(left), pivot->left),
                  make(right->item, pivot->right, right->right));
    }
    return make(std::move(item), std::move(left), std::move(right));
  }
  static Ptr build(std::vector<value_type>& items, std::size_t from, std::size_t to) {
    if (from == to)
      return {};
    auto middle = from + (to - from) / 2;
    auto left = build(items, from, middle);
    return make(std::move(items[middle]), std::move(left), build(items, middle + 1, to));
  }
  static Ptr insert(const Ptr& node, K key, V value) {
    if (!node)
      return make({std::move(key), std::move(value)}, {}, {});
    if (Less{}(key, node->item.first))
      return balance(node->item, insert(node->left, std::move(key), std::move(value)), node->right);
    if (Less{}(node->item.first, key))
      return balance(node->item, node->left, insert(node->right, std::move(key), std::move(value)));
    return make({std::move(key), std::move(value)}, node->left, node->right);
  }
  static Ptr erase_first(const Ptr& node) {
    return node->left ? balance(node->item, erase_first(node->left), node->right) : node->right;
  }
  template <class Q>
  static Ptr erase(const Ptr& node, const Q& key) {
    if (Less{}(key, node->item.first))
      return balance(node->item, erase(node->left, key), node->right);
    if (Less{}(node->item.first, key))
      return balance(node->item, node->left, erase(node->right, key));
    if (!node->left)
      return node->right;
    if (!node->right)
      return node->left;
    const Node* next = node->right.get();
    while (next->left)
      next = next->left.get();
    return balance(next->item, node->left, erase_first(node->right));
  }

  Ptr root_;
};

} // namespace strait
