#include "catalog/model/any_object.hpp"

#include <catch2/catch.hpp>

using namespace strait::model;

TEST_CASE("a kind has one name, and is found by it in any case") {
  CHECK(to_string(Kind::http_route) == "HTTPRoute");
  CHECK(kind_from("httproute") == Kind::http_route);
  CHECK(kind_from("HTTPRoute") == Kind::http_route);
  CHECK_FALSE(kind_from("HTTPRoutes"));
  CHECK(api_group(Kind::service).empty());
  CHECK(to_string(ObjectKey{Kind::gateway, {"default", "edge"}}) == "Gateway default/edge");
}

TEST_CASE("conditions and reasons are written by the names of the API") {
  CHECK(to_string(ConditionType::resolved_refs) == "ResolvedRefs");
  CHECK(to_string(Reason::invalid_certificate_ref) == "InvalidCertificateRef");
  CHECK(to_string(Reason::running) == "Running");
}

TEST_CASE("a label selector needs all of its requirements") {
  LabelSelector selector;
  selector.match_labels["team"] = "web";
  selector.match_expressions.push_back({"tier", LabelSelector::Operator::in, {"front", "edge"}});
  selector.match_expressions.push_back({"old", LabelSelector::Operator::does_not_exist, {}});
  CHECK(matches(selector, {{"team", "web"}, {"tier", "edge"}}));
  CHECK_FALSE(matches(selector, {{"team", "web"}, {"tier", "back"}}));
  CHECK_FALSE(matches(selector, {{"team", "web"}, {"tier", "edge"}, {"old", ""}}));
  CHECK(matches(LabelSelector{}, {}));
}

TEST_CASE("the worse of two healths wins") {
  CHECK(worse(Health::passing, Health::warning) == Health::warning);
  CHECK(worse(Health::maintenance, Health::critical) == Health::maintenance);
  CHECK(health_from("critical") == Health::critical);
  CHECK_FALSE(health_from("bad"));
}

TEST_CASE("imported records have other keys than our own of the same name") {
  ServiceInstance ours{.node = "n1", .id = "web"};
  ServiceInstance theirs{.peer = "dc2", .node = "n1", .id = "web"};
  CHECK(key_of(ours) != key_of(theirs));
}
