#include "gateway/feed/subscription.hpp"

#include "gateway/feed/feed_codec.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::gateway;
using namespace strait::gateway::feed;
using namespace std::chrono_literals;

namespace {

using Effects = Subscription::Effects;

Config config_of(std::uint64_t epoch, const std::string& cluster) {
  Config config{.epoch = epoch};
  config.clusters =
      config.clusters.with(cluster, std::make_shared<Cluster>(Cluster{.id = cluster}));
  return config;
}

template <class Kind>
Kind at(Effects& effects, std::size_t index) {
  REQUIRE(effects.size() > index);
  REQUIRE(std::holds_alternative<Kind>(effects[index]));
  return std::get<Kind>(effects[index]);
}
template <class Kind>
Kind only(Effects effects) {
  REQUIRE(effects.size() == 1);
  return at<Kind>(effects, 0);
}
template <class Frame>
Frame sent(Effects effects) {
  return std::get<Frame>(only<Subscription::Send>(std::move(effects)).frame);
}

struct Fixture {
  Instant now{};
  Subscription proxy{
      {.gateway_namespace = "default", .gateway_name = "edge", .proxy_id = "p1", .version = "0.1"}};
  void go_live() {
    only<Subscription::Dial>(proxy.start(now, {}));
    auto hello = sent<Hello>(proxy.connected(now));
    CHECK(hello == Hello{"default", "edge", "p1", "0.1", 0, "", true, ""});
  }
};

} // namespace

TEST_CASE_METHOD(Fixture, "a delta is applied, then acknowledged, then saved") {
  go_live();
  only<Subscription::Apply>(proxy.received(now, whole(config_of(4, "web"))));
  CHECK(proxy.config().epoch == 0);
  auto effects = proxy.applied(now, {Error{Errc::invalid, "route x: path"}});
  auto ack = std::get<Ack>(at<Subscription::Send>(effects, 0).frame);
  CHECK(ack == Ack{4, {"route x: path"}, false});
  CHECK(at<Subscription::Save>(effects, 1).config.epoch == 4);
  CHECK(proxy.config().epoch == 4);
  CHECK(proxy.applied(now, {}).empty());
}

TEST_CASE_METHOD(
    Fixture,
    "changes in a row are saved once in a while, one save at a time, the last of them in the end") {
  go_live();
  proxy.received(now, whole(config_of(4, "web")));
  CHECK(proxy.applied(now, {}).size() == 2);
  auto change = [&](std::uint64_t epoch) {
    proxy.received(now, Delta{.from = epoch - 1, .epoch = epoch});
    return proxy.applied(now, {});
  };
  now += 5s;
  CHECK(change(5).size() == 1);
  now += 1s;
  CHECK(proxy.tick(now).empty()); // The first save is still under way.
  proxy.saved();
  CHECK(only<Subscription::Save>(proxy.tick(now)).config.epoch == 5);
  proxy.saved();
  CHECK(change(6).size() == 1);
  now += 999ms;
  CHECK(proxy.tick(now).empty());
  CHECK(change(7).size() == 1);
  now += 999ms;
  CHECK(proxy.tick(now).empty());
  now += 1ms;
  CHECK(only<Subscription::Save>(proxy.tick(now)).config.epoch == 7);
  proxy.saved();
  now += 30s;
  for (auto& effect : proxy.tick(now)) // A status, but nothing that is not on disk.
    CHECK_FALSE(std::holds_alternative<Subscription::Save>(effect));
}

TEST_CASE_METHOD(Fixture, "changes that never rest are saved all the same, rarely") {
  go_live();
  proxy.received(now, whole(config_of(4, "web")));
  proxy.applied(now, {});
  proxy.saved();
  std::vector<std::uint64_t> saves;
  for (std::uint64_t epoch = 5; epoch < 905; ++epoch) {
    now += 100ms;
    proxy.received(now, Delta{.from = epoch - 1, .epoch = epoch});
    auto effects = proxy.applied(now, {});
    if (effects.size() > 1) {
      saves.push_back(at<Subscription::Save>(effects, 1).config.epoch);
      proxy.saved();
    }
  }
  CHECK(saves == std::vector<std::uint64_t>{305, 606});
}

