#include "kubernetes/watch.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::kubernetes;

TEST_CASE("items of a list get the kind that the list leaves out, and keep their own") {
  auto page = parse_list(R"({"kind":"ServiceList","apiVersion":"v1",
    "metadata":{"resourceVersion":"77","continue":"abc"},"items":[
    {"metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":"5"}},
    {"apiVersion":"x/v2","kind":"Other","metadata":{"name":"b","resourceVersion":"6"}}]})",
                         "v1", "Service");
  REQUIRE(page);
  CHECK(page->resource_version == "77");
  CHECK(page->continue_token == "abc");
  REQUIRE(page->items.size() == 2);
  CHECK(page->items[0].name == model::Name{"n", "a"});
  CHECK(page->items[0].uid == "u");
  CHECK(page->items[0].resource_version == "5");
  CHECK(text_at(*page->items[0].object, {"kind"}) == "Service");
  CHECK(text_at(*page->items[0].object, {"apiVersion"}) == "v1");
  CHECK(text_at(*page->items[1].object, {"kind"}) == "Other");
  CHECK(
      parse_list(R"({"metadata":{"resourceVersion":"1"},"items":null})", "v1", "X")->items.empty());
}

TEST_CASE("what is no list is refused") {
  for (auto text : {"", "[]", "{}", R"({"metadata":{"resourceVersion":"1"},"items":{}})",
                    R"({"metadata":{"resourceVersion":"1"},"items":[5]})",
                    R"({"metadata":{"resourceVersion":"1"},"items":[{"metadata":{}}]})"})
    CHECK(!parse_list(text, "v1", "X"));
}

TEST_CASE("a watch's lines are events") {
  auto added = parse_event(
      R"({"type":"ADDED","object":{"kind":"X","metadata":{"name":"a","resourceVersion":"5"}}})");
  REQUIRE(added);
  CHECK(added->type == EventType::added);
  CHECK(added->item.name == model::Name{"", "a"});
  auto bookmark =
      parse_event(R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}})");
  REQUIRE(bookmark);
  CHECK(bookmark->type == EventType::bookmark);
  CHECK(bookmark->item.resource_version == "9");
  auto error =
      parse_event(R"({"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}})");
  REQUIRE(error);
  CHECK(error->code == 410);
  CHECK(error->message == "too old");
  for (auto line : {"", "x", "[]", R"({"type":"OTHER"})", R"({"type":"ADDED"})",
                    R"({"type":"ADDED","object":{"metadata":{"name":"a"}}})",
                    R"({"type":"BOOKMARK","object":{}})"})
    CHECK(!parse_event(line));
}
