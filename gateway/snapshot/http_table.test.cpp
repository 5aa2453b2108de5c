#include "gateway/snapshot/http_table.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::gateway;

namespace {

/// A route with one rule of one match; the id is what a test expects.
struct Row {
  std::string id;
  std::string hostname;
  Match match;
  int created = 0;
};

struct Table {
  HttpTable http;
  explicit Table(const std::vector<Row>& rows) {
    CopyCost cost;
    for (const auto& row : rows) {
      HttpRoute route{.rules = {HttpRule{.matches = {row.match}}}};
      if (!row.hostname.empty())
        route.hostnames.push_back(row.hostname);
      auto compiled = compile(std::make_shared<BoundRoute>(
          BoundRoute{row.id, WallTime{Millis{row.created}}, std::move(route)}));
      REQUIRE(compiled);
      http = http.with(*compiled, cost);
    }
  }
  std::string at(std::string_view host, std::string_view path, std::string_view query = "",
                 const std::vector<HeaderView>& headers = {},
                 std::string_view method = "GET") const {
    auto found = http.match({method, host, path, query, headers});
    return found ? found.route->id : "none";
  }
};

Match prefix(std::string path) { return {.path = std::move(path)}; }
Match exact(std::string path) { return {.path_type = PathType::exact, .path = std::move(path)}; }
Match regex(std::string path) { return {.path_type = PathType::regex, .path = std::move(path)}; }
ValueCondition is(std::string name, std::string value) {
  return {ValueType::exact, std::move(name), std::move(value)};
}

} // namespace

TEST_CASE("a prefix matches whole elements, and a slash at its end says nothing") {
  Table table{{{"foo", "", prefix("/foo/")}, {"foo bar", "", prefix("/foo/bar")}}};
  CHECK(table.at("h", "/foo") == "foo");
  CHECK(table.at("h", "/foo/") == "foo");
  CHECK(table.at("h", "/foo/x") == "foo");
  CHECK(table.at("h", "/foobar") == "none");
  CHECK(table.at("h", "/Foo") == "none");
  CHECK(table.at("h", "/foo/bar") == "foo bar");
  CHECK(table.at("h", "/foo/bar/") == "foo bar");
  CHECK(table.at("h", "/foo/barx") == "foo");
  CHECK(table.at("h", "/") == "none");
  CHECK(table.at("h", "*") == "none");
  CHECK(table.at("h", "") == "none");
}

TEST_CASE("an exact path is before a regular expression, and that before a prefix") {
  Table table{{{"prefix", "", prefix("/a/b/c")},
               {"regex", "", regex("/a/.*")},
               {"exact", "", exact("/a/b/c")},
               {"root", "", prefix("/")}}};
  CHECK(table.at("h", "/a/b/c") == "exact");
  CHECK(table.at("h", "/a/b/c/") == "regex");
  CHECK(table.at("h", "/a/b/c/d") == "regex");
  CHECK(table.at("h", "/a") == "root");
  CHECK(table.at("h", "/x/a/b") == "root"); // The whole path must match.
}

TEST_CASE("more specific hostnames come first and those below are asked when none matches") {
  Table table{{{"any", "", prefix("/")},
               {"com", "*.com", prefix("/")},
               {"a.com wild", "*.a.com", prefix("/wild")},
               {"exact", "b.a.com", prefix("/exact")},
               {"apex", "a.com", prefix("/apex")}}};
  CHECK(table.at("b.a.com", "/exact") == "exact");
  CHECK(table.at("b.a.com", "/wild") == "a.com wild");
  CHECK(table.at("c.b.a.com", "/wild") == "a.com wild"); // One label or more.
  CHECK(table.at("b.a.com", "/other") == "com");
  CHECK(table.at("a.com", "/wild") == "com"); // Never the bare domain.
  CHECK(table.at("a.com", "/apex") == "apex");
  CHECK(table.at("com", "/") == "any");
  CHECK(table.at("a.org", "/") == "any");
  CHECK(table.at("", "/") == "any");
  CHECK(table.at(std::string(250, 'x') + ".com", "/") == "any"); // Longer than a name can be.
}

