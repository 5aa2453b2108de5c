#include "cmd/cli/json.hpp"

#include <catch2/catch.hpp>

namespace strait::cli::json {

namespace {

std::vector<std::string> cut(std::string_view array) {
  std::vector<std::string> out;
  auto done = for_each_item(array, [&](std::string_view item) -> Status {
    out.emplace_back(item);
    return {};
  });
  return done ? out : std::vector<std::string>{"error: " + done.error().detail};
}

} // namespace

TEST_CASE("a list is cut into its items without reading them") {
  CHECK(cut("[]").empty());
  CHECK(cut("null").empty());
  CHECK(cut(R"( [1, "a,]\"b" , {"x": [2, 3]},[ ] ] )") ==
        std::vector<std::string>{"1", R"("a,]\"b")", R"({"x": [2, 3]})", "[ ]"});
}

TEST_CASE("what is not a list is an error that says so") {
  for (auto text : {"", "{}", "[1", "[1,", "[1,]", "[,1]", "[1 2:", "[\"open", "\"text\""}) {
    CAPTURE(text);
    auto items = cut(text);
    REQUIRE(!items.empty());
    CHECK(items.back().starts_with("error: the answer is not the JSON list"));
  }
}

TEST_CASE("members are found by name in any case, behind values that look like others") {
  CHECK(member(R"({"a": "items\":", "Items" : [1, {"items": 2}]})", "items") ==
        R"([1, {"items": 2}])");
  CHECK(!member(R"({"a": {"items": 1}})", "items"));
  std::string seen;
  auto done = for_each_member(R"({"one":[],"tw\u006f":["x"]})",
                              [&](const std::string& key, std::string_view value) -> Status {
                                seen += key + "=" + std::string{value} + ";";
                                return {};
                              });
  CHECK(done);
  CHECK(seen == R"(one=[];two=["x"];)");
  CHECK(!for_each_member(R"({"one" 1})", [](auto&, auto) -> Status { return {}; }));
}

TEST_CASE("values are read by a path, and absent ones are empty") {
  auto node = *kubernetes::parse_json(R"({"Service":{"Port":80,"Tags":["a","b"],"On":true}})", "");
  CHECK(text_at(node, "service.port") == "80");
  CHECK(text_at(node, "Service.On") == "true");
  CHECK(text_at(node, "Service.None.More").empty());
  CHECK(joined(at(node, "Service.Tags"), "+") == "a+b");
  CHECK(number_at(node, "Service.Port") == 80);
}

TEST_CASE("an object holds what is not empty") {
  CHECK(Object{}
            .text("A", "x")
            .text("B", "")
            .texts("C", {})
            .pairs("D", {"k=v=w", "bare"})
            .to_string() == R"({"A":"x","D":{"k":"v=w","bare":""}})");
}

} // namespace strait::cli::json
