#include "actors/serving_ledger.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace strait;
using namespace strait::actors;

namespace {

ServedKey route(std::size_t number) {
  return {{model::Kind::http_route, {"default", std::to_string(number)}}, ""};
}

using Words = std::vector<std::pair<ServedKey, Serving>>;
Words words(std::initializer_list<std::size_t> routes, Serving word) {
  Words out;
  for (auto number : routes)
    out.emplace_back(route(number), word);
  return out;
}

} // namespace

TEST_CASE("what changed is serving once every proxy acknowledged its epoch") {
  ServingLedger ledger;
  ledger.served(1, 3);
  ledger.served(2, 3);
  ledger.changed(route(1), 4);
  CHECK(ledger.take() == words({1}, Serving::pending));
  ledger.served(1, 4);
  CHECK(ledger.take().empty());
  ledger.served(2, 5); // A later one holds it too.
  CHECK(ledger.take() == words({1}, Serving::serving));
  ledger.changed(route(1), 4); // Said anew, but served already.
  CHECK(ledger.take().empty());
}

TEST_CASE("what is changed and acknowledged before anybody asks is told once") {
  ServingLedger ledger;
  ledger.served(1, 1);
  ledger.changed(route(1), 2);
  ledger.served(1, 2);
  CHECK(ledger.take() == words({1}, Serving::serving));
}

TEST_CASE("nothing is said before a proxy was heard, and then of everything") {
  ServingLedger ledger;
  ledger.changed(route(1), 1);
  ledger.changed(route(2), 2);
  CHECK(ledger.take().empty());
  ledger.served(1, 0); // It is connected, no more.
  CHECK(ledger.take().empty());
  ledger.served(1, 1);
  auto all = words({1}, Serving::serving);
  all.push_back(words({2}, Serving::pending).front());
  CHECK(ledger.take() == all);
}

TEST_CASE("a proxy counts from its first acknowledgement on, and takes nothing back") {
  ServingLedger ledger;
  ledger.served(1, 5);
  ledger.changed(route(1), 5);
  CHECK(ledger.take() == words({1}, Serving::serving));
  ledger.served(2, 4); // It came while 5 was under way to the other.
  CHECK(ledger.take().empty());
  ledger.changed(route(2), 6);
  ledger.served(1, 6);
  CHECK(ledger.take() == words({2}, Serving::pending));
  ledger.served(2, 6);
  CHECK(ledger.take() == words({2}, Serving::serving));
}

TEST_CASE("a proxy that left is not waited for") {
  ServingLedger ledger;
  ledger.served(1, 1);
  ledger.served(2, 1);
  ledger.changed(route(1), 2);
  ledger.served(1, 2);
  CHECK(ledger.take() == words({1}, Serving::pending));
  ledger.left(2);
  CHECK(ledger.take() == words({1}, Serving::serving));
}

TEST_CASE("the last proxy's leaving takes nothing back until nobody has come for long enough") {
  ServingLedger ledger;
  ledger.served(1, 1);
  ledger.changed(route(1), 1);
  CHECK(ledger.take() == words({1}, Serving::serving));
  ledger.left(1);
  CHECK(ledger.empty());
  CHECK(ledger.take().empty());
  SECTION("one comes in time") {
    ledger.served(2, 1);
    ledger.nobody();
    CHECK(ledger.take().empty());
  }
  SECTION("none comes") {
    ledger.nobody();
    CHECK(ledger.take() == words({1}, Serving::no_proxies));
    ledger.changed(route(2), 2);
    CHECK(ledger.take() == words({2}, Serving::no_proxies));
    ledger.served(2, 2);
    CHECK(ledger.take() == words({1, 2}, Serving::serving));
  }
  SECTION("what changes meanwhile is pending") {
    ledger.changed(route(2), 2);
    CHECK(ledger.take() == words({2}, Serving::pending));
  }
}

TEST_CASE("what no configuration holds yet is pending, whatever is acknowledged") {
  ServingLedger ledger;
  ledger.served(1, 9);
  ledger.changed(route(1), ServingLedger::not_yet);
  ledger.served(1, 1'000'000);
  CHECK(ledger.take() == words({1}, Serving::pending));
  ledger.changed(route(1), 10);
  CHECK(ledger.take() == words({1}, Serving::serving));
}

TEST_CASE("of what was removed nothing is said any more") {
  ServingLedger ledger;
  ledger.served(1, 1);
  ledger.changed(route(1), 2);
  ledger.removed(route(1));
  ledger.served(1, 2);
  CHECK(ledger.take().empty()); // Nothing was said of it.
  ledger.changed(route(1), 3);
  CHECK(ledger.take() == words({1}, Serving::pending));
  ledger.removed(route(1));
  ledger.served(1, 3);
  CHECK(ledger.take() == words({1}, Serving::unknown));
  ledger.changed(route(1), 3);
  ledger.removed(route(1));
  ledger.changed(route(1), 3);
  CHECK(ledger.take() == words({1}, Serving::serving));
}

TEST_CASE("proxies beyond the maximum do not count") {
  ServingLedger ledger;
  for (std::uint64_t proxy = 0; proxy < ServingLedger::proxies_max; ++proxy)
    ledger.served(proxy, 2);
  ledger.served(ServingLedger::proxies_max, 1);
  ledger.changed(route(1), 2);
  CHECK(ledger.take() == words({1}, Serving::serving));
}

TEST_CASE("one change and one acknowledgement cost the same with 10 routes and with 10,000") {
  auto cost = [](std::size_t routes) {
    ServingLedger ledger;
    ledger.served(1, 1);
    ledger.served(2, 1);
    for (std::size_t i = 0; i < routes; ++i)
      ledger.changed(route(i), 1);
    ledger.take();
    auto before = ledger.counters().keys_looked_at;
    ledger.changed(route(routes / 2), 2);
    CHECK(ledger.take().size() == 1);
    ledger.served(1, 2);
    ledger.served(2, 2);
    CHECK(ledger.take().size() == 1);
    return ledger.counters().keys_looked_at - before;
  };
  CHECK(cost(10) == 2);
  CHECK(cost(10'000) == 2);
}

TEST_CASE("after any random story the word is what counting everything anew gives") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random{seed};
    ServingLedger ledger;
    std::map<ServedKey, std::uint64_t> epochs;
    std::map<ServedKey, Serving> told;
    std::map<std::uint64_t, std::uint64_t> proxies{{1, 1}};
    std::uint64_t epoch = 1;
    ledger.served(1, 1);
    for (int step = 0; step < 100; ++step) {
      auto key = route(random() % 8);
      auto proxy = 1 + random() % 3;
      switch (random() % 4) {
      case 0:
        ledger.changed(key, ++epoch);
        epochs[key] = epoch;
        break;
      case 1:
        ledger.removed(key);
        epochs.erase(key);
        break;
      case 2:
        if (auto& serves = proxies[proxy]; serves < epoch)
          ledger.served(proxy, serves += 1 + random() % (epoch - serves));
        else
          ledger.served(proxy, serves);
        break;
      default:
        if (proxies.size() > 1 && proxies.erase(proxy) > 0)
          ledger.left(proxy);
      }
      for (auto& [of, word] : ledger.take())
        told[of] = word;
      std::erase_if(told, [](auto& it) { return it.second == Serving::unknown; });
    }
    for (auto& [proxy, serves] : proxies)
      ledger.served(proxy, serves = epoch);
    for (auto& [of, word] : ledger.take())
      told[of] = word;
    INFO("seed " << seed);
    CHECK(told.size() == epochs.size());
    for (auto& [key, word] : told)
      CHECK(word == Serving::serving);
  }
}
