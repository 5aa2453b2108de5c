#include "catalog/catalog.hpp"

#include "catalog/dump.hpp"
#include "catalog/random_commands.hpp"
#include "catalog/rows.hpp"
#include "catalog/view_writer.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <cmath>

using namespace strait;
using namespace strait::catalog;

namespace {

WallTime at(std::uint64_t step) { return WallTime{Millis{1'000 * step}}; }

Register instance(std::size_t number) {
  Register command;
  command.node = {.name = "node-" + std::to_string(number / 4), .address = "10.0.0.1"};
  auto id = "i" + std::to_string(number);
  command.instance = model::ServiceInstance{
      .id = id, .service = "service-" + std::to_string(number % 1000), .port = 8080};
  command.checks = {{.id = "c" + id, .name = "http", .service_id = id}};
  return command;
}

/// A store with so many instances, each with a check, four to a node, of a thousand services.
std::unique_ptr<storage::Store> large_store(std::size_t instances) {
  auto store = storage::make_memory_store();
  Catalog catalog;
  std::vector<storage::Commit> commits;
  for (std::size_t i = 0; i < instances; ++i) {
    auto outcome = catalog.apply(instance(i), at(i));
    REQUIRE(outcome);
    commits.push_back(std::move(outcome->commit));
    if (commits.size() == 1000 || i + 1 == instances) {
      REQUIRE(store->commit(commits));
      commits.clear();
    }
  }
  return store;
}

} // namespace

TEST_CASE("what was committed gives the live view again, by scan and by replay") {
  std::size_t accepted = 0, refused = 0, empty = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    INFO("seed " << seed);
    auto store = storage::make_memory_store();
    Catalog catalog;
    RandomCommands commands{seed};
    auto replayed = catalog.view();
    for (std::uint64_t step = 0; step < 400; ++step) {
      auto before = catalog.view();
      auto outcome = catalog.apply(commands.next(), at(step));
      if (!outcome || outcome->nothing()) {
        ++(outcome ? empty : refused);
        REQUIRE(catalog.view() == before);
        continue;
      }
      ++accepted;
      REQUIRE(outcome->commit.revision == before->revision + 1);
      REQUIRE(catalog.view()->revision == outcome->commit.revision);
      REQUIRE(store->commit(std::vector{outcome->commit}));
      auto next = replay(*replayed, outcome->commit);
      REQUIRE(next);
      replayed = *next;
      if (step % 20 == 0) {
        auto loaded = Catalog::load(*store);
        INFO((loaded ? "" : loaded.error().detail));
        REQUIRE(loaded);
        REQUIRE(to_text(*loaded->view()) == to_text(*catalog.view()));
        REQUIRE(same(*loaded->view(), *catalog.view()));
        REQUIRE(to_text(*replayed) == to_text(*catalog.view()));
        REQUIRE_FALSE(same(*before, *catalog.view()));
      }
    }
    // A loaded catalog goes on as the live one does, deterministically.
    auto loaded = Catalog::load(*store);
    REQUIRE(loaded);
    for (std::uint64_t step = 0; step < 50; ++step) {
      auto command = commands.next();
      REQUIRE(catalog.apply(command, at(step)).has_value() ==
              loaded->apply(command, at(step)).has_value());
    }
    REQUIRE(to_text(*loaded->view()) == to_text(*catalog.view()));
  }
  CHECK(accepted > 2000);
  CHECK(refused > 200);
  CHECK(empty > 200);
}

TEST_CASE("one command costs the same in a catalog of 100 and of 20,000 instances") {
  struct Cost {
    std::size_t writes, changed;
  };
  auto cost = [](std::size_t instances) {
    Catalog catalog;
    for (std::size_t i = 0; i < instances; ++i)
      REQUIRE(catalog.apply(instance(i), at(0)));
    auto outcome =
        catalog.apply(ReportCheck{"node-3", "ci14", model::Health::passing, "200 OK"}, at(1));
    REQUIRE(outcome);
    return Cost{outcome->commit.writes.size(), outcome->changed.size()};
  };
  auto small = cost(100), large = cost(20'000);
  CHECK(small.writes == 2); // The check and its service's index.
  CHECK(large.writes == small.writes);
  CHECK(large.changed == small.changed);
}

TEST_CASE("a store that contradicts itself is refused") {
  auto load = [](std::vector<storage::Write> writes) {
    auto store = storage::make_memory_store();
    REQUIRE(store->commit(std::vector{storage::Commit{1, std::move(writes)}}));
    auto loaded = Catalog::load(*store);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().code == Errc::corrupt);
    return loaded.error().detail;
  };
  auto row = [](AnyRecord record) {
    return storage::Write{encode_key(key_of(record)), encode_record(record, 1, 1), false};
  };
  model::Node node{.name = "n", .address = "a"};
  model::ServiceInstance of_node{.node = "n", .id = "i", .service = "web"};
  auto index = encode_key(service_index_key({"", "web"}));
  CHECK(load({row(of_node)}) == "stored ServiceInstance /n/i: its node n is missing");
  CHECK(load({row(node), row(of_node)}) == "stored ServiceIndex web: is missing");
  CHECK(load({{index, encode_index(1), false}}).starts_with("stored ServiceIndex web: has no"));
  CHECK(load({{index, "", false}}) == "stored ServiceIndex web: holds no revision");
  CHECK(load({{"\xee", "", false}}).starts_with("catalog key ee"));
}

TEST_CASE("loading 100,000 instances takes well under a second", "[.][bench]") {
  auto store = large_store(100'000);
  auto start = std::chrono::steady_clock::now();
  auto loaded = Catalog::load(*store);
  auto took = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start);
  REQUIRE(loaded);
  CHECK(loaded->view()->table<model::ServiceInstance>().size() == 100'000);
  WARN("load: " << took.count() << " ms");
  start = std::chrono::steady_clock::now();
  constexpr int commands = 20'000;
  for (int i = 0; i < commands; ++i)
    REQUIRE(loaded->apply(instance(100'000 + static_cast<std::size_t>(i)), at(1)));
  took = std::chrono::steady_clock::now() - start;
  WARN("one register: " << 1000 * took.count() / commands << " us");
}
