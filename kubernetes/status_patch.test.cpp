#include "kubernetes/status_patch.hpp"

#include <catch2/catch.hpp>

#include <array>

using namespace strait;
using namespace strait::kubernetes;
using model::Condition;
using model::ConditionType;
using model::Kind;
using model::Reason;

namespace {

constexpr std::array<std::string_view, 1> own{model::strait_controller};
const WallTime now = from_rfc3339("2026-11-23T12:00:00Z");

Node seen(std::string_view status, std::string_view metadata = "") {
  return *parse_json(fmt::format(R"({{"metadata":{{"name":"x","namespace":"shop",
      "resourceVersion":"41"{}}},"status":{}}})",
                                 metadata, status),
                     "test");
}
Condition condition(ConditionType type, bool status, Reason reason, std::int64_t generation = 3) {
  return {type, status, reason, "text", generation, {}};
}
const Condition accepted = condition(ConditionType::accepted, true, Reason::accepted);

model::ObjectStatus of(Kind kind) { return {.object = {kind, {"shop", "x"}}}; }
model::ObjectStatus gateway(std::vector<Condition> conditions) {
  auto status = of(Kind::gateway);
  status.conditions = std::move(conditions);
  return status;
}
model::ObjectStatus route(std::vector<model::ParentStatus> parents) {
  auto status = of(Kind::http_route);
  status.parents = std::move(parents);
  return status;
}
model::ParentStatus parent(std::string name, std::string section = "") {
  return {{.name = std::move(name), .section_name = std::move(section)},
          std::string{model::strait_controller},
          {accepted}};
}

std::string patch(const Node& object, const model::ObjectStatus& status) {
  auto body = status_patch(object, status, own, now);
  return body ? write_json(*body, 0) : "nothing";
}
std::string with_head(std::string_view status) {
  return fmt::format(R"({{"metadata":{{"resourceVersion":"41"}},"status":{{{}}}}})", status);
}
std::string written(std::string_view type, std::string_view status, int generation,
                    std::string_view at, std::string_view reason) {
  return fmt::format(R"({{"type":"{}","status":"{}","observedGeneration":{},)"
                     R"("lastTransitionTime":"{}","reason":"{}","message":"text"}})",
                     type, status, generation, at, reason);
}
constexpr auto noon = "2026-11-23T12:00:00Z", dawn = "2026-11-23T06:00:00Z";
const auto fresh = written("Accepted", "True", 3, noon, "Accepted");
const auto kept = written("Accepted", "True", 3, dawn, "Accepted");

} // namespace

TEST_CASE(
    "a condition is written where there is none, with the version that it was computed from") {
  CHECK(patch(seen("{}"), gateway({accepted})) == with_head(R"("conditions":[)" + fresh + "]"));
}

TEST_CASE("nothing is written when the object says it already") {
  CHECK(patch(seen(R"({"conditions":[)" + kept + "]}"), gateway({accepted})) == "nothing");
  CHECK(patch(seen("{}"), route({})) == "nothing");
  CHECK(patch(*parse_json(R"({"metadata":{"resourceVersion":"1"}})", ""), gateway({})) ==
        "nothing");
}

TEST_CASE("the time of a transition changes with the status alone") {
  auto before = seen(R"({"conditions":[)" + written("Accepted", "True", 2, dawn, "Pending") + "]}");
  CHECK(patch(before, gateway({accepted})) == with_head(R"("conditions":[)" + kept + "]"));
  auto unknown =
      seen(R"({"conditions":[)" + written("Accepted", "Unknown", 2, dawn, "Pending") + "]}");
  CHECK(patch(unknown, gateway({accepted})) == with_head(R"("conditions":[)" + fresh + "]"));
}

TEST_CASE("conditions of others stay, in their places; ours that hold no more go") {
  auto foreign = written("example.com/Audited", "True", 1, dawn, "Fine");
  auto before = seen(R"({"conditions":[)" + written("Programmed", "True", 3, dawn, "Programmed") +
                     "," + foreign + "," + kept + "]}");
  auto resolved = condition(ConditionType::resolved_refs, true, Reason::resolved_refs);
  CHECK(patch(before, gateway({accepted, resolved})) ==
        with_head(R"("conditions":[)" + foreign + "," + kept + "," +
                  written("ResolvedRefs", "True", 3, noon, "ResolvedRefs") + "]"));
}

TEST_CASE("what proxies serve stands where nothing is said of it yet") {
  auto serving = written("strait.dev/Serving", "True", 3, dawn, "Serving");
  CHECK(patch(seen(R"({"conditions":[)" + kept + "," + serving + "]}"), gateway({accepted})) ==
        "nothing");
}

TEST_CASE("what was found on an older generation does not replace what stands there") {
  auto newer = written("Accepted", "False", 4, dawn, "Invalid");
  CHECK(patch(seen(R"({"conditions":[)" + newer + "]}"), gateway({accepted})) == "nothing");
}

TEST_CASE("where the CRD has no room for more conditions, our own kinds of them give way") {
  std::string foreign;
  for (int i = 0; i < 7; ++i)
    foreign += written(fmt::format("example.com/C{}", i), "True", 1, dawn, "Fine") + ",";
  auto healthy = condition(ConditionType::healthy_actor, true, Reason::running);
  CHECK(patch(seen(R"({"conditions":[)" + foreign + kept + "]}"), gateway({accepted, healthy})) ==
        "nothing");
}

