#include "gateway/snapshot/config.hpp"

#include "gateway/snapshot/field_changes.hpp"
#include "gateway/snapshot/random_config.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <set>

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

namespace {

template <class T>
void each_change_shows(const T& full, const test::FieldChanges<T>& changes,
                       std::string (*text_of)(const T&)) {
  std::set<std::string> texts{text_of(full)};
  for (const auto& [field, change] : changes) {
    auto changed = full;
    change(changed);
    INFO(field);
    REQUIRE(changed != full);
    CHECK(texts.insert(text_of(changed)).second);
  }
}

} // namespace

TEST_CASE("a config as text shows each field of each resource") {
  each_change_shows<HttpRule>(test::full_rule(), test::rule_changes(), [](const HttpRule& rule) {
    Config config;
    config.routes = config.routes.with("a/b", std::make_shared<BoundRoute>(test::route_of(rule)));
    return to_text(config);
  });
  each_change_shows<Listener>(
      test::full_listener(), test::listener_changes(), [](const Listener& listener) {
        Config config;
        config.listeners = config.listeners.with("a", std::make_shared<Listener>(listener));
        return to_text(config);
      });
  each_change_shows<Cluster>(
      test::full_cluster(), test::cluster_changes(), [](const Cluster& cluster) {
        Config config;
        config.clusters = config.clusters.with("a", std::make_shared<Cluster>(cluster));
        return to_text(config);
      });
  std::set<std::string> texts;
  for (const auto& route : test::different_routes()) {
    Config config;
    config.routes = config.routes.with("a/b", std::make_shared<BoundRoute>(route));
    CHECK(texts.insert(to_text(config)).second);
  }
}

TEST_CASE("filters as text say what they do") {
  Config config;
  config.routes =
      config.routes.with("a/b", std::make_shared<BoundRoute>(test::route_of(test::full_rule())));
  config.listeners =
      config.listeners.with("https", std::make_shared<Listener>(test::full_listener()));
  config.clusters = config.clusters.with("web", std::make_shared<Cluster>(test::full_cluster()));
  CHECK(to_text(config) == R"(listener "https"
  https "::1":443 hostname "a.com"
  passthrough
  public port 8443
  clients or not
    root 2 bytes 08a24f07b54a16c9
  tls 1.0..1.2
    certificate "edge"
    cipher suite "A"
route "a/b"
  id "HTTPRoute default/web" created 0
  http
    hostname "a.com"
    rule "rule"
      match exact "/a" method "GET"
        header "x" exact "1"
        query "q" regex "2"
      request header set "s": "1"
      request header add "a": "2"
      request header remove "r"
      response header set "s2": "1"
      response header add "a2": "2"
      response header remove "r2"
      cors max age 9 credentials
        origin "https://a"
        method "GET"
        header "x-h"
        exposed header "x-e"
      jwt
        provider "p" issuer "i" clock skew 7 s
          keys 2 bytes 08f44b07b5901a25
          audience "aud"
          in query "t" prefix "" not forwarded
          claim "admin"
            at "roles"
            at "0"
      auth grpc "auth"
        path "/check"
        header "cookie"
        response header "x-user"
        body 1024 bytes
      redirect 301 scheme "https" hostname "b.com" port 8443
        path full "/r"
      mirror "copy" 1/2
      rewrite hostname "c.com"
        path prefix "/w"
      request timeout 10 ms
      backend timeout 5 ms
      idle timeout 20 ms
      retry 2 times backoff 25 ms
        code 503
      session header "s" timeout 60000 ms permanent
      backend "web" weight 3
        request header set "b": "1"
        response header set "c": "1"
      backend refused 500 weight 4
cluster "web"
  endpoint "10.0.0.1":80 weight 2
  http2
  refused
  failover "peer/dc2/web"
  failover "catalog/web"
  tls sni "sni" identity "identity"
    expects "spiffe://a/b"
    root 4 bytes a354fd1ff0c467c5
  backend tls sni "web.a.com" system roots
    expects name "a.com"
    expects uri "spiffe://a/c"
    root 2 bytes 08a24f07b54a16c9
)");
}
