#include "catalog/model/gateway.hpp"

#include <catch2/catch.hpp>

using strait::model::deployed_name;

TEST_CASE("the objects of a Gateway bear its name where a Service may") {
  CHECK(deployed_name({"shop", "edge"}) == "edge");
  CHECK(deployed_name({"shop", "edge-2"}) == "edge-2");
  CHECK(deployed_name({"shop", std::string(63, 'a')}) == std::string(63, 'a'));
}

TEST_CASE("a name that no Service may have becomes one that is its own") {
  auto name = [](const std::string& gateway) { return deployed_name({"shop", gateway}); };
  CHECK(name("edge.example.com") == "edge-example-com-891ae50772");
  CHECK(name("4edge") == "gateway-4edge-014e6a80ba");
  auto longest = name(std::string(253, 'a'));
  CHECK(longest.size() == 63);
  CHECK(longest != name(std::string(252, 'a')));
  CHECK(name("edge.example.com") != name("edge-example.com"));
  CHECK(name(std::string(51, 'a') + "." + std::string(20, 'b')).size() <= 63);
}