TEST_CASE_METHOD(Fixture, "the errors of an acknowledgement are bounded") {
  go_live();
  proxy.received(now, whole(config_of(4, "web")));
  auto effects = proxy.applied(
      now, std::vector<Error>(max_ack_errors + 5, {Errc::invalid, std::string(5000, 'x')}));
  auto ack = std::get<Ack>(at<Subscription::Send>(effects, 0).frame);
  REQUIRE(ack.errors.size() == max_ack_errors + 1);
  CHECK(ack.errors[0].size() == max_error_bytes);
  CHECK(ack.errors.back() == "and 5 more");
  CHECK(decode_proxy_frame(encode(ProxyFrame{ack})));
}

TEST_CASE_METHOD(Fixture, "what was saved is served before the agent is there, and told to it") {
  auto saved = config_of(7, "web");
  auto effects = proxy.start(now, saved);
  CHECK(at<Subscription::Apply>(effects, 0).delta.from == 0);
  at<Subscription::Dial>(effects, 1);
  SECTION("connected after it is applied") {
    CHECK(proxy.applied(now, {}).empty()); // Not saved again.
    auto hello = sent<Hello>(proxy.connected(now));
    CHECK(hello.epoch == 7);
    CHECK(hello.digest == digest(saved));
  }
  SECTION("connected before it is applied") {
    CHECK(proxy.connected(now).empty());
    CHECK(sent<Hello>(proxy.applied(now, {})).epoch == 7);
  }
  SECTION("not taken by the builder") {
    CHECK(proxy.refused(now, {}).empty());
    CHECK(sent<Hello>(proxy.connected(now)).epoch == 0);
  }
}

TEST_CASE_METHOD(Fixture, "a delta that does not fit asks for the whole and changes nothing") {
  go_live();
  proxy.received(now, whole(config_of(4, "web")));
  proxy.applied(now, {});
  CHECK(sent<Ack>(proxy.received(now, Delta{.from = 3, .epoch = 5})) == Ack{4, {}, true});
  CHECK(sent<Ack>(proxy.received(now, Delta{.from = 4, .epoch = 0})) == Ack{4, {}, true});
  only<Subscription::Apply>(proxy.received(now, Delta{.from = 4, .epoch = 5}));
  CHECK(sent<Ack>(proxy.refused(now, {Errc::conflict, "no"})) == Ack{4, {"no"}, true});
  CHECK(proxy.config().epoch == 4);
}

TEST_CASE_METHOD(Fixture, "a second delta before the first is acknowledged ends the stream") {
  go_live();
  proxy.received(now, whole(config_of(4, "web")));
  only<Subscription::HangUp>(proxy.received(now, Delta{.from = 4, .epoch = 5}));
  // What is on its way to the workers arrives all the same, but no one is there to be told.
  only<Subscription::Save>(proxy.applied(now, {}));
  CHECK(proxy.config().epoch == 4);
}

TEST_CASE_METHOD(Fixture,
                 "dialling waits longer each time, up to a maximum, and anew after success") {
  only<Subscription::Dial>(proxy.start(now, {}));
  Millis expected{100};
  for (int attempt = 0; attempt < 12; ++attempt) {
    proxy.lost(now, "refused");
    CHECK(proxy.last_error() == "refused");
    auto least = expected / 2;
    CHECK(proxy.tick(now + least - 1ms).empty());
    now += expected;
    only<Subscription::Dial>(proxy.tick(now));
    expected = std::min(expected * 2, Millis{10000});
  }
  proxy.connected(now);
  proxy.received(now, Heartbeat{});
  proxy.lost(now, "cut");
  only<Subscription::Dial>(proxy.tick(now + 100ms));
}

TEST_CASE_METHOD(Fixture,
                 "a connection that is not made in time, and an agent gone silent, are given up") {
  only<Subscription::Dial>(proxy.start(now, {}));
  CHECK(proxy.tick(now + 4999ms).empty());
  only<Subscription::HangUp>(proxy.tick(now + 5000ms));
  now += 6000ms;
  only<Subscription::Dial>(proxy.tick(now));
  proxy.connected(now);
  for (auto wait : {10000ms, 20000ms, 30000ms})
    CHECK(sent<ProxyStatus>(proxy.tick(now + wait)).epoch == 0);
  only<Subscription::HangUp>(proxy.tick(now + 35000ms));
  CHECK(proxy.phase() == Subscription::Phase::down);
}

