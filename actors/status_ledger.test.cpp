#include "actors/status_ledger.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::actors;
using namespace std::chrono_literals;
using model::ConditionType;
using model::Kind;
using model::ObjectStatus;
using model::Reason;

namespace {

const model::Name edge{"default", "edge"}, other{"default", "other"};
const model::ObjectKey route{Kind::http_route, {"default", "r"}}, gateway{Kind::gateway, edge};

struct Fixture {
  StatusLedger ledger;
  Instant now{};

  void say(const std::string& message, const model::Name& of = edge) {
    ledger.route(now, {route,
                       of,
                       {{{.name = of.name},
                         "c",
                         {{.type = ConditionType::accepted,
                           .status = true,
                           .message = message,
                           .observed_generation = 4}}}}});
  }
  void word(Serving word, const model::ObjectKey& object = route, const std::string& listener = "",
            const model::Name& of = edge) {
    ledger.serving(now, {object, of, listener, word});
  }
  /// Writes what is due; "message Reason" of each parent of the one route.
  std::string written() {
    std::string text;
    for (auto& status : ledger.take(now)) {
      for (auto& parent : status.parents) {
        text += (text.empty() ? "" : " ") + parent.conditions.at(0).message;
        for (std::size_t i = 1; i < parent.conditions.size(); ++i)
          text += " " + std::string{to_string(parent.conditions[i].reason)};
      }
      ledger.written(now, status.object, true);
    }
    return text;
  }
};

} // namespace

TEST_CASE_METHOD(Fixture, "one write says Accepted and Serving together") {
  word(Serving::pending);
  say("a");
  CHECK(written().empty());
  CHECK(ledger.due() == now + StatusLedger::serving_wait_max);
  now += 7ms;
  word(Serving::serving);
  CHECK(written() == "a Serving");
  CHECK_FALSE(ledger.due());
}

TEST_CASE_METHOD(Fixture, "what is not acknowledged is held back for so long and no longer") {
  word(Serving::pending);
  say("a");
  now += 60ms;
  say("b"); // The wait is the first one's.
  now += 39ms;
  CHECK(written().empty());
  now += 1ms;
  CHECK(written() == "b Pending");
  now += StatusLedger::write_interval_max;
  word(Serving::serving);
  CHECK(written() == "b Serving");
}

TEST_CASE_METHOD(Fixture, "without a word on serving nothing is held back or said of it") {
  say("a");
  CHECK(written() == "a");
}

TEST_CASE_METHOD(Fixture, "the first change is written at once, the next after an interval") {
  say("a");
  CHECK(written() == "a");
  now += 1ms;
  for (auto* text : {"b", "c", "d"})
    say(text);
  CHECK(written().empty());
  CHECK(ledger.due() == Instant{} + StatusLedger::write_interval_min);
  now = *ledger.due();
  CHECK(written() == "d");
  now += StatusLedger::write_interval_max;
  say("e");
  CHECK(written() == "e");
}

TEST_CASE_METHOD(Fixture, "the longer changes keep coming, the more of them are one write") {
  std::vector<std::int64_t> writes;
  for (int change = 0; change < 1'000; ++change, now += 1ms) {
    ledger.own(now, ObjectStatus{.object = gateway, .attached_listener_sets = change});
    for (auto& status : ledger.take(now)) {
      writes.push_back(now.time_since_epoch().count());
      ledger.written(now, status.object, true);
    }
  }
  CHECK(writes == std::vector<std::int64_t>{0, 50, 150, 350, 750});
  now += 2 * StatusLedger::write_interval_max;
  ledger.own(now, ObjectStatus{.object = gateway});
  REQUIRE(ledger.take(now).size() == 1);
  ledger.written(now, gateway, true);
  ledger.own(now, ObjectStatus{.object = gateway, .attached_listener_sets = 1});
  CHECK(ledger.due() == now + StatusLedger::write_interval_min); // It was quiet.
}

TEST_CASE_METHOD(Fixture, "the last of many changes does not wait for a whole interval") {
  for (int change = 0; change < 1'000; ++change, now += 1ms) {
    say(std::to_string(change));
    written();
  }
  auto last = now - 1ms;
  CHECK(ledger.due() == last + StatusLedger::write_quiet);
  now = *ledger.due();
  CHECK(written() == "999");
  CHECK_FALSE(ledger.due());
}

TEST_CASE_METHOD(Fixture, "what cannot be deployed is not programmed until it can") {
  ObjectStatus own{.object = gateway};
  for (auto type : {ConditionType::accepted, ConditionType::programmed, ConditionType::ready})
    own.conditions.push_back({.type = type, .status = true, .observed_generation = 2});
  ledger.own(now, own);
  auto conditions = [&] {
    now += StatusLedger::write_interval_max;
    auto taken = ledger.take(now);
    REQUIRE(taken.size() == 1);
    ledger.written(now, gateway, true);
    return taken[0].conditions;
  };
  conditions();
  ledger.deployment(now, {edge, {{Reason::no_resources, "in the way"}}});
  auto said = conditions();
  CHECK(said[0].status);
  CHECK_FALSE(said[1].status);
  CHECK(said[1].reason == Reason::no_resources);
  CHECK(said[1].message == "in the way");
  CHECK(said[1].observed_generation == 2);
  CHECK(said[2].reason == Reason::listeners_not_ready);
  own.conditions[1] = {.type = ConditionType::programmed, .reason = Reason::invalid};
  ledger.own(now, own);
  CHECK(conditions()[1].reason == Reason::invalid); // Wrong by itself.
  own.conditions[1].reason = Reason::address_not_assigned;
  ledger.own(now, own);
  CHECK(conditions()[1].reason == Reason::no_resources); // That is why.
  ledger.deployment(now, {edge, {}});
  CHECK(conditions()[1].reason == Reason::address_not_assigned);
}