TEST_CASE("method, headers, query, age, id and order decide in this order") {
  const auto method = Match{.path = "/", .method = "GET"};
  const auto header = Match{.path = "/", .headers = {is("a", "1")}};
  const auto headers = Match{.path = "/", .headers = {is("a", "1"), is("b", "1")}};
  const auto query = Match{.path = "/", .query = {is("a", "1")}};
  const std::vector<HeaderView> sent{{"A", "1"}, {"B", "1"}};
  auto first = [&](const std::vector<Row>& rows) {
    return Table{rows}.at("h", "/", "a=1&b=2", sent);
  };
  CHECK(first({{"1", "", headers}, {"2", "", method}}) == "2");
  CHECK(first({{"1", "", header}, {"2", "", headers}}) == "2");
  CHECK(first({{"1", "", query}, {"2", "", header}}) == "2");
  CHECK(first({{"1", "", prefix("/")}, {"2", "", query}}) == "2");
  CHECK(first({{"1", "", query, 5}, {"2", "", query, 4}}) == "2");
  CHECK(first({{"b", "", query, 4}, {"a", "", query, 4}}) == "a");
  // A name that is repeated counts once.
  const auto repeated = Match{.path = "/", .headers = {is("a", "1"), is("A", "x"), is("a", "y")}};
  CHECK(first({{"1", "", repeated}, {"2", "", headers}}) == "2");
  CHECK(first({{"1", "", repeated}}) == "1");

  auto route = std::make_shared<BoundRoute>(
      BoundRoute{.id = "r",
                 .route = HttpRoute{.rules = {HttpRule{.name = "one", .matches = {prefix("/")}},
                                              HttpRule{.name = "two", .matches = {prefix("/")}}}}});
  CopyCost cost;
  auto found = HttpTable{}.with(*compile(route), cost).match({"GET", "h", "/", "", {}});
  CHECK(found.rule->name == "one");
}

TEST_CASE("header names have no case, and the first field of a name counts") {
  Table table{{{"exact", "", {.headers = {is("x-env", "Blue")}}},
               {"regex", "", {.headers = {{ValueType::regex, "x-env", "gr(e|a)y"}}}}}};
  CHECK(table.at("h", "/", "", {{"X-ENV", "Blue"}}) == "exact");
  CHECK(table.at("h", "/", "", {{"X-Env", "blue"}}) == "none");
  CHECK(table.at("h", "/", "", {{"X-Env", "gray"}}) == "regex");
  CHECK(table.at("h", "/", "", {{"X-Env", "grayish"}}) == "none");
  CHECK(table.at("h", "/", "", {{"X-Env", "x"}, {"x-env", "Blue"}}) == "none");
  CHECK(table.at("h", "/") == "none");
}

TEST_CASE("query parameters are decoded, and the first of a name counts") {
  Table table{{{"exact", "", {.query = {is("a b", "c&d")}}},
               {"regex", "", {.query = {{ValueType::regex, "v", "[0-9]+ ?"}}}},
               {"empty", "", {.query = {is("e", "")}}}}};
  CHECK(table.at("h", "/", "a+b=c%26d") == "exact");
  CHECK(table.at("h", "/", "z=1&a%20b=c%26d") == "exact");
  CHECK(table.at("h", "/", "a+b=x&a+b=c%26d") == "none");
  CHECK(table.at("h", "/", "A+b=c%26d") == "none");
  CHECK(table.at("h", "/", "v=12") == "regex");
  CHECK(table.at("h", "/", "v=%31+") == "regex");
  CHECK(table.at("h", "/", "v=12x") == "none");
  CHECK(table.at("h", "/", "e") == "empty");
  CHECK(table.at("h", "/", "&&e=") == "empty");
  CHECK(table.at("h", "/", "e=%") == "none");
}

