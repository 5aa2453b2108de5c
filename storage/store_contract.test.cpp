// What every store promises, checked against every store.

#include "storage/checked_store.hpp"
#include "storage/faulty_store.hpp"
#include "storage/test_support.hpp"

#include <optional>

using namespace strait;
using namespace strait::storage;
using namespace strait::storage::test;

namespace {

struct InMemory {
  std::unique_ptr<Store> open(Limits limits = {}) { return make_memory_store(limits); }
};

struct OnFaultyDisk {
  std::unique_ptr<Store> open(Limits limits = {}) { return make_faulty_store({}, limits); }
};

struct OnRocksDB {
  TemporaryDirectory directory;
  std::unique_ptr<Store> open(Limits limits = {}) {
    auto store = open_rocksdb({.path = directory.path(), .limits = limits});
    INFO((store ? "" : store.error().detail));
    REQUIRE(store);
    return std::move(*store);
  }
};

#define EVERY_STORE InMemory, OnFaultyDisk, OnRocksDB

} // namespace

TEMPLATE_TEST_CASE("a new store is empty, has revision 0 and an id of its own", "", EVERY_STORE) {
  TestType place, other_place;
  auto store = place.open(), other = other_place.open();
  CHECK(store->revision() == 0);
  CHECK(values_of(*store).empty());
  CHECK(changes_of(*store, 0).empty());
  CHECK(store->id().size() == 36);
  CHECK(store->id() != other->id());
}

TEMPLATE_TEST_CASE("a group of commits becomes visible together, each in the log", "",
                   EVERY_STORE) {
  TestType place;
  auto store = place.open();
  std::vector<Commit> group{{1, {set("a", "1"), set("b", "1")}},
                            {2, {erase("a"), set("c", std::string{"\0\xff", 2})}},
                            {3, {}}};
  REQUIRE(store->commit(group));
  CHECK(store->revision() == 3);
  CHECK(values_of(*store) == Values{{"b", "1"}, {"c", std::string{"\0\xff", 2}}});
  CHECK(changes_of(*store, 0) == group);
  CHECK(changes_of(*store, 2) == std::vector{group[2]});
  CHECK(changes_of(*store, 3).empty());
}

TEMPLATE_TEST_CASE("of two writes to one key, the later wins, within a commit too", "",
                   EVERY_STORE) {
  TestType place;
  auto store = place.open();
  REQUIRE(write(*store, {set("a", "1"), erase("a"), set("b", "1"), set("b", "2"), erase("gone")}));
  CHECK(values_of(*store) == Values{{"b", "2"}});
  CHECK(changes_of(*store, 0).at(0).writes.size() == 5);
}

TEMPLATE_TEST_CASE("an empty group changes nothing", "", EVERY_STORE) {
  TestType place;
  auto store = place.open();
  CHECK(store->commit({}));
  CHECK(store->revision() == 0);
}

TEMPLATE_TEST_CASE("revisions that are not consecutive are refused and the store goes on", "",
                   EVERY_STORE) {
  TestType place;
  auto store = place.open();
  REQUIRE(write(*store, {set("a", "1")}));
  using Group = std::vector<Commit>;
  for (auto& group : {Group{{0, {}}}, Group{{1, {}}}, Group{{3, {}}}, Group{{2, {}}, {2, {}}},
                      Group{{2, {set("x", "")}}, {4, {}}}}) {
    CHECK(code_of(store->commit(group)) == Errc::invalid);
    CHECK(store->revision() == 1);
  }
  auto wrong = store->commit(Group{{7, {}}});
  CHECK_THAT(wrong.error().detail, Catch::EndsWith("commit has revision 7, expected 2"));
  CHECK(values_of(*store) == Values{{"a", "1"}});
  CHECK(write(*store, {set("b", "2")}));
}

TEMPLATE_TEST_CASE("a write that means nothing is refused", "", EVERY_STORE) {
  TestType place;
  auto store = place.open();
  CHECK(code_of(write(*store, {set("", "value")})) == Errc::invalid);
  CHECK(code_of(write(*store, {Write{"key", "value", true}})) == Errc::invalid);
  CHECK(store->revision() == 0);
}

