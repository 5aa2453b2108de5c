// Figures, not checks: strait_storage_test "[bench]" prints them. TMPDIR chooses the disk.

#include "storage/test_support.hpp"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <functional>

using namespace strait;
using namespace strait::storage;
using namespace strait::storage::test;

namespace {

constexpr std::size_t value_bytes = 300;

/// The processor's share tells what a busy machine hides.
struct Spent {
  double seconds = 0;
  double cpu_seconds = 0; // Of all threads.
};

Spent spent_on(const std::function<void()>& work) {
  auto begin = std::chrono::steady_clock::now();
  auto cpu_begin = std::clock();
  work();
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
          static_cast<double>(std::clock() - cpu_begin) / CLOCKS_PER_SEC};
}

/// One write in each commit; keys do not repeat.
void write_groups(Store& store, std::size_t commits, std::size_t group_size) {
  for (std::size_t done = 0; done < commits; done += group_size) {
    std::vector<Commit> group;
    for (std::size_t i = 1; i <= group_size; ++i) {
      auto revision = store.revision() + i;
      group.push_back({revision,
                       {set("instance/" + std::to_string(revision * 7919 % 1'000'003),
                            std::string(value_bytes, static_cast<char>('a' + revision % 26)))}});
    }
    REQUIRE(store.commit(group));
  }
}

} // namespace

TEST_CASE("commits a second, by the size of the group", "[.][bench]") {
  for (std::size_t group_size : {1U, 8U, 64U, 512U}) {
    TemporaryDirectory directory;
    auto store = open_rocksdb({.path = directory.path()});
    REQUIRE(store);
    auto commits = group_size * 1000;
    auto spent = spent_on([&] { write_groups(**store, commits, group_size); });
    std::printf("groups of %3zu: %8.0f commits/s, %6.0f us a group; %4.0f us of processor\n",
                group_size, static_cast<double>(commits) / spent.seconds, spent.seconds * 1e3,
                spent.cpu_seconds * 1e3);
  }
}

TEST_CASE("time to open a store of 100,000 records and read them all", "[.][bench]") {
  TemporaryDirectory directory;
  std::unique_ptr<Store> store;
  auto open = [&] { store = std::move(*open_rocksdb({.path = directory.path()})); };
  open();
  write_groups(*store, 100'032, 64);
  auto reopen = [&](const char* state) {
    store.reset();
    auto opening = spent_on(open);
    std::size_t found = 0;
    auto scanning = spent_on([&] {
      REQUIRE(store->scan("", [&](auto, auto value) { return found += value.size(), true; }));
    });
    CHECK(found >= 100'032 * value_bytes);
    std::printf("%-20s opened in %4.0f ms (%4.0f of processor), scanned in %4.0f ms (%4.0f)\n",
                state, opening.seconds * 1e3, opening.cpu_seconds * 1e3, scanning.seconds * 1e3,
                scanning.cpu_seconds * 1e3);
  };
  reopen("just written:");
  reopen("again:");
  write_groups(*store, 200'192, 512);
  reopen("with a full log:");
  reopen("again:");
}