TEST_CASE("a gateway's addresses, listeners and listener sets are written, each if it changed") {
  auto status = gateway({accepted});
  status.addresses = {"10.0.0.1", "edge.test"};
  status.attached_listener_sets = 2;
  status.listeners = {{"http", 1, {{.kind = "HTTPRoute"}}, {accepted}}};
  auto listener = [&](std::string_view conditions) {
    return fmt::format(R"("listeners":[{{"name":"http","attachedRoutes":1,"supportedKinds":[)"
                       R"({{"group":"gateway.networking.k8s.io","kind":"HTTPRoute"}}],)"
                       R"("conditions":[{}]}}])",
                       conditions);
  };
  auto addresses = R"("addresses":[{"type":"IPAddress","value":"10.0.0.1"},)"
                   R"({"type":"Hostname","value":"edge.test"}])";
  CHECK(patch(seen(R"({"conditions":[)" + kept + "]}"), status) ==
        with_head(fmt::format(R"({},"attachedListenerSets":2,{})", addresses, listener(fresh))));
  auto foreign = written("example.com/Audited", "True", 1, dawn, "Fine");
  auto before = fmt::format(R"({{"conditions":[{}],{},"attachedListenerSets":2,{}}})", kept,
                            addresses, listener(kept + "," + foreign));
  CHECK(patch(seen(before), status) == "nothing");
  status.addresses.clear();
  CHECK(patch(seen(before), status) == with_head(R"("addresses":[])"));
}

TEST_CASE("a class' features are written sorted") {
  auto status = of(Kind::gateway_class);
  status.supported_features = {"b", "a"};
  CHECK(patch(seen("{}"), status) ==
        with_head(R"("supportedFeatures":[{"name":"a"},{"name":"b"}])"));
}

TEST_CASE("of a route's parents only those of our controller are touched") {
  auto entry = [](std::string_view ref, std::string_view controller, std::string_view conditions) {
    return fmt::format(R"({{"parentRef":{},"controllerName":"{}","conditions":[{}]}})", ref,
                       controller, conditions);
  };
  constexpr auto us = model::strait_controller;
  auto other = entry(R"({"name":"edge"})", "example.com/other", kept);
  auto stale = entry(R"({"name":"gone"})", us, kept);
  auto ours =
      entry(R"({"name":"edge","namespace":"shop","group":"gateway.networking.k8s.io"})", us, kept);

  SECTION("stale ones go, the same one is known in another spelling, others stay") {
    CHECK(patch(seen(fmt::format(R"({{"parents":[{},{},{}]}})", stale, other, ours)),
                route({parent("edge")})) ==
          with_head(fmt::format(R"("parents":[{},{}])", other, ours)));
  }
  SECTION("another listener of the same gateway is another parent") {
    auto body = patch(seen(fmt::format(R"({{"parents":[{}]}})", ours)),
                      route({parent("edge"), parent("edge", "https")}));
    CHECK_THAT(body, Catch::Contains(ours));
    CHECK_THAT(body, Catch::Contains(R"("sectionName":"https")"));
  }
  SECTION("the last of ours goes, too") {
    CHECK(patch(seen(fmt::format(R"({{"parents":[{},{}]}})", other, ours)), route({})) ==
          with_head(fmt::format(R"("parents":[{}])", other)));
  }
  SECTION("there are no more than the CRD allows") {
    std::string many = other;
    for (std::size_t i = 1; i < parents_max; ++i)
      many += "," + other;
    CHECK(patch(seen(fmt::format(R"({{"parents":[{}]}})", many)), route({parent("edge")})) ==
          "nothing");
  }
}

TEST_CASE("a policy says it of its ancestors") {
  auto status = of(Kind::backend_tls_policy);
  status.parents = {parent("edge")};
  auto body = patch(seen("{}"), status);
  CHECK_THAT(body, Catch::Contains(R"("ancestors":[{"ancestorRef":{)"));
  CHECK_THAT(body, Catch::Contains(R"("controllerName":"strait.dev/gateway-controller")"));
}

TEST_CASE("a class that gateways use has the finalizer, beside those of others") {
  auto finalizers = [](const Node& object, bool in_use) {
    auto body = finalizer_patch(object, in_use);
    return body ? write_json(*body, 0) : "nothing";
  };
  auto ours = std::string{gateway_exists_finalizer};
  CHECK(finalizers(seen("{}"), false) == "nothing");
  CHECK(finalizers(seen("{}"), true) ==
        R"({"metadata":{"finalizers":[")" + ours + R"("],"resourceVersion":"41"}})");
  auto both = seen("{}", R"(,"finalizers":["a/b",")" + ours + R"("])");
  CHECK(finalizers(both, true) == "nothing");
  CHECK(finalizers(both, false) == R"({"metadata":{"finalizers":["a/b"],"resourceVersion":"41"}})");
  CHECK(finalizers(seen("{}", R"(,"deletionTimestamp":"2026-11-23T12:00:00Z")"), true) ==
        "nothing");
}