TEMPLATE_TEST_CASE("a scan gives the keys of a prefix in the order of their bytes", "",
                   EVERY_STORE) {
  TestType place;
  auto store = place.open();
  REQUIRE(write(*store, {set("b/2", "2"), set("a/1", ""), set("b/10", "10"), set("b", "root"),
                         set("b/\xff", "last"), set("b0", "beyond"), set("b/\x01", "first")}));
  std::vector<std::string> keys;
  REQUIRE(store->scan("b/", [&](std::string_view key, std::string_view) {
    keys.emplace_back(key);
    return true;
  }));
  CHECK(keys == std::vector<std::string>{"b/\x01", "b/10", "b/2", "b/\xff"});
  CHECK(values_of(*store, "b/\xff") == Values{{"b/\xff", "last"}});
  CHECK(values_of(*store, "c").empty());
  CHECK(values_of(*store).size() == 7);
}

TEMPLATE_TEST_CASE("a visitor that returns false is not called again", "", EVERY_STORE) {
  TestType place;
  auto store = place.open();
  REQUIRE(write(*store, {set("a", ""), set("b", ""), set("c", "")}));
  advance_to(*store, 5);
  int seen = 0;
  REQUIRE(store->scan("", [&](auto, auto) { return ++seen < 2; }));
  CHECK(seen == 2);
  seen = 0;
  REQUIRE(store->changes_after(0, [&](auto&) { return ++seen < 2; }));
  CHECK(seen == 2);
}

TEMPLATE_TEST_CASE("changes are told for the newest log_commits_max commits only", "",
                   EVERY_STORE) {
  TestType place;
  auto store = place.open({.log_commits_max = 5});
  auto begins_at = [&](Revision after) { return changes_of(*store, after).at(0).revision; };
  auto told = [](const Commit&) { return true; };
  // Past the point where the log is cut, by a group and by single commits.
  for (Revision newest : {Revision{5}, Revision{8}, log_trim_slack_min + 4, log_trim_slack_min + 5,
                          log_trim_slack_min + 6, 3 * log_trim_slack_min}) {
    advance_to(*store, newest);
    CHECK(begins_at(newest - 5) == newest - 4);
    CHECK(changes_of(*store, newest - 5).size() == 5);
    if (newest > 5)
      CHECK(code_of(store->changes_after(newest - 6, told)) == Errc::not_found);
  }
  CHECK(code_of(store->changes_after(0, told)) == Errc::not_found);
}

TEMPLATE_TEST_CASE("changes after a revision that the store never had are not found", "",
                   EVERY_STORE) {
  TestType place;
  auto store = place.open();
  advance_to(*store, 3);
  auto told = [](const Commit&) { return true; };
  CHECK(code_of(store->changes_after(4, told)) == Errc::not_found);
  CHECK(code_of(store->changes_after(~Revision{0}, told)) == Errc::not_found);
}

TEMPLATE_TEST_CASE("watchers are called in order after each commit until they let go", "",
                   EVERY_STORE) {
  TestType place;
  auto store = place.open();
  std::vector<std::pair<char, Revision>> calls;
  auto watcher = [&](char who) {
    return store->watch([&calls, who, &store = *store](const Commit& commit) {
      calls.emplace_back(who, commit.revision);
      CHECK(store.revision() >= commit.revision);
    });
  };
  advance_to(*store, 1);
  auto a = watcher('a'), b = watcher('b');
  REQUIRE(store->commit(std::vector<Commit>{{2, {}}, {3, {}}}));
  a = std::shared_ptr<void>{};
  advance_to(*store, 4);
  using Calls = decltype(calls);
  CHECK(calls == Calls{{'a', 2}, {'b', 2}, {'a', 3}, {'b', 3}, {'b', 4}});
  CHECK(code_of(store->commit(std::vector<Commit>{{9, {}}})) == Errc::invalid);
  CHECK(calls.size() == 5);
  store.reset(); // A handle may outlive its store.
}

TEMPLATE_TEST_CASE("a watcher may drop itself and begin another watch, but not commit", "",
                   EVERY_STORE) {
  TestType place;
  auto store = place.open();
  std::shared_ptr<void> self, later;
  int calls = 0, later_calls = 0;
  self = *store->watch([&](const Commit& commit) {
    ++calls;
    CHECK(code_of(write(*store, {})) == Errc::invalid);
    CHECK(commit.revision == 1);
    later = *store->watch([&](const Commit& seen) { later_calls += seen.revision == 3 ? 1 : 100; });
    self.reset();
  });
  REQUIRE(store->commit(std::vector<Commit>{{1, {}}, {2, {}}}));
  advance_to(*store, 3);
  CHECK(calls == 1);
  CHECK(later_calls == 1);
}