TEST_CASE_METHOD(Fixture, "an obstacle that is told first waits for the Gateway's own word") {
  ledger.deployment(now, {edge, {{Reason::invalid, "annotation"}}});
  CHECK_FALSE(ledger.due());
  ledger.own(now, {.object = gateway, .conditions = {{ConditionType::programmed, true}}});
  CHECK(ledger.take(now).at(0).conditions.at(0).message == "annotation");
}

TEST_CASE_METHOD(Fixture, "while one is under way the latest waits, and a failed one is repeated") {
  say("a");
  REQUIRE(ledger.take(now).size() == 1);
  say("b");
  now += 1s;
  CHECK(ledger.take(now).empty());
  ledger.written(now, route, false);
  CHECK(ledger.take(now).empty());
  CHECK(ledger.due() == now + StatusLedger::write_retry);
  now += StatusLedger::write_retry;
  CHECK(written() == "b");
}

TEST_CASE_METHOD(Fixture, "each gateway has its own word, and each listener") {
  say("a");
  say("b", other);
  word(Serving::serving);
  word(Serving::no_proxies, route, "", other);
  CHECK(written() == "a Serving b NoProxies");
  ObjectStatus own{.object = gateway};
  for (auto* name : {"http", "https", "bad"})
    own.listeners.push_back({.name = name, .conditions = {{.type = ConditionType::accepted}}});
  own.listeners[2].conditions.push_back(
      {.type = ConditionType::serving, .reason = Reason::not_programmed});
  word(Serving::serving, gateway, "http");
  ledger.own(now, own);
  auto taken = ledger.take(now);
  REQUIRE(taken.size() == 1);
  auto& listeners = taken[0].listeners;
  CHECK(listeners[0].conditions.at(1).status);
  CHECK(listeners[1].conditions.size() == 1);
  CHECK(listeners[2].conditions.size() == 2); // It says so by itself.
}

TEST_CASE_METHOD(Fixture, "what a gateway that is gone said counts no more") {
  word(Serving::pending);
  say("a");
  ledger.forget(now, edge, true);
  auto taken = ledger.take(now); // Nothing is pending any more.
  REQUIRE(taken.size() == 1);
  CHECK(taken[0].parents.empty());
  say("b");
  now += 1s;
  ledger.written(now, route, true);
  CHECK(written() == "b");
}

TEST_CASE_METHOD(
    Fixture,
    "what a gateway said of ListenerSets and policies is forgotten with it, routes aside") {
  model::Name a{"default", "a"}, b{"default", "b"};
  model::ObjectKey set{model::Kind::listener_set, {"team", "set"}};
  model::ObjectKey policy{model::Kind::backend_tls_policy, {"team", "policy"}};
  model::ObjectKey served{model::Kind::http_route, {"team", "route"}};
  ledger.listener_set(now,
                      {set, a, model::ObjectStatus{.object = set, .listeners = {{.name = "l"}}}});
  for (auto& it : {a, b}) {
    ledger.route(now, {policy, it, {{.controller = it.name}}});
    ledger.route(now, {served, it, {{.controller = it.name}}});
  }
  for (auto& status : ledger.take(now))
    ledger.written(now, status.object, true);
  ledger.forget(now, a, false);
  now += StatusLedger::write_interval_max;
  auto taken = ledger.take(now);
  REQUIRE(taken.size() == 2);
  CHECK(taken[0] == model::ObjectStatus{.object = set});
  CHECK(taken[1].object == policy);
  CHECK(taken[1].parents.size() == 1);
  for (auto& status : taken)
    ledger.written(now, status.object, true);
  ledger.forget(now, a, false);
  now += StatusLedger::write_interval_max;
  CHECK(ledger.take(now).empty());
  ledger.forget(now, a, true);
  now += StatusLedger::write_interval_max;
  taken = ledger.take(now);
  REQUIRE(taken.size() == 1);
  CHECK(taken[0].object == served);
  CHECK(taken[0].parents.size() == 1);
}

TEST_CASE_METHOD(Fixture, "a status has no more parents than Gateway API lets it have") {
  model::ObjectKey policy{model::Kind::backend_tls_policy, {"team", "policy"}};
  model::ObjectKey served{model::Kind::http_route, {"team", "route"}};
  for (std::size_t i = 0; i < StatusLedger::parents_max + 1; ++i)
    for (auto& key : {policy, served})
      ledger.route(now, {key, {"default", std::to_string(i)}, {{.controller = "x"}}});
  auto statuses = ledger.take(now);
  REQUIRE(statuses.size() == 2);
  CHECK(statuses[0].parents.size() == StatusLedger::parents_max);
  CHECK(statuses[1].parents.size() == StatusLedger::ancestors_max);
}
