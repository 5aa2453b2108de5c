#include "gateway/snapshot/http_table.hpp"
#include "gateway/snapshot/match_oracle.hpp"
#include "gateway/snapshot/random_config.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace strait;
using namespace strait::gateway;

namespace {

RandomConfig seeded(std::mt19937_64& random) {
  return RandomConfig{[&random](std::size_t limit) { return random() % limit; }};
}

bool same(const MatchedRule& a, const MatchedRule& b) {
  return a.route == b.route && a.rule == b.rule && a.match == b.match;
}

/// Every binding of a listener that holds a Route.
template <class Route>
std::vector<const BoundRoute*> routes_of(const Config& config, const std::string& listener) {
  std::vector<const BoundRoute*> routes;
  for (const auto& [key, route] : config.routes)
    if (listener_of(key) == listener && std::holds_alternative<Route>(route->route))
      routes.push_back(route.get());
  return routes;
}

std::vector<const Listener*> listeners_of(const PortTable& port) {
  std::vector<const Listener*> listeners;
  for (const auto& [hostname, table] : port.by_hostname)
    listeners.push_back(table->listener.get());
  return listeners;
}

std::vector<std::string> details(const std::vector<Error>& errors) {
  std::vector<std::string> texts;
  for (const auto& error : errors)
    texts.push_back(error.detail);
  return texts;
}

} // namespace

TEST_CASE("the table finds what a scan of all routes finds") {
  std::size_t found = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    std::mt19937_64 random{seed};
    auto make = seeded(random);
    HttpTable table;
    CopyCost cost;
    std::vector<std::shared_ptr<const BoundRoute>> kept;
    std::vector<const BoundRoute*> routes;
    for (auto count = random() % 30; count > 0; --count) {
      auto route = std::make_shared<BoundRoute>();
      route->id = std::to_string(count);
      route->created = WallTime{Millis{random() % 3}};
      route->route = make.http_route();
      auto compiled = compile(route);
      REQUIRE(compiled);
      table = table.with(*compiled, cost);
      kept.push_back(route);
      routes.push_back(route.get());
    }
    for (int step = 0; step < 100; ++step) {
      auto request = make.request();
      auto view = request.view();
      auto expected = oracle::match(routes, view);
      auto actual = table.match(view);
      found += actual ? 1 : 0;
      INFO("seed " << seed << " " << request.method << " " << request.host << " " << request.path
                   << "?" << request.query);
      REQUIRE(same(actual, expected));
    }
    for (const auto& route : kept)
      table = table.without(*route, cost);
    REQUIRE(table.empty());
  }
  CHECK(found > 2000); // Else the words no longer meet and the test says little.
}

TEST_CASE("a snapshot grown by deltas is the one built from the whole") {
  std::size_t found = 0;
  std::size_t found_tls = 0;
  std::size_t mixed = 0;
  std::size_t misdirections = 0;
  std::size_t left_out = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    std::mt19937_64 random{seed};
    auto make = seeded(random);
    SnapshotBuilder grown;
    Config config;
    for (std::uint64_t epoch = 1; epoch <= 40; ++epoch) {
      Delta delta{.from = epoch - 1, .epoch = epoch};
      for (auto count = random() % 6; count > 0; --count)
        make.change_something(delta);
      config = apply(config, delta);
      auto snapshot = grown.apply(delta);
      REQUIRE(snapshot);
      REQUIRE(to_text((*snapshot)->config) == to_text(config));
      SnapshotBuilder fresh;
      auto rebuilt = fresh.apply(whole(config));
      REQUIRE(rebuilt);
      INFO("seed " << seed << " epoch " << epoch);
      REQUIRE(details(grown.errors()) == details(fresh.errors()));
      left_out += grown.errors().size();
      REQUIRE((*snapshot)->ports.size() == (*rebuilt)->ports.size());
      for (const auto& [port, table] : (*snapshot)->ports) {
        auto* other = (*rebuilt)->ports.find(port);
        REQUIRE(other);
        for (int step = 0; step < 20; ++step) {
          auto request = make.request();
          auto view = request.view();
          auto* a = table->find(view.host);
          const auto listeners = listeners_of(*table);
          REQUIRE((a ? a->listener.get() : nullptr) == oracle::listener(listeners, view.host));
          const auto choice = find_tls(*table, view.host);
          REQUIRE(choice.listener == a);
          REQUIRE(choice.bound == find_tls(**other, view.host).bound);
          found_tls += choice.bound ? 1 : 0;
          mixed += a && a->listener->protocol != table->protocol ? 1 : 0;
          if (a && a->tls)
            REQUIRE(choice.bound ==
                    oracle::tls(routes_of<TlsRoute>(config, a->listener->name), view.host));
          if (a) {
            const auto host = make.host();
            const bool wrong = misdirected(*table, *a, host);
            REQUIRE(wrong == oracle::misdirected(listeners, *a->listener, host));
            misdirections += wrong ? 1 : 0;
          }
          auto* b = (*other)->find(view.host);
          REQUIRE((a == nullptr) == (b == nullptr));
          if (!a)
            continue;
          REQUIRE(a->listener == b->listener);
          REQUIRE(hostname_covers(a->listener->hostname, view.host));
          REQUIRE(a->tcp == b->tcp);
          REQUIRE(a->listener->protocol != Protocol::udp);
          auto rule = match(*a, view);
          REQUIRE(same(rule, match(*b, view)));
          REQUIRE(rule.rule_id == match(*b, view).rule_id);
          found += rule ? 1 : 0;
          if (a->http)
            REQUIRE(
                same(rule, oracle::match(routes_of<HttpRoute>(config, a->listener->name), view)));
        }
      }
      REQUIRE((*snapshot)->udp_ports.size() == (*rebuilt)->udp_ports.size());
      for (const auto& [port, table] : (*snapshot)->udp_ports) {
        const auto& only = *table->by_hostname.begin()->second;
        REQUIRE(only.listener->protocol == Protocol::udp);
        REQUIRE(only.udp == (*(*rebuilt)->udp_ports.find(port))->by_hostname.begin()->second->udp);
      }
      for (const auto* id : {"service/default/web/80", "peer/dc2/api", "none"}) {
        auto* cluster = config.clusters.find(std::string{id});
        CHECK((*snapshot)->cluster(id) == (cluster ? cluster->get() : nullptr));
      }
    }
    // A whole on top of what is there, as after a mismatch, changes nothing.
    auto before = to_text(grown.current()->config);
    config.epoch = 99;
    auto compiled = grown.counters().routes_compiled;
    REQUIRE(grown.apply(whole(config)));
    CHECK(to_text(grown.current()->config) == before);
    CHECK(grown.current()->epoch() == 99);
    CHECK(grown.counters().routes_compiled == compiled);
  }
  CHECK(found > 500);
  CHECK(found_tls > 200);
  CHECK(mixed > 50);
  CHECK(misdirections > 500);
  CHECK(left_out > 500);
}
