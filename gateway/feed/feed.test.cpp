#include "gateway/feed/feed.hpp"

#include "gateway/feed/feed_codec.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::gateway;
using namespace strait::gateway::feed;
using namespace std::chrono_literals;

namespace {

Config config_of(std::uint64_t epoch, std::size_t clusters) {
  Config config{.epoch = epoch};
  for (std::size_t i = 0; i < clusters; ++i) {
    auto id = "cluster " + std::to_string(i);
    config.clusters = config.clusters.with(id, std::make_shared<Cluster>(Cluster{.id = id}));
  }
  return config;
}

template <class Kind>
Kind only(Feed::Effects effects) {
  REQUIRE(effects.size() == 1);
  REQUIRE(std::holds_alternative<Kind>(effects[0]));
  return std::get<Kind>(std::move(effects[0]));
}
Delta sent(Feed::Effects effects) {
  return std::get<Delta>(only<Feed::Send>(std::move(effects)).frame);
}

struct Fixture {
  Instant now{};
  Feed feed{{.gateway_namespace = "default", .gateway_name = "edge"}, now};
  Hello hello{"default", "edge", "p1", "0.1", 0, ""};
};

} // namespace

TEST_CASE_METHOD(Fixture, "a proxy with nothing is sent the whole, then what changed") {
  CHECK(feed.offer(now, config_of(3, 2)).empty());
  auto delta = sent(feed.received(now, hello));
  CHECK(delta.from == 0);
  CHECK(delta.epoch == 3);
  CHECK(delta.clusters.size() == 2);
  CHECK(only<Feed::Serving>(feed.received(now, Ack{3, {"left out"}})).errors ==
        std::vector<std::string>{"left out"});
  delta = sent(feed.offer(now, config_of(4, 3)));
  CHECK(delta.from == 3);
  CHECK(delta.clusters.size() == 1);
}

TEST_CASE_METHOD(Fixture, "while a delta is not acknowledged, only the latest config is kept") {
  feed.received(now, hello);
  sent(feed.offer(now, config_of(1, 1)));
  for (std::uint64_t epoch = 2; epoch <= 50; ++epoch)
    CHECK(feed.offer(now, config_of(epoch, epoch)).empty());
  CHECK(feed.has_unacknowledged());
  auto effects = feed.received(now, Ack{1, {}});
  REQUIRE(effects.size() == 2);
  auto delta = std::get<Delta>(std::get<Feed::Send>(effects[1]).frame);
  CHECK(delta.from == 1);
  CHECK(delta.epoch == 50);
  CHECK(delta.clusters.size() == 49);
  CHECK(only<Feed::Serving>(feed.received(now, Ack{50, {}})).epoch == 50);
  CHECK(feed.offer(now, config_of(50, 50)).empty());
}

TEST_CASE_METHOD(Fixture, "a proxy that comes back with the same config is sent no resource") {
  auto config = config_of(9, 5);
  feed.offer(now, config);
  hello.digest = digest(config);
  SECTION("nor anything, at the same epoch, and is known to serve it") {
    hello.epoch = 9;
    auto effects = feed.received(now, hello);
    REQUIRE(effects.size() == 2);
    CHECK(std::get<Feed::Serving>(effects[0]).epoch == 9);
    CHECK(std::get<Heartbeat>(std::get<Feed::Send>(effects[1]).frame).epoch == 9);
    CHECK(sent(feed.offer(now, config_of(10, 6))).clusters.size() == 1);
  }
  SECTION("but the new number, if the agent counts anew") {
    hello.epoch = 1234;
    auto delta = sent(feed.received(now, hello));
    CHECK(delta.empty());
    CHECK(delta.from == 1234);
    CHECK(delta.epoch == 9);
  }
  SECTION("but the whole, if the epoch is the same and the content is not") {
    hello.epoch = 9;
    hello.digest = "other";
    CHECK(sent(feed.received(now, hello)).from == 0);
  }
}

TEST_CASE_METHOD(Fixture, "a delta that does not fit is followed by the whole, but only once") {
  feed.received(now, hello);
  feed.offer(now, config_of(1, 1));
  feed.received(now, Ack{1, {}});
  sent(feed.offer(now, config_of(2, 2)));
  auto delta = sent(feed.received(now, Ack{7, {}, true}));
  CHECK(delta.from == 0);
  CHECK(delta.clusters.size() == 2);
  CHECK_THAT(only<Feed::HangUp>(feed.received(now, Ack{7, {}, true})).why,
             Catch::Contains("does not take the whole"));
  CHECK(feed.offer(now, config_of(3, 3)).empty()); // It is over.
}

TEST_CASE_METHOD(Fixture, "a proxy that comes back with the latest of all is known to serve it") {
  hello.epoch = 7;
  hello.digest = digest(config_of(7, 2));
  feed.received(now, hello);
  CHECK(only<Feed::Serving>(feed.offer(now, config_of(7, 2))).epoch == 7);
  CHECK(feed.offer(now, config_of(7, 2)).empty()); // Once.
  sent(feed.offer(now, config_of(8, 3)));
  CHECK(only<Feed::Serving>(feed.received(now, Ack{8, {}})).epoch == 8);
}

