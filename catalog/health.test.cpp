#include "catalog/health.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::catalog;
using namespace std::chrono_literals;

namespace {

using Runner = CheckRunner;
constexpr Instant start{};

model::HealthCheck check(const std::string& id) { return {.id = id, .service_id = "web"}; }
model::HealthCheck http(const std::string& id) {
  auto it = check(id);
  it.definition.http = "http://10.0.0.1/health";
  it.definition.interval = 10s;
  return it;
}
model::HealthCheck tcp(const std::string& id) {
  auto it = check(id);
  it.definition.tcp = "10.0.0.1:5432";
  it.definition.interval = 5s;
  return it;
}
model::HealthCheck ttl(const std::string& id) {
  auto it = check(id);
  it.definition.ttl = 30s;
  return it;
}

template <class E>
E only(const Runner::Effects& effects) {
  REQUIRE(effects.size() == 1);
  REQUIRE(std::holds_alternative<E>(effects[0]));
  return std::get<E>(effects[0]);
}
Result<Runner::HttpAnswer> answer(int status, std::string body = "ok") {
  return Runner::HttpAnswer{status, std::move(body)};
}
/// Lets the time come when something is due, and gives what it is.
Runner::Effects next(Runner& runner, Instant& now) {
  REQUIRE(runner.next_due() != Instant::max());
  now = std::max(now, runner.next_due());
  return runner.tick(now);
}

} // namespace

TEST_CASE("an HTTP check passes on 2xx, warns on 429 and is critical on everything else") {
  Runner runner;
  Instant now = start;
  REQUIRE(runner.add(now, http("c")));
  auto round = [&](const Result<Runner::HttpAnswer>& with) {
    auto probe = only<Runner::ProbeHttp>(next(runner, now));
    CHECK(probe.method == "GET");
    CHECK(probe.timeout == 10s);
    return only<Runner::Report>(runner.answered(now, "c", probe.probe, with));
  };
  CHECK(round(answer(204)).status == model::Health::passing);
  CHECK(round(answer(429)).status == model::Health::warning);
  CHECK(round(answer(302)).status == model::Health::critical);
  CHECK(round(answer(200)).status == model::Health::passing);
  auto failed = round(fail(Errc::unavailable, "connection refused"));
  CHECK(failed.status == model::Health::critical);
  CHECK(failed.output == "connection refused");
}

TEST_CASE("a TCP check follows whether its address takes connections") {
  Runner runner;
  Instant now = start;
  REQUIRE(runner.add(now, tcp("c")));
  auto probe = only<Runner::ProbeTcp>(next(runner, now));
  CHECK(probe.address == "10.0.0.1:5432");
  CHECK(only<Runner::Report>(runner.connected(now, "c", probe.probe, {})).status ==
        model::Health::passing);
  CHECK(runner.next_due() == now + 5s);
  probe = only<Runner::ProbeTcp>(next(runner, now));
  CHECK(only<Runner::Report>(
            runner.connected(now, "c", probe.probe, fail(Errc::unavailable, "refused")))
            .status == model::Health::critical);
}

TEST_CASE("an equal result is not reported again") {
  Runner runner;
  Instant now = start;
  REQUIRE(runner.add(now, http("c")));
  auto probe = only<Runner::ProbeHttp>(next(runner, now));
  only<Runner::Report>(runner.answered(now, "c", probe.probe, answer(200)));
  probe = only<Runner::ProbeHttp>(next(runner, now));
  CHECK(runner.answered(now, "c", probe.probe, answer(200)).empty());
}

TEST_CASE("a TTL check is critical once nobody reported for so long") {
  Runner runner;
  auto definition = ttl("c");
  definition.status = model::Health::passing;
  REQUIRE(runner.add(start, definition));
  CHECK(runner.tick(start + 29s).empty());
  auto effects = runner.reported(start + 29s, "c", model::Health::warning, "slow");
  REQUIRE(effects);
  CHECK(only<Runner::Report>(*effects).status == model::Health::warning);
  CHECK(runner.tick(start + 58s).empty());
  auto report = only<Runner::Report>(runner.tick(start + 59s));
  CHECK(report.status == model::Health::critical);
  CHECK(report.output == "TTL expired");
  CHECK(runner.next_due() == Instant::max());
  CHECK(runner.reported(start, "none", model::Health::passing, "").error().code == Errc::not_found);
  REQUIRE(runner.add(start, http("h")));
  CHECK(runner.reported(start, "h", model::Health::passing, "").error().code == Errc::invalid);
}

TEST_CASE("thresholds ask for results in a row before the status changes") {
  Runner runner;
  Instant now = start;
  auto definition = http("c");
  definition.definition.success_before_passing = 2;
  definition.definition.failures_before_critical = 1;
  REQUIRE(runner.add(now, definition));
  auto round = [&](int status) {
    auto probe = only<Runner::ProbeHttp>(next(runner, now));
    return runner.answered(now, "c", probe.probe, answer(status));
  };
  CHECK(round(200).empty());
  CHECK(round(200).empty());
  CHECK(only<Runner::Report>(round(200)).status == model::Health::passing);
  CHECK(round(500).empty());
  CHECK(round(200).empty()); // The row of failures is broken.
  CHECK(round(500).empty());
  CHECK(only<Runner::Report>(round(500)).status == model::Health::critical);
}