TEMPLATE_TEST_CASE("each limit is reached exactly, and going beyond leaves the store usable", "",
                   EVERY_STORE) {
  TestType place;
  auto store = place.open({.key_bytes_max = 10,
                           .value_bytes_max = 20,
                           .commit_bytes_max = 100,
                           .group_commits_max = 4,
                           .group_bytes_max = 300,
                           .watchers_max = 2});
  auto refused = [&](const Status& status, const std::string& limit) {
    CHECK(code_of(status) == Errc::exhausted);
    CHECK_THAT(status.error().detail, Catch::Contains("(" + limit + ")"));
  };
  std::string key(10, 'k'), value(20, 'v');
  Commit full{0, {set("a", value), set("b", value), set("c", std::string(10, 'v'))}};
  REQUIRE(bytes_of(full) == 101);
  full.writes[2].value.pop_back();
  auto group_of = [&](std::size_t count) {
    std::vector<Commit> group(count, full);
    for (auto& commit : group)
      commit.revision = store->revision() + 1 + static_cast<Revision>(&commit - group.data());
    return group;
  };

  CHECK(write(*store, {set(key, value)}));
  refused(write(*store, {set(key + "k", "")}), "key_bytes_max");
  refused(write(*store, {set(key, value + "v")}), "value_bytes_max");
  CHECK(store->commit(group_of(3)));
  refused(store->commit(group_of(4)), "group_bytes_max");
  full.writes[2].value += "v";
  refused(store->commit(group_of(1)), "commit_bytes_max");
  full.writes.clear();
  CHECK(store->commit(group_of(4)));
  refused(store->commit(group_of(5)), "group_commits_max");

  auto a = store->watch([](auto&) {}), b = store->watch([](auto&) {});
  REQUIRE(a);
  REQUIRE(b);
  auto c = store->watch([](auto&) {});
  REQUIRE_FALSE(c);
  CHECK(c.error().code == Errc::exhausted);
  b = std::shared_ptr<void>{};
  CHECK(store->watch([](auto&) {}));

  CHECK(store->revision() == 8);
  CHECK(values_of(*store).size() == 4);
  CHECK(write(*store, {}));
}

TEMPLATE_TEST_CASE("random groups leave what a plain map would hold", "", EVERY_STORE) {
  TestType place;
  auto store = place.open();
  Values expected;
  std::vector<Commit> log;
  std::srand(7);
  auto below = [](int n) { return std::rand() % n; };
  for (int round = 0; round < 60; ++round) {
    std::vector<Commit> group;
    for (int i = below(4); i >= 0; --i) {
      auto& commit = group.emplace_back(Commit{store->revision() + 1 + group.size(), {}});
      for (int j = below(5); j > 0; --j) {
        auto key = "key/" + std::to_string(below(20));
        if (below(3)) {
          auto& added = commit.writes.emplace_back(
              set(key, std::string(static_cast<std::size_t>(below(300)), 'v')));
          expected[key] = added.value;
        } else {
          commit.writes.push_back(erase(key));
          expected.erase(key);
        }
      }
    }
    REQUIRE(store->commit(group));
    log.insert(log.end(), group.begin(), group.end());
  }
  CHECK(values_of(*store) == expected);
  CHECK(changes_of(*store, 0) == log);
}

TEST_CASE("a RocksDB store opened anew has its values, log, revision and id") {
  OnRocksDB place;
  auto store = place.open();
  REQUIRE(write(*store, {set("a", "1"), set("b", "2")}));
  REQUIRE(write(*store, {erase("a")}));
  auto id = store->id();
  for (int i = 0; i < 2; ++i) {
    store.reset();
    store = place.open();
    CHECK(store->id() == id);
    CHECK(store->revision() == 2);
    CHECK(values_of(*store) == Values{{"b", "2"}});
    CHECK(changes_of(*store, 1) == std::vector<Commit>{{2, {erase("a")}}});
  }
  CHECK(code_of(store->commit(std::vector<Commit>{{1, {}}})) == Errc::invalid);
  CHECK(write(*store, {set("c", "3")}));
}

TEST_CASE("a log that was cut is still cut, and continues, when the store is opened anew") {
  OnRocksDB place;
  Limits limits{.log_commits_max = 5};
  auto store = place.open(limits);
  advance_to(*store, log_trim_slack_min + 5);
  advance_to(*store, log_trim_slack_min + 8);
  store.reset();
  store = place.open(); // With a higher limit: what was cut does not come back.
  auto told = [](const Commit&) { return true; };
  CHECK(code_of(store->changes_after(0, told)) == Errc::not_found);
  CHECK(changes_of(*store, log_trim_slack_min).size() == 8);
  advance_to(*store, log_trim_slack_min + 9);
  CHECK(changes_of(*store, log_trim_slack_min).size() == 9);
}
