#include "net/timer_wheel.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <memory>
#include <random>
#include <vector>

using namespace strait;
using namespace strait::net;

namespace {

struct Probe final : TimerNode {
  std::function<void()> callback;
  void on_due() override { callback(); }
};

Instant at(std::int64_t ms) { return Instant{Millis{ms}}; }

} // namespace

TEST_CASE("the wheel fires what an ordered map would fire, at the same advance and in its order") {
  for (unsigned seed = 0; seed < 30; ++seed) {
    std::mt19937_64 random{seed};
    std::int64_t now = static_cast<std::int64_t>(random() % 1'000'000'000'000);
    TimerWheel wheel{at(now)};
    std::vector<std::unique_ptr<Probe>> nodes;
    std::map<std::size_t, std::int64_t> expected; // Node to time.
    std::vector<std::pair<std::int64_t, std::size_t>> fired;
    for (std::size_t i = 0; i < 60; ++i) {
      nodes.push_back(std::make_unique<Probe>());
      nodes[i]->callback = [&, i] { fired.emplace_back(expected.at(i), i); };
    }
    for (int step = 0; step < 400; ++step) {
      auto i = random() % nodes.size();
      auto reach = std::int64_t{1} << (random() % 34);
      if (random() % 3 != 0) {
        auto due = now + 1 + static_cast<std::int64_t>(random()) % reach;
        due = std::max(due, now + 1);
        wheel.add(*nodes[i], at(due));
        expected[i] = due;
      } else if (random() % 2) {
        wheel.remove(*nodes[i]);
        expected.erase(i);
      }
      CHECK(wheel.size() == expected.size());
      std::int64_t first = INT64_MAX;
      for (auto& [node, due] : expected)
        first = std::min(first, due);
      REQUIRE(wheel.next().has_value() == !expected.empty());
      if (!expected.empty())
        REQUIRE(*wheel.next() <= at(first));
      now += static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(reach * 2));
      fired.clear();
      wheel.advance(at(now));
      std::size_t due_count = 0;
      for (auto& [node, due] : expected)
        due_count += due <= now;
      REQUIRE(fired.size() == due_count);
      REQUIRE(std::is_sorted(fired.begin(), fired.end(),
                             [](auto& a, auto& b) { return a.first < b.first; }));
      for (auto& [due, node] : fired) {
        REQUIRE(due <= now);
        expected.erase(node);
      }
    }
    for (auto& node : nodes)
      wheel.remove(*node);
    CHECK_FALSE(wheel.next());
  }
}

TEST_CASE("a timer callback may restart its own timer, remove another and destroy its node") {
  TimerWheel wheel{at(1000)};
  auto self = std::make_unique<Probe>();
  Probe again, other;
  int count = 0;
  other.callback = [] { FAIL("it was removed"); };
  again.callback = [&] {
    ++count;
    wheel.add(again, at(0)); // Long due: fires with the next millisecond, not endlessly now.
  };
  self->callback = [&] {
    wheel.remove(other);
    self.reset();
  };
  wheel.add(*self, at(1005));
  wheel.add(other, at(1006));
  wheel.add(again, at(1010));
  wheel.advance(at(1005));
  CHECK_FALSE(self);
  CHECK_FALSE(other.armed());
  wheel.advance(at(1012));
  CHECK(count == 3);
  wheel.remove(again);
  CHECK(wheel.size() == 0);
}

TEST_CASE("what lies beyond the wheel's reach fires at its end, not never") {
  TimerWheel wheel{at(5)};
  Probe node;
  bool fired = false;
  node.callback = [&] { fired = true; };
  wheel.add(node, at(5) + TimerWheel::delay_max * 2);
  wheel.advance(at(5) + TimerWheel::delay_max - Millis{1});
  CHECK_FALSE(fired);
  wheel.advance(at(5) + TimerWheel::delay_max * 2);
  CHECK(fired);
}
