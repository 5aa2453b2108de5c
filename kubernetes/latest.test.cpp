#include "kubernetes/latest.hpp"

#include <catch2/catch.hpp>

#include <string>

using strait::kubernetes::Latest;

TEST_CASE("of several wishes for one key the latest is carried out, one at a time") {
  Latest<std::string, int> latest{4};
  latest.set("a", 1);
  latest.set("a", 2);
  latest.set("b", 3);
  using Steps = std::vector<std::pair<std::string, int>>;
  CHECK(latest.take() == Steps{{"a", 2}, {"b", 3}});
  latest.set("a", 4);
  latest.set("a", 5);
  CHECK(latest.take().empty());
  CHECK(latest.waiting() == 1);
  CHECK(latest.done("a"));
  CHECK(latest.take() == Steps{{"a", 5}});
  CHECK(!latest.done("a"));
  CHECK(!latest.done("b"));
  CHECK(latest.idle());
}

TEST_CASE("no more than the maximum is under way, first come first served") {
  Latest<int, int> latest{2};
  for (int key = 0; key < 5; ++key)
    latest.set(key, key);
  CHECK(latest.take().size() == 2);
  CHECK(latest.in_flight() == 2);
  CHECK(latest.take().empty());
  latest.done(1);
  auto next = latest.take();
  REQUIRE(next.size() == 1);
  CHECK(next[0].first == 2);
}

TEST_CASE("a failed step is tried again, unless something later is wished") {
  Latest<int, int> latest{1};
  latest.set(1, 10);
  latest.take();
  latest.again(1, 10);
  CHECK(latest.take()[0].second == 10);
  latest.set(1, 11);
  latest.again(1, 10);
  CHECK(latest.take()[0].second == 11);
}

TEST_CASE("a dropped wish is not carried out") {
  Latest<int, int> latest{1};
  latest.set(1, 10);
  latest.drop(1);
  CHECK(latest.take().empty());
  latest.set(1, 12);
  CHECK(latest.take().size() == 1);
  CHECK(latest.take().empty());
}