TEST_CASE_METHOD(Fixture, "a refusal is remembered, and counters are told with the status") {
  go_live();
  std::map<std::string, std::uint64_t> counters;
  for (std::size_t i = 0; i <= max_status_counters; ++i)
    counters[std::to_string(i)] = i;
  proxy.count(counters);
  auto status = sent<ProxyStatus>(proxy.tick(now + 10000ms));
  CHECK(status.counters.size() == max_status_counters);
  CHECK(decode_proxy_frame(encode(ProxyFrame{status})));
  only<Subscription::HangUp>(proxy.received(now, Refuse{"no such gateway"}));
  CHECK_THAT(proxy.last_error(), Catch::Contains("no such gateway"));
  CHECK(proxy.received(now, Heartbeat{}).empty()); // Of the stream that was given up.
}

TEST_CASE_METHOD(Fixture, "a proxy goes at once where its agent sends it, and keeps what it has") {
  go_live();
  proxy.received(now, whole(config_of(4, "web")));
  proxy.applied(now, {});
  auto effects = proxy.received(now, AgentRedirect{"10.0.0.2:8504"});
  REQUIRE(effects.size() == 2);
  CHECK_FALSE(at<Subscription::HangUp>(effects, 0).trouble);
  CHECK(at<Subscription::Dial>(effects, 1).address == "10.0.0.2:8504");
  auto hello = sent<Hello>(proxy.connected(now));
  CHECK(hello.epoch == 4);
  CHECK(hello.unreachable.empty());
  SECTION("what it finds there is its agent from then on") {
    proxy.received(now, Heartbeat{4});
    SECTION("until it is sent on") {
      effects = proxy.received(now, AgentRedirect{"10.0.0.3:8504"});
      CHECK(at<Subscription::Dial>(effects, 1).address == "10.0.0.3:8504");
    }
    SECTION("until that is gone: its own agent is told so, and asked") {
      proxy.lost(now, "cut");
      CHECK(only<Subscription::Dial>(proxy.tick(now + 1s)).address.empty());
      CHECK(sent<Hello>(proxy.connected(now + 1s)).unreachable == "10.0.0.2:8504");
    }
  }
  SECTION("what says nothing is nobody") {
    CHECK(proxy.tick(now + 1999ms).empty());
    CHECK(only<Subscription::HangUp>(proxy.tick(now + 2000ms)).trouble);
    CHECK(only<Subscription::Dial>(proxy.tick(now + 3s)).address.empty());
    CHECK(sent<Hello>(proxy.connected(now + 3s)).unreachable == "10.0.0.2:8504");
  }
  SECTION("nobody is there: back to its own agent, until it is sent there again") {
    CHECK(proxy.lost(now, "refused").empty());
    CHECK(only<Subscription::Dial>(proxy.tick(now + 1s)).address.empty());
    CHECK(sent<Hello>(proxy.connected(now + 1s)).unreachable == "10.0.0.2:8504");
    proxy.received(now + 1s, Heartbeat{4});
    proxy.received(now + 15s, AgentRedirect{"10.0.0.2:8504"});
    proxy.connected(now + 15s);
    proxy.received(now + 15s, Heartbeat{4});
    proxy.lost(now + 16s, "cut"); // It was there this time.
    only<Subscription::Dial>(proxy.tick(now + 17s));
    CHECK(sent<Hello>(proxy.connected(now + 17s)).unreachable == "10.0.0.2:8504");
  }
}

TEST_CASE_METHOD(Fixture,
                 "a proxy that is sent away while workers take over says what it has after") {
  go_live();
  proxy.received(now, whole(config_of(4, "web")));
  auto effects = proxy.received(now, AgentRedirect{"10.0.0.2:8504"});
  REQUIRE(effects.size() == 2);
  CHECK(proxy.connected(now).empty());
  effects = proxy.applied(now, {});
  CHECK(std::get<Hello>(at<Subscription::Send>(effects, 0).frame).epoch == 4);
}
