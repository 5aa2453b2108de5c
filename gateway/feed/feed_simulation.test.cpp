#include "base/overload.hpp"
#include "gateway/feed/feed.hpp"
#include "gateway/feed/feed_codec.hpp"
#include "gateway/feed/subscription.hpp"
#include "gateway/snapshot/random_config.hpp"
#include "gateway/snapshot/snapshot.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <map>
#include <random>

using namespace strait;
using namespace strait::gateway;
using namespace strait::gateway::feed;
using namespace std::chrono_literals;

namespace {

/// An agent and a proxy with a wire between them that cuts, loses, delays and swaps, and both sides
/// that restart; every step is decided by the seed.
struct Simulation {
  explicit Simulation(std::uint64_t seed) : random{seed} { restart_proxy(); }

  std::mt19937_64 random;
  RandomConfig make{[this](std::size_t limit) { return random() % limit; }};
  Instant now{};
  // The agent.
  Config latest;
  std::map<std::uint64_t, std::string> offered; // What each epoch held.
  std::optional<Feed> feed;
  // The wire: bytes, as they would travel.
  std::optional<std::string> dialing; // The address.
  std::string elsewhere;
  std::deque<std::string> to_proxy, to_agent;
  // The proxy.
  std::optional<Subscription> proxy;
  std::optional<SnapshotBuilder> builder;
  std::optional<Config> saved;
  std::deque<Delta> applying; // The workers take their time.
  std::size_t deltas = 0, wholes = 0, cuts = 0, elsewhere_reached = 0;
  std::uint64_t checked_config = 0;
  SnapshotPtr checked_snapshot;

  bool chance(std::size_t one_in) { return random() % one_in == 0; }

  void cut() {
    ++cuts;
    dialing.reset();
    to_proxy.clear();
    to_agent.clear();
    feed.reset();
  }
  void restart_proxy() {
    if (proxy)
      cut();
    applying.clear();
    builder.emplace();
    proxy.emplace(SubscriptionOptions{
        .gateway_namespace = "default", .gateway_name = "edge", .seed = random()});
    carry_out(proxy->start(now, saved));
  }

  void carry_out(Subscription::Effects effects) {
    for (auto& effect : effects)
      std::visit(overload{[&](Subscription::Dial& dial) { dialing = dial.address; },
                          [&](Subscription::Send& send) { to_agent.push_back(encode(send.frame)); },
                          [&](Subscription::HangUp&) { cut(); },
                          [&](Subscription::Apply& apply) {
                            applying.push_back(std::move(apply.delta));
                            REQUIRE(applying.size() == 1);
                          },
                          [&](Subscription::Save& save) {
                            saved = std::move(save.config);
                            proxy->saved();
                          }},
                 effect);
  }
  void carry_out(Feed::Effects effects) {
    for (auto& effect : effects)
      std::visit(overload{[&](Feed::Send& send) {
                            if (auto* delta = std::get_if<Delta>(&send.frame))
                              ++(delta->from ? deltas : wholes);
                            to_proxy.push_back(encode(send.frame));
                          },
                          [&](Feed::Serving& serving) {
                            // True unless the proxy restarted since with what it had saved.
                            REQUIRE(offered.contains(serving.epoch));
                          },
                          [&](Feed::Reported&) {},
                          [&](Feed::HangUp& hang_up) {
                            cut();
                            carry_out(proxy->lost(now, hang_up.why));
                          }},
                 effect);
  }

  void change() {
    Delta delta{.from = latest.epoch, .epoch = latest.epoch + 1};
    if (latest.epoch == 0)
      delta.from = 0;
    make.change_something(delta);
    latest = apply(latest, delta);
    offered[latest.epoch] = to_text(latest);
    if (feed)
      carry_out(feed->offer(now, latest));
  }

