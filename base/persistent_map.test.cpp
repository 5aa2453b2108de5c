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
