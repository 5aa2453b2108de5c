#include "base/persistent_map.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>
#include <string>

using strait::PersistentMap;

TEST_CASE("a persistent map agrees with std::map under random changes, and old versions stay") {
  std::mt19937 random{7};
  PersistentMap<int, int> map;
  std::map<int, int> model;
  std::vector<std::pair<PersistentMap<int, int>, std::map<int, int>>> history;
  for (int step = 0; step < 5000; ++step) {
    int key = static_cast<int>(random() % 200);
    if (random() % 3) {
      map = map.with(key, step);
      model[key] = step;
    } else {
      map = map.without(key);
      model.erase(key);
    }
    if (step % 500 == 0)
      history.emplace_back(map, model);
    REQUIRE(map.size() == model.size());
  }
  history.emplace_back(map, model);
  for (auto& [old_map, old_model] : history) {
    REQUIRE(old_map.size() == old_model.size());
    auto it = old_map.begin();
    for (auto& [key, value] : old_model) {
      REQUIRE(it->first == key);
      REQUIRE(it->second == value);
      REQUIRE(*old_map.find(key) == value);
      ++it;
    }
    REQUIRE(it == old_map.end());
    auto next = old_model.begin();
    REQUIRE(old_map.each([&](auto& item) { return item.first == (next++)->first; }));
    REQUIRE(next == old_model.end());
    for (int key = -1; key < 202; ++key) {
      auto expected = old_model.lower_bound(key);
      auto found = old_map.lower_bound(key);
      REQUIRE((found == old_map.end()) == (expected == old_model.end()));
      if (expected != old_model.end())
        REQUIRE(found->first == expected->first);
    }
  }
}

TEST_CASE("a change shares all but a logarithmic number of nodes") {
  PersistentMap<int, std::shared_ptr<int>> map;
  for (int i = 0; i < 10000; ++i)
    map = map.with(i, std::make_shared<int>(i));
  auto value = *map.find(5000);
  auto before = value.use_count();
  auto changed = map.with(1, std::make_shared<int>(-1));
  CHECK(value.use_count() - before <= 1); // At most its one node was copied.
  CHECK_FALSE(changed.same(map));
  CHECK(map.without(-5).same(map));
}

TEST_CASE("the differences of two maps are what came, went and changed") {
  std::mt19937 random{11};
  for (int round = 0; round < 300; ++round) {
    PersistentMap<int, int> from;
    auto change = [&](PersistentMap<int, int> map, std::uint_fast32_t steps) {
      for (std::uint_fast32_t step = 0; step < steps; ++step) {
        int key = static_cast<int>(random() % 300);
        map = random() % 3 ? map.with(key, static_cast<int>(random() % 4)) : map.without(key);
      }
      return map;
    };
    from = change(from, random() % 400);
    // Of the same origin, or of none.
    auto to = change(round % 3 ? from : PersistentMap<int, int>{}, random() % 60);
    std::map<int, int> replayed;
    for (auto& [key, value] : from)
      replayed[key] = value;
    int last = -1;
    REQUIRE(PersistentMap<int, int>::differences(from, to, [&](auto* before, auto* after) {
      REQUIRE((before || after));
      int key = before ? before->first : after->first;
      REQUIRE(key > last);
      last = key;
      if (before)
        REQUIRE(*from.find(key) == before->second);
      else
        REQUIRE_FALSE(from.contains(key));
      if (after)
        replayed[key] = after->second;
      else
        replayed.erase(key);
      return true;
    }));
    REQUIRE(replayed.size() == to.size());
    for (auto& [key, value] : replayed)
      REQUIRE(*to.find(key) == value);
    std::map<int, int> all;
    for (auto& [key, value] : from)
      all[key] = value;
    REQUIRE((from == to) == (all == replayed));
  }
}

namespace {
int comparisons = 0;
struct CountingLess {
  bool operator()(int a, int b) const {
    ++comparisons;
    return a < b;
  }
};
} // namespace

TEST_CASE("the differences of one change cost the same, whatever the size") {
  auto cost = [](int size) {
    using Map = PersistentMap<int, int, CountingLess>;
    Map map;
    for (int i = 0; i < size; ++i)
      map = map.with(2 * i, i);
    int worst = 0;
    for (int key = 0; key < 2 * size; key += size / 10)
      for (auto& changed : {map.with(key, -1), map.with(key + 1, -1), map.without(key)}) {
        int visits = 0;
        comparisons = 0;
        Map::differences(map, changed, [&](auto*, auto*) { return ++visits > 0; });
        worst = std::max(worst, visits + comparisons);
      }
    return worst;
  };
  CHECK(cost(100) <= 100);
  CHECK(cost(100'000) <= 100);
}

TEST_CASE("a map made of sorted items equals one made by inserting them, and takes any order") {
  for (int size = 0; size < 70; ++size) {
    std::vector<std::pair<int, int>> items;
    PersistentMap<int, int> inserted;
    for (int i = 0; i < size; ++i) {
      items.emplace_back(i, i * i);
      inserted = inserted.with(i, i * i);
    }
    auto built = PersistentMap<int, int>::from_sorted(items);
    CHECK(built == inserted);
    CHECK(built.without(size / 2).with(-1, 0).size() ==
          static_cast<std::size_t>(size + (size == 0)));
    std::reverse(items.begin(), items.end());
    CHECK(PersistentMap<int, int>::from_sorted(items) == inserted);
  }
}
