#include "api/router.hpp"

#include "api/query_options.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace std::chrono_literals;
using api::Call;
using api::Parameters;
using api::Router;

namespace {

api::Outcome nothing(const api::Surroundings&, const Call&) { return api::Reply{}; }

tl::expected<api::QueryOptions, api::Reply>
options(std::vector<std::pair<std::string, std::string>> pairs, std::string header = "") {
  return api::read_options(
      Parameters{std::move(pairs)}, {.datacenter = "dc1"},
      [&](std::string_view name) -> std::string_view { return name == header ? "x" : ""; });
}

} // namespace

TEST_CASE("a path finds the first pattern that it fits, and its parts are decoded") {
  Router router;
  router.add("GET", "/v1/a/:x", nothing);
  router.add("PUT", "/v1/a/:x", nothing);
  router.add("GET", "/v1/b/*", nothing);
  auto match = router.find("GET", "/v1/a/one%2ftwo");
  REQUIRE(match);
  CHECK(match->endpoint);
  CHECK(match->parts == std::vector<std::string>{"one/two"});
  CHECK(router.find("GET", "/v1/b/one/two")->parts == std::vector<std::string>{"one/two"});
  CHECK(router.find("GET", "/v1/a/")->parts == std::vector<std::string>{""});
  CHECK(router.find("GET", "/v1/a")->parts == std::vector<std::string>{""});
  CHECK(!router.find("GET", "/v1/a/one/two"));
  CHECK(!router.find("GET", "/v1"));
  CHECK(!router.find("GET", ""));

  SECTION("an unknown method is told which ones there are") {
    auto other = router.find("POST", "/v1/a/one");
    REQUIRE(other);
    CHECK(!other->endpoint);
    CHECK(other->allow == "OPTIONS,GET,PUT");
  }
}

TEST_CASE("index and wait are read, and the wait is cut to its maximum") {
  CHECK(options({{"index", "7"}, {"wait", "10s"}})->index == 7);
  CHECK(options({{"wait", "10s"}})->wait == 10s);
  CHECK(options({})->wait == 300s);
  CHECK(options({{"wait", "0s"}})->wait == 300s);
  CHECK(options({{"wait", "2h"}})->wait == 600s);
  CHECK(options({{"stale", ""}})->consistency == "stale");
  CHECK(options({{"peer", "DC2"}})->peer == "dc2");
}

TEST_CASE("options that cannot be meant are refused with Consul's words") {
  auto refusal = [](std::vector<std::pair<std::string, std::string>> pairs) {
    auto got = options(std::move(pairs));
    return got ? std::string{} : std::to_string(got.error().status) + " " + got.error().body;
  };
  for (auto* index : {"abc", "-1", "1x", "18446744073709551616", " 1"})
    CHECK(refusal({{"index", index}}) == "400 Invalid index");
  for (auto* wait : {"abc", "10", "-1s"})
    CHECK(refusal({{"wait", wait}}) == "400 Invalid wait time");
  CHECK(refusal({{"stale", ""}, {"consistent", ""}}).find("conflicting") != std::string::npos);
  CHECK(refusal({{"cached", ""}, {"consistent", ""}}).find("conflicting") != std::string::npos);
  CHECK(refusal({{"ns", "x"}}) ==
        "400 Invalid query parameter: \"ns\" - Namespaces are a Consul Enterprise feature");
  CHECK(refusal({{"partition", "x"}}) ==
        "400 Invalid query parameter: \"partition\" - Partitions are a Consul Enterprise feature");
  CHECK(refusal({{"dc", "dc1"}}).empty());
  CHECK(refusal({{"dc", "dc9"}}).starts_with("500 No path to datacenter"));
  CHECK(refusal({{"dc", "dc9"}}).find("WAN federation is not supported") != std::string::npos);
  CHECK(refusal({{"dc", "dc9"}, {"datacenter", "dc1"}}).empty());
  CHECK(!options({}, "X-Consul-Namespace"));
}

TEST_CASE("queries have equal keys when they have equal answers") {
  Call a{.path = "/p", .parameters = Parameters{{{"tag", "x"}, {"index", "5"}, {"passing", ""}}}};
  Call b{.path = "/p", .parameters = Parameters{{{"passing", ""}, {"tag", "x"}, {"wait", "9s"}}}};
  CHECK(api::query_key(a) == api::query_key(b));
  b.parameters = Parameters{{{"passing", ""}, {"tag", "y"}}};
  CHECK(api::query_key(a) != api::query_key(b));
  Call c{.path = "/p", .parameters = Parameters{{{"a", "b=c"}}}};
  Call d{.path = "/p", .parameters = Parameters{{{"a=b", "c"}}}};
  CHECK(api::query_key(c) != api::query_key(d));
}
