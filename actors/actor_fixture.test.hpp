#pragma once

#include "actors/catalog_actor.hpp"
#include "actors/storage_actor.hpp"

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <catch2/catch.hpp>

#include <random>

namespace strait::test {

/// An actor system without threads and without real time: the seed decides who runs next.
class ActorFixture {
  struct Config : caf::actor_system_config {
    Config() { set("scheduler.policy", caf::atom("testing")); }
  };

public:
  explicit ActorFixture(std::uint64_t seed = 0) : random{seed} {}
  ~ActorFixture() { settle(); }

  /// Runs until nobody has a message, in an order that the seed decides. Returns the turns taken.
  std::size_t settle() {
    std::size_t turns = 0;
    for (auto& jobs = scheduler.jobs; !jobs.empty(); scheduler.run_once(), ++turns)
      std::swap(jobs.front(), jobs[random() % jobs.size()]);
    return turns;
  }
  /// At most this many turns: leaves the rest waiting.
  void run_some(std::size_t turns) {
    for (auto& jobs = scheduler.jobs; turns-- > 0 && !jobs.empty(); scheduler.run_once())
      std::swap(jobs.front(), jobs[random() % jobs.size()]);
  }
  /// Lets time pass; whatever becomes due runs.
  void advance(caf::timespan by) {
    scheduler.advance_time(by);
    settle();
  }
  template <class T, class Handle, class... Ts>
  T ask(const Handle& handle, Ts&&... message) {
    caf::scoped_actor self{system};
    auto pending = self->request(handle, caf::infinite, std::forward<Ts>(message)...);
    settle();
    std::optional<T> answer;
    pending.receive([&](const T& value) { answer = value; },
                    [&](caf::error& error) { FAIL(system.render(error)); });
    return *answer;
  }

  std::mt19937_64 random;
  Config config;
  caf::actor_system system{config};
  caf::scheduler::test_coordinator& scheduler =
      dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
};

} // namespace strait::test
