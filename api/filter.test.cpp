#include "api/filter.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using api::Element;
using api::Filter;

namespace {

constexpr const char* instance =
    R"({"Node":{"Node":"n1","Meta":{"os":"linux"}},
        "Service":{"ID":"web-1","Service":"web","Tags":["v1","primary"],"Port":8080,
                   "Meta":{"version":"2","a.b":"c"},"EnableTagOverride":false,
                   "TaggedAddresses":{"lan":{"Address":"10.0.0.1","Port":80}}},
        "Checks":[{"CheckID":"a","Status":"passing"},{"CheckID":"b","Status":"critical"}]})";

bool takes(std::string_view text) {
  auto filter = Filter::compile(text, Element::check_service_node);
  INFO(text << ": " << (filter ? "" : filter.error().detail));
  REQUIRE(filter);
  return filter->takes(instance);
}

std::string refusal(std::string_view text) {
  auto filter = Filter::compile(text, Element::check_service_node);
  return filter ? "" : filter.error().detail;
}

} // namespace

TEST_CASE("filters hold for what they describe") {
  for (auto* text : {"Service.Service == web",
                     "Service.Service==\"web\"",
                     "Service.Service != api",
                     "Service.Port == 8080",
                     "Service.Meta.version == `2`",
                     "Service.Meta[\"a.b\"] == c",
                     "v1 in Service.Tags",
                     "v9 not in Service.Tags",
                     "Service.Tags contains primary",
                     "Service.Tags not contains x",
                     "version in Service.Meta",
                     "Service.Meta contains version",
                     "Service.Service contains e",
                     "Service.Service matches `^w`",
                     "Checks.Status == critical",
                     "Service.Address is empty",
                     "Service.Tags is not empty",
                     "not Service.Service == api",
                     "Node.Meta.os == linux and (Service.Port == 1 or Service.Port == 8080)",
                     "Service.Service == api or Service.Service == web",
                     "Service.Service == api and Node.Node == n2 or Node.Node == n1",
                     "Service.TaggedAddresses.lan.Address == 10.0.0.1",
                     "Service.EnableTagOverride == false",
                     "Service.Weights.Passing == 0",
                     " Service.Service\t== web ",
                     "Service.Kind == \"\"",
                     "Service.Tags matches `^prim`",
                     "(Service.Port == 8080)",
                     "not (Service.Port == 1 or Service.Port == 2)"}) {
    INFO(text);
    CHECK(takes(text));
  }
}

TEST_CASE("filters do not hold for anything else") {
  for (auto* text :
       {"Service.Service == api", "v9 in Service.Tags", "Service.Tags is empty",
        "Service.Meta.version != 2", "not Service.Service == web", "Checks.Status == warning",
        "Service.Service not matches `^w`", "Service.Service == web and Service.Port == 1",
        "Service.Meta.missing == x", "not not Service.Service == api"}) {
    INFO(text);
    CHECK(!takes(text));
  }
}

TEST_CASE("a selector that the element does not have is refused with Consul's words") {
  CHECK(refusal("Foo == x") ==
        "Failed to create boolean expression evaluator: Selector \"Foo\" is not valid");
  CHECK(refusal("Service.Bar == x").find("Selector \"Service.Bar\" is not valid") !=
        std::string::npos);
  CHECK(refusal("Service.Meta.a.b == x").find("is not valid") != std::string::npos);
}

TEST_CASE("what is no filter is refused") {
  for (auto* text : {"(((", "Service.Service", "Service.Service ==", "== web", "and", "not",
                     "Service.Service == web Service.Port", "Service.Service == \"web",
                     "Service.Service is full", "web in", "Service.Meta[\"x\" == y",
                     "Service.Service matches `(`", "Service.Tags == v1", "Service.Port contains 8",
                     "Service == x", "Service.Service == web and", ")", "Service.Service = web"}) {
    INFO(text);
    CHECK(!refusal(text).empty());
  }
}

TEST_CASE("a filter has a maximum of bytes and of depth") {
  std::string deep(65, '('), fine(64, '(');
  CHECK(refusal(deep + "Service.Port == 1" + std::string(65, ')')).find("nested deeper than 64") !=
        std::string::npos);
  CHECK(refusal(fine + "Service.Port == 1" + std::string(64, ')')).empty());
  CHECK(refusal(std::string(8 * 1024 + 1, 'a')).find("at most 8192") != std::string::npos);
  std::string chain = "Service.Port == 1";
  while (chain.size() < 8000)
    chain += " or Service.Port == 1";
  CHECK(!takes(chain));
}
