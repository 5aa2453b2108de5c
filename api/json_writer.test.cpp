#include "api/json_writer.hpp"

#include "kubernetes/document.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using api::JsonWriter;

TEST_CASE("JSON is written in order, with commas where they belong") {
  JsonWriter json;
  json.begin_object().text("a", "x").flag("b", true).key("c").begin_array();
  json.number(std::uint64_t{1}).number(std::int64_t{-2}).null().begin_object().end_object();
  json.end_array().text_unless_empty("d", "").map_or_null("e", {}).map("f", {{"k", "v"}});
  json.texts("g", {}).end_object();
  CHECK(json.take() == R"({"a":"x","b":true,"c":[1,-2,null,{}],"e":null,"f":{"k":"v"},"g":[]})");
}

TEST_CASE("whatever bytes a text has, what is written is JSON") {
  std::string all;
  for (int i = 0; i < 256; ++i)
    all += static_cast<char>(i);
  for (auto& text :
       {all, std::string{"\xc3"}, std::string{"\xed\xa0\x80"}, std::string{"\xf4\x90\x80\x80"},
        std::string{"\xc0\xaf"}, std::string{"\xe2\x82\xac ok"}}) {
    JsonWriter json;
    json.text(text);
    INFO(json.view());
    CHECK(kubernetes::parse_json(json.view(), ""));
  }
  JsonWriter euro;
  euro.text("\xe2\x82\xac\xff");
  CHECK(euro.take() == "\"\xe2\x82\xac\\ufffd\"");
}

TEST_CASE("pretty JSON has Consul's indent and says the same") {
  CHECK(
      api::pretty_json(R"({"a":[1,{"b":"x,{\"y\":1}"}],"c":{},"d":[]})") ==
      "{\n    \"a\": [\n        1,\n        {\n            \"b\": \"x,{\\\"y\\\":1}\"\n        }\n"
      "    ],\n    \"c\": {},\n    \"d\": []\n}\n");
}
