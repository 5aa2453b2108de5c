#include "gateway/snapshot/config.hpp"

#include "gateway/snapshot/random_config.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace strait;
using namespace strait::gateway;

TEST_CASE("the difference of two configs leads from one to the other, and the whole from nothing") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    std::mt19937_64 random{seed};
    RandomConfig make{[&](std::size_t limit) { return random() % limit; }};
    Config from;
    Config to;
    for (std::uint64_t epoch = 1; epoch <= 40; ++epoch) {
      Delta delta{.from = epoch - 1, .epoch = epoch};
      make.change_something(delta);
      to = apply(to, delta);
      if (epoch == 20)
        from = to;
    }
    auto delta = difference(from, to);
    CHECK(delta.from == 20);
    CHECK(delta.epoch == 40);
    REQUIRE(to_text(apply(from, delta)) == to_text(to));
    REQUIRE(to_text(apply(Config{}, whole(to))) == to_text(to));
    REQUIRE(to_text(apply(from, whole(to))) == to_text(to)); // A whole replaces what was there.
    CHECK(difference(to, apply(Config{}, whole(to))).empty());
    CHECK(difference(to, to).empty());
  }
}

TEST_CASE("a config as text shows every resource in order, and no private key") {
  Delta delta{.epoch = 3};
  delta.listeners.emplace_back(
      "https", std::make_shared<Listener>(Listener{.name = "https",
                                                   .port = 443,
                                                   .protocol = Protocol::https,
                                                   .hostname = "*.a.com",
                                                   .tls = {.certificates = {"edge"}}}));
  delta.listeners.emplace_back("db", std::make_shared<Listener>(Listener{
                                         .name = "db", .port = 5432, .protocol = Protocol::tcp}));
  delta.routes.emplace_back(
      "https/web",
      std::make_shared<BoundRoute>(BoundRoute{
          .id = "web",
          .created = WallTime{Millis{5}},
          .route = HttpRoute{
              .hostnames = {"x.a.com"},
              .rules = {HttpRule{
                  .matches = {{.path = "/v1", .method = "GET", .headers = {{{}, "x-env", "a\"b"}}}},
                  .request = {.set = {{"x-a", "1"}}, .remove = {"x-b"}},
                  .backends = {{.cluster = "web", .weight = 75}, {.refusal = 500}}}}}}));
  delta.clusters.emplace_back(
      "web", std::make_shared<Cluster>(Cluster{"web", {{"10.0.0.1", 8080, 1}}, {}}));
  delta.certificates.emplace_back(
      "edge", std::make_shared<Certificate>(Certificate{"edge", "chain", "secret key"}));
  auto text = to_text(apply({}, delta));
  CHECK(text == R"(listener "db"
  tcp "":5432 hostname ""
listener "https"
  https "":443 hostname "*.a.com"
  tls 1.2..any
    certificate "edge"
route "https/web"
  id "web" created 5
  http
    hostname "x.a.com"
    rule ""
      match prefix "/v1" method "GET"
        header "x-env" exact "a\"b"
      request header set "x-a": "1"
      request header remove "x-b"
      backend "web" weight 75
      backend refused 500 weight 1
cluster "web"
  endpoint "10.0.0.1":8080 weight 1
certificate "edge"
  chain 5 bytes a74390764c1a3056
  key 10 bytes
)");
}