TEST_CASE("what cannot be served is refused with the field's name") {
  auto refused = [](std::string hostname, Match match) {
    auto route = std::make_shared<BoundRoute>(
        BoundRoute{.id = "HTTPRoute default/web",
                   .route = HttpRoute{.hostnames = {std::move(hostname)},
                                      .rules = {HttpRule{.matches = {std::move(match)}}}}});
    auto compiled = compile(route);
    REQUIRE_FALSE(compiled);
    CHECK(compiled.error().code == Errc::invalid);
    return compiled.error().detail;
  };
  CHECK_THAT(refused("", regex("/(")),
             Catch::Contains("HTTPRoute default/web: rules[0].matches[0].path"));
  CHECK_THAT(refused("", regex(std::string(max_regex_bytes + 1, 'a'))), Catch::Contains("4096"));
  CHECK_THAT(refused("", regex("((a{100}){100}){100}")), Catch::Contains("regular expression"));
  CHECK_THAT(refused("", prefix("foo")), Catch::Contains("must start with '/'"));
  CHECK_THAT(refused("", prefix("")), Catch::Contains("must start with '/'"));
  CHECK_THAT(refused("", exact(std::string(max_path_segments + 1, '/'))), Catch::Contains("128"));
  CHECK_THAT(refused("", {.headers = {is("a", ""), {ValueType::regex, "b", "["}}}),
             Catch::Contains("headers[1].value"));
  CHECK_THAT(refused("", {.query = std::vector<ValueCondition>(max_conditions + 1, is("a", ""))}),
             Catch::Contains("64"));
  CHECK_THAT(refused("*", prefix("/")), Catch::Contains("hostname"));
  CHECK_THAT(refused("*.", prefix("/")), Catch::Contains("hostname"));
  CHECK_THAT(refused("a.*.b", prefix("/")), Catch::Contains("hostname"));
  CHECK_THAT(refused("A.com", prefix("/")), Catch::Contains("lower-case"));
  CHECK_THAT(refused(std::string(max_hostname_bytes + 1, 'a'), prefix("/")),
             Catch::Contains("253"));
}

TEST_CASE("the deepest path that is admitted is matched") {
  std::string path;
  for (std::size_t i = 0; i < max_path_segments; ++i)
    path += "/s";
  std::vector<Row> rows{{"exact", "", exact(path)}};
  for (std::size_t i = 2; i <= path.size(); i += 2)
    rows.push_back({std::to_string(i), "", prefix(path.substr(0, i))});
  rows.push_back({"root", "", prefix("/")});
  Table table{rows};
  CHECK(table.at("h", path) == "exact");
  CHECK(table.at("h", path + "/s/s/s") == std::to_string(path.size()));
  CHECK(table.at("h", std::string(8000, '/')) == "root");
}

TEST_CASE("a rule's id is the same while its content is") {
  auto id = [](std::uint32_t weight, std::string name, std::size_t place) {
    HttpRoute http;
    http.rules.resize(place + 1, HttpRule{.name = "other", .matches = {exact("/other")}});
    http.rules[place] = HttpRule{.name = std::move(name),
                                 .matches = {prefix("/")},
                                 .backends = {Backend{.cluster = "web", .weight = weight}}};
    CopyCost cost;
    auto table = HttpTable{}.with(
        *compile(std::make_shared<BoundRoute>(BoundRoute{.id = "r", .route = std::move(http)})),
        cost);
    return table.match({"GET", "h", "/", "", {}}).rule_id;
  };
  CHECK(id(1, "a", 0) == id(1, "a", 0));
  CHECK(id(1, "a", 0) == id(1, "a", 2));
  CHECK(id(1, "a", 0) != id(2, "a", 0));
  CHECK(id(1, "a", 0) != id(1, "b", 0));
}