  void deliver() {
    if (auto address = std::exchange(dialing, {})) {
      if (!address->empty() && chance(2))
        return carry_out(proxy->lost(now, "nobody is there"));
      elsewhere_reached += !address->empty();
      feed.emplace(FeedOptions{.gateway_namespace = "default", .gateway_name = "edge"}, now);
      carry_out(proxy->connected(now));
      if (feed)
        carry_out(feed->offer(now, latest));
      return;
    }
    if (!to_agent.empty() && feed && chance(2)) {
      auto frame = decode_proxy_frame(to_agent.front());
      to_agent.pop_front();
      REQUIRE(frame);
      carry_out(feed->received(now, std::move(*frame)));
    } else if (!to_proxy.empty()) {
      auto frame = decode_config_frame(to_proxy.front());
      to_proxy.pop_front();
      REQUIRE(frame);
      carry_out(proxy->received(now, std::move(*frame)));
    }
  }

  void work() {
    if (applying.empty())
      return;
    auto built = builder->apply(applying.front());
    applying.pop_front();
    REQUIRE(built); // What the subscription lets through always fits.
    carry_out(proxy->applied(now, builder->errors()));
  }

  void misbehave() {
    switch (random() % 6) {
    case 5:
      elsewhere = chance(3) ? "" : "agent " + std::to_string(random() % 3);
      break;
    case 0:
      cut();
      carry_out(proxy->lost(now, "cut"));
      break;
    case 1: // Lost on the way. The stream promises not to: the machines must still recover.
      if (!to_proxy.empty())
        to_proxy.pop_front();
      break;
    case 2:
      if (to_proxy.size() > 1)
        std::swap(to_proxy[0], to_proxy[1]);
      break;
    case 3:
      if (to_agent.size() > 1)
        std::swap(to_agent[0], to_agent[1]);
      break;
    case 4:
      if (chance(3))
        restart_proxy();
      break;
    }
  }

  void tick(Millis time) {
    now += time;
    carry_out(proxy->tick(now));
    if (feed) {
      feed->lead(elsewhere);
      carry_out(feed->tick(now));
    }
  }

  void check() {
    // Never a mixture of two configs. Text is dear: only what is new is looked at.
    const auto& config = proxy->config();
    if (config.epoch != 0 && config.epoch != checked_config)
      REQUIRE(to_text(config) == offered.at(config.epoch));
    checked_config = config.epoch;
    const auto& served = builder->current();
    if (served && served != checked_snapshot)
      REQUIRE(to_text(served->config) == offered.at(served->epoch()));
    checked_snapshot = served;
    REQUIRE(to_proxy.size() <= 8);
    REQUIRE(to_agent.size() <= 8);
  }
};

} // namespace

TEST_CASE("a proxy comes to serve the latest config over a wire that cuts, loses and swaps") {
  std::size_t deltas = 0;
  std::size_t wholes = 0;
  std::size_t cuts = 0;
  std::size_t elsewhere = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    INFO("seed " << seed);
    Simulation simulation{seed};
    simulation.change();
    for (int step = 0; step < 500; ++step) {
      switch (simulation.random() % 8) {
      case 0:
        simulation.change();
        break;
      case 1:
        if (simulation.chance(4))
          simulation.misbehave();
        break;
      case 2:
        simulation.tick(Millis{simulation.random() % 2000});
        break;
      case 3:
      case 4:
        simulation.work();
        break;
      default:
        simulation.deliver();
      }
      simulation.check();
    }
    simulation.elsewhere.clear();
    for (int step = 0; step < 2000; ++step) { // Quiet: nothing changes, nothing is lost.
      simulation.deliver();
      simulation.work();
      simulation.tick(50ms);
      simulation.check();
    }
    REQUIRE(simulation.proxy->config().epoch == simulation.latest.epoch);
    REQUIRE(simulation.saved);
    REQUIRE(to_text(*simulation.saved) == to_text(simulation.latest));
    REQUIRE(to_text(simulation.builder->current()->config) == to_text(simulation.latest));
    deltas += simulation.deltas;
    wholes += simulation.wholes;
    cuts += simulation.cuts;
    elsewhere += simulation.elsewhere_reached;
  }
  CHECK(deltas > 200); // Else little was tried.
  CHECK(wholes > 50);
  CHECK(cuts > 100);
  CHECK(elsewhere > 30);
}
