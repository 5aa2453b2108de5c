#include "catalog/catalog.hpp"

#include "base/sanitized.hpp"
#include "catalog/dump.hpp"
#include "catalog/random_commands.hpp"
#include "catalog/rows.hpp"
#include "catalog/view_writer.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdlib>
#include <new>

using namespace strait;
using namespace strait::catalog;

namespace {

std::size_t allocations = 0; // Of this test program, by the operators below.

} // namespace

#ifndef STRAIT_SANITIZED
// Not inlined: GCC 12 would take the pair of malloc and delete for a mistake.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size))
    return memory;
  throw std::bad_alloc{};
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

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

/// A store with so many instances, each with a check, four to a node, of a thousand services:
/// the rows that registering them would leave.
std::unique_ptr<storage::Store> large_store(std::size_t instances) {
  std::vector<storage::Write> writes;
  auto row = [&](AnyRecord record) {
    writes.push_back({encode_key(key_of(record)), encode_record(record, 1, 1), false});
  };
  for (std::size_t i = 0; i < instances; ++i) {
    auto command = instance(i);
    if (i % 4 == 0)
      row(command.node);
    command.instance->node = command.checks[0].node = command.node.name;
    row(*command.instance);
    row(command.checks[0]);
    if (i < 1000)
      writes.push_back(
          {encode_key(service_index_key({"", command.instance->service})), encode_index(1), false});
  }
  auto store = storage::make_memory_store();
  REQUIRE(store->commit(std::vector{storage::Commit{1, std::move(writes)}}));
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

TEST_CASE("one command costs the same among 100 and among 100,000 instances") {
  struct Cost {
    std::size_t writes, allocations;
  };
  auto cost = [](Catalog& catalog, const Command& command) {
    auto before = allocations;
    auto outcome = catalog.apply(command, at(1));
    REQUIRE(outcome);
    return Cost{outcome->commit.writes.size(), allocations - before};
  };
  auto small_store = large_store(100), big_store = large_store(100'000);
  auto small = Catalog::load(*small_store), big = Catalog::load(*big_store);
  REQUIRE(small);
  REQUIRE(big);
  CHECK(big->view()->table<model::ServiceInstance>().size() == 100'000);

  auto compare = [&](const Command& command, std::size_t writes) {
    auto few = cost(*small, command), many = cost(*big, command);
    CHECK(few.writes == writes);
    CHECK(many.writes == writes);
    // A thousand times the instances: trees that are 10 levels deeper, of some 7 to 17.
    if constexpr (test::counts_allocations)
      CHECK(many.allocations < 4 * few.allocations);
    return many.allocations;
  };
  // The check and its service's index.
  CHECK(compare(ReportCheck{"node-3", "ci14", model::Health::passing, "200 OK"}, 2) < 300);
  auto added = instance(14);
  added.instance->id = "new";
  added.checks.clear();
  CHECK(compare(added, 2) < 500);
  model::HttpRoute route;
  route.meta.name = {"default", "web"};
  CHECK(compare(Put{route}, 1) < 100);
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
