#include "gateway/proxy/weights.hpp"

#include "gateway/proxy/endpoint_health.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <random>

namespace strait::gateway::proxy {

TEST_CASE("75/25 gives three and one in every four consecutive picks") {
  SmoothWeights turns;
  turns.reset(2);
  const std::array<unsigned, 2> weights{75, 25};
  std::vector<std::size_t> picks;
  for (int i = 0; i < 400; ++i)
    picks.push_back(turns.pick([&](std::size_t k) { return weights[k]; }));
  for (std::size_t i = 0; i + 4 <= picks.size(); ++i)
    CHECK(std::count(picks.begin() + static_cast<long>(i), picks.begin() + static_cast<long>(i) + 4,
                     0) == 3);
}

TEST_CASE("any weights are exact over a whole round") {
  std::mt19937 random{7};
  for (int round = 0; round < 50; ++round) {
    std::vector<unsigned> weights(1 + random() % 6);
    unsigned sum = 0;
    for (auto& weight : weights)
      sum += weight = static_cast<unsigned>(random() % 20);
    SmoothWeights turns;
    turns.reset(weights.size());
    std::vector<unsigned> counts(weights.size());
    for (unsigned i = 0; i < sum; ++i)
      ++counts.at(turns.pick([&](std::size_t k) { return weights[k]; }));
    CHECK(counts == weights);
  }
}

TEST_CASE("nothing is picked when all weights are 0") {
  SmoothWeights turns;
  turns.reset(3);
  CHECK(turns.pick([](std::size_t) { return 0U; }) == SmoothWeights::none);
}

TEST_CASE("an endpoint is ejected after three failures in a row, longer each time") {
  const EjectionOptions options;
  EndpointHealth health;
  Instant now{Millis{1'000'000}};
  CHECK_FALSE(health.failed(now, options));
  CHECK_FALSE(health.failed(now, options));
  health.succeeded();
  CHECK_FALSE(health.failed(now, options));
  CHECK_FALSE(health.failed(now, options));
  CHECK(health.failed(now, options));
  CHECK_FALSE(health.available(now + Millis{999}));
  now += Millis{1'000};
  CHECK(health.available(now));

  SECTION("the first failure after its return ejects it for twice as long") {
    for (long expected : {2'000, 4'000, 8'000, 16'000, 30'000, 30'000}) {
      CHECK(health.failed(now, options));
      CHECK_FALSE(health.available(now + Millis{expected - 1}));
      now += Millis{expected};
      CHECK(health.available(now));
    }
  }
  SECTION("a success makes it as good as new") {
    health.succeeded();
    CHECK_FALSE(health.failed(now, options));
    CHECK_FALSE(health.failed(now, options));
    CHECK(health.failed(now, options));
    CHECK(health.available(now + Millis{1'000}));
  }
  SECTION("failures of requests under way do not prolong an ejection") {
    CHECK(health.failed(now, options));
    const auto until = health.ejected_until();
    CHECK_FALSE(health.failed(now + Millis{1}, options));
    CHECK(health.ejected_until() == until);
  }
}

} // namespace strait::gateway::proxy
