#include "gateway/snapshot/hash_trie.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>
#include <string>

using namespace strait::gateway;

namespace {

struct Item {
  std::uint64_t hash;
  std::string name;
  int value;
  std::string_view key() const { return name; }
};

std::shared_ptr<const Item> item(std::string name, int value) {
  auto hash = hash_text(name);
  return std::make_shared<const Item>(Item{hash, std::move(name), value});
}

} // namespace

TEST_CASE("a hash trie agrees with std::map under random changes, and old versions stay") {
  std::mt19937 random{3};
  HashTrie<Item> trie;
  std::map<std::string, int> model;
  std::vector<std::pair<HashTrie<Item>, std::map<std::string, int>>> history;
  CopyCost cost;
  for (int step = 0; step < 20000; ++step) {
    auto key = std::to_string(random() % 3000);
    if (random() % 5 < (step < 10000 ? 3U : 1U)) {
      trie = trie.with(item(key, step), cost);
      model[key] = step;
    } else {
      trie = trie.without(key, cost);
      model.erase(key);
    }
    if (step % 4000 == 0)
      history.emplace_back(trie, model);
  }
  for (const auto& [key, value] : std::map{model})
    if (value % 2) {
      trie = trie.without(key, cost);
      model.erase(key);
    }
  history.emplace_back(trie, model);
  for (const auto& [old_trie, old_model] : history) {
    std::map<std::string, int> seen;
    old_trie.each([&](const Item& found) { seen[found.name] = found.value; });
    REQUIRE(seen == old_model);
    for (int key = 0; key < 3001; ++key) {
      auto* found = old_trie.find(std::to_string(key));
      auto expected = old_model.find(std::to_string(key));
      REQUIRE((found != nullptr) == (expected != old_model.end()));
      if (found)
        REQUIRE(found->value == expected->second);
    }
  }
  for (const auto& [key, value] : model)
    trie = trie.without(key, cost);
  CHECK(trie.empty());
}

TEST_CASE("keys with one hash live side by side") {
  // find() hashes its key: so the two items lie about theirs, as the key "b" has it.
  CopyCost cost;
  const auto hash = hash_text("b");
  auto a = std::make_shared<const Item>(Item{hash, "a", 1});
  auto b = std::make_shared<const Item>(Item{hash, "b", 2});
  auto c = std::make_shared<const Item>(Item{hash, "c", 3});
  auto trie = HashTrie<Item>{}.with(a, cost).with(b, cost).with(c, cost);
  int count = 0;
  trie.each([&](const Item&) { ++count; });
  CHECK(count == 3);
  REQUIRE(trie.find("b"));
  CHECK(trie.find("b")->value == 2);
  auto less = trie.without("b", cost);
  CHECK_FALSE(less.find("b"));
  CHECK(trie.find("b"));
}

TEST_CASE("a change of a hash trie copies a bounded number of bytes") {
  for (int size : {100, 10000, 100000}) {
    HashTrie<Item> trie;
    CopyCost building;
    for (int i = 0; i < size; ++i)
      trie = trie.with(item("key " + std::to_string(i), i), building);
    CopyCost cost;
    auto changed = trie.with(item("key 50", -1), cost);
    changed = changed.without("key 51", cost);
    changed = changed.with(item("new", -1), cost);
    std::size_t visited = 0;
    CHECK(changed.find("key 50", &visited)->value == -1);
    CHECK(visited <= 6);
    CHECK(cost.nodes <= 20);
    CHECK(cost.bytes <= 8192);
  }
}
