#include "storage/faulty_store.hpp"

#include "storage/test_support.hpp"

using namespace strait;
using namespace strait::storage;
using namespace strait::storage::test;

TEST_CASE("a faulty store fails the commit it was told to and takes none after it") {
  auto store = make_faulty_store({.fail_commit = 2, .aftermath = Faults::Aftermath::nothing});
  int watched = 0;
  auto handle = store->watch([&](auto&) { ++watched; });
  REQUIRE(write(*store, {set("a", "1")}));
  CHECK(code_of(write(*store, {set("b", "2")})) == Errc::internal);
  CHECK(code_of(write(*store, {set("b", "2")})) == Errc::unavailable);
  CHECK(store->revision() == 1);
  CHECK(watched == 1);
  CHECK(values_of(*store) == Values{{"a", "1"}});
  CHECK(changes_of(*store, 0).size() == 1);
}

TEST_CASE("after a failed commit the disk holds the group wholly or not at all") {
  for (auto aftermath : {Faults::Aftermath::nothing, Faults::Aftermath::whole_group}) {
    auto store = make_faulty_store({.fail_commit = 1, .aftermath = aftermath});
    std::vector<Commit> group{{1, {set("a", "1")}}, {2, {set("b", "2")}}};
    CHECK(code_of(store->commit(group)) == Errc::internal);
    auto found = store->crash();
    bool whole = aftermath == Faults::Aftermath::whole_group;
    CHECK(found->revision() == (whole ? 2U : 0U));
    CHECK(values_of(*found).size() == found->revision());
    CHECK(changes_of(*found, 0).size() == found->revision());
    CHECK(write(*found, {set("c", "3")}));
  }
}

TEST_CASE("power loss keeps what was synced and the id, and ends the old store") {
  auto store = make_faulty_store({.sync_every = 3});
  for (auto key : {"a", "b", "c", "d", "e"})
    REQUIRE(write(*store, {set(key, "")}));
  CHECK(store->revision() == 5);
  auto found = store->crash();
  CHECK(found->revision() == 3);
  CHECK(found->id() == store->id());
  CHECK(values_of(*found) == Values{{"a", ""}, {"b", ""}, {"c", ""}});
  CHECK(code_of(write(*store, {})) == Errc::unavailable);
  CHECK(store->crash()->revision() == 3);

  auto honest = make_faulty_store({});
  advance_to(*honest, 5);
  CHECK(honest->crash()->revision() == 5);
}

TEST_CASE("a short disk takes commits up to its last byte, then is exhausted for good") {
  auto store = make_faulty_store({.disk_bytes = 40});
  REQUIRE(write(*store, {set("key1", "")})); // 16 + 4 bytes.
  REQUIRE(write(*store, {set("key2", "")}));
  CHECK(code_of(write(*store, {set("k", "")})) == Errc::exhausted);
  CHECK(code_of(write(*store, {})) == Errc::unavailable);
  auto found = store->crash({.disk_bytes = 1000});
  CHECK(found->revision() == 2);
  CHECK(write(*found, {set("k", "")}));
}

TEST_CASE("the same seed fails the same commits") {
  auto survived = [](std::uint64_t seed) {
    auto store = make_faulty_store({.seed = seed, .fail_one_in = 10});
    while (write(*store, {set("k", "")}))
      continue;
    return std::pair{store->revision(), store->crash()->revision()};
  };
  std::map<Revision, int> ends;
  int kept = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    auto [acknowledged, durable] = survived(seed);
    CHECK(survived(seed) == std::pair{acknowledged, durable});
    CHECK(durable >= acknowledged);
    CHECK(durable <= acknowledged + 1);
    kept += durable > acknowledged;
    ++ends[acknowledged];
  }
  CHECK(ends.size() > 5);
  CHECK(kept > 5);
  CHECK(kept < 35);
}
