#include "base/sanitized.hpp"
#include "gateway/snapshot/http_table.hpp"
#include "gateway/snapshot/tls_table.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <new>

/// Every allocation of this test program is counted while a Counting lives, so that the bound on a
/// change's bytes holds for all that it allocates, not only for what the builder's counters tell.
namespace {
thread_local bool counting = false;
thread_local std::size_t allocated = 0;
struct Counting {
  Counting() {
    allocated = 0;
    counting = true;
  }
  ~Counting() { counting = false; }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;
};
} // namespace

#ifndef STRAIT_SANITIZED
// Not inlined: GCC 12 would take the pair of malloc and delete for a mistake.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (counting)
    allocated += size;
  if (void* memory = std::malloc(size))
    return memory;
  throw std::bad_alloc{};
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  if (counting)
    allocated += size;
  return std::malloc(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

using namespace strait;
using namespace strait::gateway;

namespace {

/// What one change to one route may cost, whatever the number of routes.
constexpr std::size_t max_nodes_copied = 64;
constexpr std::size_t max_bytes_counted = 16 << 10;
constexpr std::size_t max_bytes_allocated = 32 << 10;

enum class Shape {
  hosts,
  paths,
  headers,
  names,    ///< TLS routes, each with its own server name,
  one_name, ///< or all with one, so that the oldest of them serves.
};
bool is_tls(Shape shape) { return shape == Shape::names || shape == Shape::one_name; }

std::shared_ptr<const BoundRoute> route(Shape shape, std::size_t number, std::uint32_t weight = 1) {
  const auto text = std::to_string(number);
  if (is_tls(shape))
    return std::make_shared<BoundRoute>(BoundRoute{
        .id = "HTTPRoute default/route-" + text,
        .route = TlsRoute{{shape == Shape::names ? "service-" + text + ".example.com" : "a.com"},
                          {Backend{.cluster = "service/default/web/80", .weight = weight}}}});
  HttpRoute http;
  Match match{.path = "/api/v1"};
  if (shape == Shape::hosts)
    http.hostnames = {"service-" + text + ".example.com"};
  if (shape == Shape::paths)
    match.path = "/api/v1/service-" + text;
  if (shape == Shape::headers)
    match.headers = {{ValueType::exact, "x-service", text}};
  http.rules = {
      HttpRule{.matches = {match},
               .backends = {Backend{.cluster = "service/default/web/80", .weight = weight}}}};
  return std::make_shared<BoundRoute>(
      BoundRoute{.id = "HTTPRoute default/route-" + text, .route = std::move(http)});
}

SnapshotBuilder build(Shape shape, std::size_t routes) {
  Delta delta{.epoch = 1};
  delta.listeners.emplace_back(
      "http",
      std::make_shared<Listener>(Listener{
          .name = "http", .port = 80, .protocol = is_tls(shape) ? Protocol::tls : Protocol::http}));
  for (std::size_t i = 0; i < routes; ++i) {
    auto bound = route(shape, i);
    delta.routes.emplace_back(binding_key("http", bound->id), std::move(bound));
    auto cluster = std::make_shared<Cluster>(Cluster{.id = "cluster " + std::to_string(i)});
    delta.clusters.emplace_back(cluster->id, std::move(cluster));
  }
  SnapshotBuilder builder;
  REQUIRE(builder.apply(delta));
  REQUIRE(builder.errors().empty());
  return builder;
}

struct Cost {
  std::size_t nodes, counted, allocated;
};

template <class F>
Cost cost_of(SnapshotBuilder& builder, F change) {
  Delta delta{.from = builder.current()->epoch(), .epoch = builder.current()->epoch() + 1};
  change(delta);
  const auto before = builder.counters();
  const auto held = builder.current(); // As a worker would: nothing is reused in place.
  Counting all;
  REQUIRE(builder.apply(delta));
  const auto bytes = allocated;
  return {builder.counters().nodes_copied - before.nodes_copied,
          builder.counters().bytes_allocated - before.bytes_allocated, bytes};
}

} // namespace

TEST_CASE("one change costs a bounded number of nodes and bytes among any number of routes") {
  for (auto shape : {Shape::hosts, Shape::paths, Shape::headers, Shape::names, Shape::one_name})
    for (std::size_t routes : {100, 1000, 10000}) {
      auto builder = build(shape, routes);
      const auto compiled = builder.counters().routes_compiled;
      auto check = [&](const char* what, Cost cost) {
        INFO(what << ", shape " << static_cast<int>(shape) << ", " << routes
                  << " routes: " << cost.nodes << " nodes, " << cost.counted << " bytes counted, "
                  << cost.allocated << " bytes allocated");
        CHECK(cost.nodes > 0);
        CHECK(cost.nodes <= max_nodes_copied);
        CHECK(cost.counted <= max_bytes_counted);
        CHECK(cost.allocated <= max_bytes_allocated);
        if constexpr (test::counts_allocations)
          CHECK(cost.counted <= cost.allocated * 2);
      };
      const auto changed = route(shape, routes / 2, 7);
      const auto key = binding_key("http", changed->id);
      check("changed", cost_of(builder, [&](Delta& delta) { delta.routes = {{key, changed}}; }));
      CHECK(builder.counters().routes_compiled == compiled + 1);
      check("removed", cost_of(builder, [&](Delta& delta) { delta.routes = {{key, nullptr}}; }));
      const auto added = route(shape, routes + 5);
      check("added", cost_of(builder, [&](Delta& delta) {
              delta.routes = {{binding_key("http", added->id), added}};
            }));
      check("endpoints", cost_of(builder, [&](Delta& delta) {
              delta.clusters = {
                  {"cluster 7", std::make_shared<Cluster>(
                                    Cluster{"cluster 7", {Endpoint{"10.0.0.1", 80, 1}}, {}})}};
            }));
      CHECK(builder.counters().routes_compiled == compiled + 2);
    }
}

TEST_CASE(
    "a match looks at as much among ten thousand routes as among ten, and allocates nothing") {
  for (auto shape : {Shape::hosts, Shape::paths}) {
    auto visited = [&](std::size_t routes, std::size_t number, bool expected) {
      auto builder = build(shape, routes);
      const auto* table = (*builder.current()->ports.find(80))->find("any");
      const auto text = std::to_string(number);
      const auto host = shape == Shape::hosts ? "service-" + text + ".example.com" : "h";
      const auto path = shape == Shape::paths ? "/api/v1/service-" + text + "/x" : "/api/v1/x";
      MatchCost cost;
      bool found = false;
      std::size_t bytes = 0;
      {
        Counting all;
        found = static_cast<bool>(table->http->match({"GET", host, path, "", {}}, &cost));
        bytes = allocated;
      }
      CHECK(found == expected);
      CHECK(bytes == 0);
      CHECK(cost.candidates <= 1);
      return cost.nodes;
    };
    constexpr std::size_t deeper = 3; // A trie of 10,000 keys is that much deeper than one of 10.
    CHECK(visited(10000, 0, true) <= visited(10, 0, true) + deeper);
    CHECK(visited(10000, 9999, true) <= visited(10, 9, true) + deeper);
    CHECK(visited(10000, 20000, false) <= visited(10, 20000, false) + deeper);
  }
}

TEST_CASE("a server name is found with as few looks among ten thousand TLS routes as among ten") {
  for (auto shape : {Shape::names, Shape::one_name}) {
    auto visited = [&](const SnapshotPtr& snapshot, const std::string& name, const char* expected) {
      const auto& port = **snapshot->ports.find(80);
      std::size_t nodes = 0;
      const BoundRoute* found = nullptr;
      std::size_t bytes = 0;
      {
        Counting all;
        found = find_tls(port, name).bound;
        bytes = allocated;
      }
      CHECK(bytes == 0);
      CHECK((found ? found->id : "none") == expected);
      CHECK(port.find(name)->tls->find(name, &nodes) == found);
      return nodes;
    };
    constexpr std::size_t deeper = 3; // As above.
    const auto few = build(shape, 10).current();
    const auto many = build(shape, 10000).current();
    const auto same = [&](const char* name, const char* expected) {
      CHECK(visited(many, name, expected) <= visited(few, name, expected) + deeper);
    };
    const bool names = shape == Shape::names;
    same("service-7.example.com", names ? "HTTPRoute default/route-7" : "none");
    same("a.com", names ? "none" : "HTTPRoute default/route-0");
    same("a.b.c.d.e.f.g.h", "none");
  }
}
