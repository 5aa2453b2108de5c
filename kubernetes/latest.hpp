#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace strait::kubernetes {

/// What is still to be done for each key, where only the latest wish counts: a pure machine before
/// something slow. At most one step per key and `in_flight_max` in all are under way; what is
/// wished meanwhile waits, replaced by every later wish. So it holds one value per key, however
/// fast wishes come.
template <class Key, class Value>
class Latest {
public:
  explicit Latest(std::size_t in_flight_max) : in_flight_max_{in_flight_max} {}

  void set(const Key& key, Value value) {
    bool queued = waiting_.insert_or_assign(key, std::move(value)).second == false;
    if (!queued && !under_way_.contains(key))
      order_.push_back(key);
  }
  /// Forgets a wish that waits. What is under way goes on.
  void drop(const Key& key) { waiting_.erase(key); }

  /// Steps to begin now, first come first served. done() is to follow for each.
  std::vector<std::pair<Key, Value>> take() {
    std::vector<std::pair<Key, Value>> out;
    while (!order_.empty() && under_way_.size() < in_flight_max_) {
      auto key = std::move(order_.front());
      order_.pop_front();
      auto node = waiting_.extract(key);
      if (node.empty() || under_way_.contains(key))
        continue;
      under_way_.insert(key);
      out.emplace_back(std::move(key), std::move(node.mapped()));
    }
    return out;
  }
  /// The step for the key ended. Whether a later wish for it waits.
  bool done(const Key& key) {
    under_way_.erase(key);
    bool more = waiting_.contains(key);
    if (more)
      order_.push_back(key);
    return more;
  }
  /// As done(), but what was tried is to be tried again unless something later is wished.
  void again(const Key& key, Value value) {
    if (!done(key))
      set(key, std::move(value));
  }

  bool waits(const Key& key) const { return waiting_.contains(key); }
  bool under_way(const Key& key) const { return under_way_.contains(key); }
  bool idle() const { return waiting_.empty() && under_way_.empty(); }
  std::size_t waiting() const { return waiting_.size(); }
  std::size_t in_flight() const { return under_way_.size(); }

private:
  std::size_t in_flight_max_;
  std::map<Key, Value> waiting_;
  std::set<Key> under_way_;
  std::deque<Key> order_; // May name keys that were dropped.
};

} // namespace strait::kubernetes