TEST_CASE_METHOD(Fixture, "a proxy of another gateway is refused with the reason") {
  hello.gateway_name = "other";
  auto effects = feed.received(now, hello);
  REQUIRE(effects.size() == 2);
  CHECK_THAT(std::get<Refuse>(std::get<Feed::Send>(effects[0]).frame).why,
             Catch::Contains("Gateway default/other"));
  CHECK(std::holds_alternative<Feed::HangUp>(effects[1]));
}

TEST_CASE_METHOD(Fixture, "a proxy that breaks the order of talk is hung up on") {
  SECTION("an acknowledgement before the hello") {
    only<Feed::HangUp>(feed.received(now, Ack{1, {}}));
  }
  SECTION("a second hello") {
    feed.received(now, hello);
    only<Feed::HangUp>(feed.received(now, hello));
  }
  SECTION("an acknowledgement of nothing") {
    feed.received(now, hello);
    only<Feed::HangUp>(feed.received(now, Ack{1, {}}));
  }
  SECTION("an acknowledgement of another epoch") {
    feed.received(now, hello);
    feed.offer(now, config_of(2, 1));
    only<Feed::HangUp>(feed.received(now, Ack{1, {}}));
  }
}

TEST_CASE_METHOD(Fixture, "every wait has an end") {
  SECTION("for the hello") {
    CHECK(feed.tick(now + 4999ms).empty());
    only<Feed::HangUp>(feed.tick(now + 5000ms));
    CHECK(feed.tick(now + 6000ms).empty());
  }
  SECTION("for an acknowledgement") {
    feed.received(now, hello);
    feed.offer(now, config_of(1, 1));
    CHECK(feed.tick(now + 29999ms).empty());
    only<Feed::HangUp>(feed.tick(now + 30000ms));
  }
  SECTION("for a sign of life, with heartbeats the other way") {
    feed.received(now, hello);
    feed.offer(now, config_of(1, 1));
    feed.received(now, Ack{1, {}});
    CHECK(feed.tick(now + 9999ms).empty());
    CHECK(std::get<Heartbeat>(only<Feed::Send>(feed.tick(now + 10000ms)).frame).epoch == 1);
    CHECK(feed.tick(now + 10001ms).empty());
    only<Feed::Reported>(feed.received(now + 20000ms, ProxyStatus{1, {}}));
    only<Feed::Send>(feed.tick(now + 54999ms));
    only<Feed::HangUp>(feed.tick(now + 55000ms));
  }
}

TEST_CASE_METHOD(Fixture,
                 "a proxy that is to be fed elsewhere is fed for a while, then sent there") {
  hello.follows = true;
  feed.lead("10.0.0.2:8504");
  feed.received(now, hello);
  CHECK(sent(feed.offer(now, config_of(1, 1))).epoch == 1);
  feed.received(now, Ack{1, {}});
  CHECK(feed.tick(now + 1999ms).empty());
  auto redirect = only<Feed::Send>(feed.tick(now + 2000ms)).frame;
  CHECK(std::get<AgentRedirect>(redirect).address == "10.0.0.2:8504");
  CHECK(feed.redirected());
  SECTION("it is fed no more, and what it says on its way is not heard") {
    CHECK(feed.offer(now + 2000ms, config_of(2, 1)).empty());
    CHECK(feed.received(now + 2001ms, Ack{7, {}}).empty());
    CHECK(feed.tick(now + 6999ms).empty());
  }
  SECTION("one that does not go is hung up on") {
    CHECK_THAT(only<Feed::HangUp>(feed.tick(now + 7000ms)).why, Catch::Contains("was sent"));
  }
}

TEST_CASE_METHOD(Fixture, "a proxy stays while it is to be fed here, or does not know of going") {
  SECTION("here") { hello.follows = true; }
  SECTION("an older program") { feed.lead("10.0.0.2:8504"); }
  // There is no configuration yet: it hears that somebody is here.
  CHECK(std::holds_alternative<Heartbeat>(only<Feed::Send>(feed.received(now, hello)).frame));
  CHECK(std::holds_alternative<Heartbeat>(only<Feed::Send>(feed.tick(now + 20s)).frame));
  CHECK_FALSE(feed.redirected());
}

TEST_CASE_METHOD(Fixture, "where a proxy comes from in vain it is not sent back to at once") {
  hello.follows = true;
  hello.unreachable = "10.0.0.2:8504";
  feed.lead("10.0.0.2:8504");
  feed.received(now, hello);
  CHECK(feed.tick(now + 4'999ms).empty());
  SECTION("but after a while") { now += 5s; }
  SECTION("but when that is another place") {
    feed.lead("10.0.0.3:8504");
    now += 4'999ms;
  }
  auto frame = only<Feed::Send>(feed.tick(now)).frame;
  CHECK(std::holds_alternative<AgentRedirect>(frame));
}