TEST_CASE("a service that stays critical is deregistered, after a minute at the earliest") {
  Runner runner;
  auto definition = ttl("c");
  definition.status = model::Health::passing;
  definition.definition.deregister_after = 5s;
  REQUIRE(runner.add(start, definition));
  only<Runner::Report>(runner.tick(start + 30s));
  CHECK(runner.tick(start + 89s).empty());

  SECTION("when the time is over") {
    CHECK(only<Runner::DeregisterService>(runner.tick(start + 90s)).service_id == "web");
    CHECK(runner.tick(start + 200s).empty());
  }
  SECTION("not when it recovered before") {
    REQUIRE(runner.reported(start + 89s, "c", model::Health::passing, ""));
    CHECK(runner.tick(start + 118s).empty());
  }
}

TEST_CASE("no more probes run at once than may, and the others follow in turn") {
  Runner runner{{.probes_running_max = 2}};
  for (int i = 0; i < 5; ++i)
    REQUIRE(runner.add(start, tcp("c" + std::to_string(i))));
  auto now = start + 5s;
  auto effects = runner.tick(now);
  CHECK(effects.size() == 2);
  CHECK(runner.probes_running() == 2);
  std::set<std::string> probed;
  while (!effects.empty()) {
    auto effect = effects.back();
    effects.pop_back();
    auto* probe = std::get_if<Runner::ProbeTcp>(&effect);
    if (!probe)
      continue;
    probed.insert(probe->check);
    for (auto& more : runner.connected(now, probe->check, probe->probe, {}))
      effects.push_back(more);
    CHECK(runner.probes_running() <= 2);
  }
  CHECK(probed.size() == 5);
  CHECK(runner.probes_running() == 0);
}

TEST_CASE("the place of a removed check goes to one that waits") {
  Runner runner{{.probes_running_max = 1}};
  REQUIRE(runner.add(start, tcp("a")));
  REQUIRE(runner.add(start, tcp("b")));
  auto now = start + 5s;
  auto first = only<Runner::ProbeTcp>(runner.tick(now)).check;
  CHECK(runner.next_due() == Instant::max());
  runner.remove(first);
  CHECK(runner.next_due() <= now);
  CHECK(only<Runner::ProbeTcp>(runner.tick(now)).check == (first == "a" ? "b" : "a"));
}

TEST_CASE("first runs are spread over the interval, the same in every run") {
  auto dues = [] {
    std::vector<Instant> all;
    for (int i = 0; i < 100; ++i) {
      Runner runner;
      REQUIRE(runner.add(start, http("check-" + std::to_string(i))));
      all.push_back(runner.next_due());
    }
    return all;
  };
  auto all = dues();
  CHECK(all == dues());
  std::set<int> seconds;
  for (auto due : all) {
    CHECK(due >= start);
    CHECK(due < start + 10s);
    seconds.insert(static_cast<int>((due - start) / 1s));
  }
  CHECK(seconds.size() == 10);
}

TEST_CASE("a result of a check that was removed or changed is dropped") {
  Runner runner;
  Instant now = start;
  REQUIRE(runner.add(now, http("c")));
  auto probe = only<Runner::ProbeHttp>(next(runner, now));
  SECTION("removed") { runner.remove("c"); }
  SECTION("changed") { REQUIRE(runner.add(now, tcp("c"))); }
  CHECK(runner.probes_running() == 0);
  CHECK(runner.answered(now, "c", probe.probe, answer(200)).empty());
  CHECK(runner.probes_running() == 0);
}

TEST_CASE("an equal definition goes on undisturbed") {
  Runner runner;
  REQUIRE(runner.add(start, http("c")));
  auto due = runner.next_due();
  REQUIRE(runner.add(start + 3s, http("c")));
  CHECK(runner.next_due() == due);
}

TEST_CASE("output is cut to 4 KiB") {
  Runner runner;
  REQUIRE(runner.add(start, ttl("c")));
  auto effects = runner.reported(start, "c", model::Health::passing, std::string(10'000, 'x'));
  REQUIRE(effects);
  CHECK(only<Runner::Report>(*effects).output.size() == 4096);
}

TEST_CASE("a definition that cannot run is refused with the field") {
  Runner runner{{.checks_max = 1}};
  auto detail = [&](model::HealthCheck it) {
    auto added = runner.add(start, it);
    REQUIRE_FALSE(added);
    return added.error().detail;
  };
  CHECK(detail(check("c")) == "check c: Definition: must have one of HTTP, TCP and TTL");
  auto both = http("c");
  both.definition.tcp = "a:1";
  CHECK(detail(both) == "check c: Definition: must have one of HTTP, TCP and TTL");
  auto fast = http("c");
  fast.definition.interval = 999ms;
  CHECK(detail(fast) == "check c: Interval: must be at least 1s");
  REQUIRE(runner.add(start, ttl("c")));
  CHECK(runner.add(start, ttl("d")).error().code == Errc::exhausted);
  REQUIRE(runner.add(start, http("c")));
  CHECK(runner.size() == 1);
}
