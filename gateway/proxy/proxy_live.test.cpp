#include "gateway/proxy/proxy_fixture.test.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy::testing {

TEST_CASE("snapshots are swapped under load without one failed request or closed connection") {
  auto a = Backend::named("a");
  auto b = Backend::named("b");
  World world{{.workers = 2}};
  const auto port = world.serve({a->endpoint()});
  Load load{port, 4};
  load.at_least(10);
  for (int i = 0; i < 50; ++i) {
    world.cluster("backend", {(i % 2 ? a : b)->endpoint()});
    if (i % 3 == 0)
      world.route("web", "HTTPRoute default/" + std::to_string(i),
                  {{"other.com"}, {rule("/", {share("backend")})}});
    world.apply();
    load.at_least(5);
  }
  load.stop();
  CHECK(load.bad == 0);
  CHECK(a->requests > 0);
  CHECK(b->requests > 0);
  CHECK(world.counted(Counter::downstream_connections) == 4);
  CHECK(world.proxy->served_epoch() == world.config.epoch);
}

TEST_CASE("listeners come and go under load on another without one failed request") {
  auto a = Backend::named("a");
  World world{{.workers = 2}};
  const auto port = world.serve({a->endpoint()});
  Load load{port, 2};
  for (int i = 0; i < 10; ++i) {
    const auto second = free_port();
    world.listener({.name = "second", .address = "127.0.0.1", .port = second});
    world.all_to("second", "backend").apply();
    auto kept = Wire::dial(second);
    CHECK(ask(kept, get("/")).status == 200);
    auto slow = Wire::dial(second);
    CHECK(ask(slow, get("/")).status == 200);
    slow.send("GET / HT");
    world.no_listener("second");
    world.config.routes =
        world.config.routes.without(binding_key("second", "HTTPRoute default/all"));
    world.apply();
    CHECK_FALSE(Wire::dial(second).ok());
    // Connections of the listener that is gone are served once more, and told to end.
    slow.send("TP/1.1\r\nHost: a\r\n\r\n");
    const auto last = read_answer(slow);
    CHECK(last.status == 200);
    CHECK(last.field("connection") == "close");
    CHECK(slow.ended());
    CHECK(ask(kept, get("/")).field("connection") == "close");
    load.at_least(10);
  }
  load.stop();
  CHECK(load.bad == 0);
}

TEST_CASE("a port that cannot be bound is told, tried again, and does not disturb the others") {
  auto a = Backend::named("a");
  Backend occupant{[](Wire&, Backend&) {}};
  ProxyOptions options{.workers = 2};
  options.timeouts.bind_retry = Millis{10};
  World world{options};
  std::atomic<int> told{0};
  world.proxy->on_listener_errors([&](const std::vector<ListenerError>&) { ++told; });
  auto occupied = std::make_unique<Backend>([](Wire&, Backend&) {});
  const auto taken = occupied->port();
  world.listener({.name = "taken", .address = "127.0.0.1", .port = taken});
  world.all_to("taken", "backend");
  const auto port = world.serve({a->endpoint()});
  REQUIRE(world.proxy->listener_errors().size() == 1);
  CHECK(world.proxy->listener_errors()[0].port == taken);
  CHECK(world.proxy->listener_errors()[0].error.code == Errc::conflict);
  CHECK(told > 0);
  CHECK(ask(port, get("/")).status == 200);

  occupied.reset();
  const auto until = now_instant() + Millis{10'000};
  while (!world.proxy->listener_errors().empty() && now_instant() < until)
    std::this_thread::yield();
  CHECK(world.proxy->listener_errors().empty());
  CHECK(ask(taken, get("/")).status == 200);
}

TEST_CASE("a request under way ends under the snapshot it began with") {
  std::mutex mutex;
  std::condition_variable open;
  bool gate = false;
  Backend backend{[&](Wire& wire, Backend& self) {
    if (wire.head().empty())
      return;
    ++self.requests;
    std::unique_lock lock{mutex};
    open.wait(lock, [&] { return gate; });
    wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    wire.rest();
  }};
  World world;
  const auto port = world.serve({backend.endpoint()});
  auto old = rule("/", {share("backend")});
  old.response.set = {{"x-rule", "old"}};
  world.route("web", "HTTPRoute default/all", {{}, {old}}).apply();
  auto wire = Wire::dial(port);
  wire.send(get("/"));
  while (backend.requests == 0)
    std::this_thread::yield();
  world.cluster("backend", {});
  world.route("web", "HTTPRoute default/all", {{}, {rule("/gone", {share("backend")})}}).apply();
  {
    std::lock_guard lock{mutex};
    gate = true;
  }
  open.notify_all();
  const auto answer = read_answer(wire);
  CHECK(answer.status == 200);
  CHECK(answer.field("x-rule") == "old");
  CHECK(ask(wire, get("/")).status == 404);
}

TEST_CASE("draining lets requests under way end, closes idle connections and accepts no more") {
  std::mutex mutex;
  std::condition_variable open;
  bool gate = false;
  Backend backend{[&](Wire& wire, Backend& self) {
    while (!wire.head().empty()) {
      if (++self.requests == 2) {
        std::unique_lock lock{mutex};
        open.wait(lock, [&] { return gate; });
      }
      wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
  }};
  World world;
  const auto port = world.serve({backend.endpoint()});
  auto idle = Wire::dial(port);
  CHECK(ask(idle, get("/")).status == 200);
  auto busy = Wire::dial(port);
  busy.send(get("/"));
  while (backend.requests < 2)
    std::this_thread::yield();
  std::thread drain{[&] { world.proxy->drain(Millis{10'000}); }};
  CHECK(idle.ended());
  CHECK_FALSE(Wire::dial(port).ok());
  {
    std::lock_guard lock{mutex};
    gate = true;
  }
  open.notify_all();
  const auto answer = read_answer(busy);
  CHECK(answer.status == 200);
  CHECK(answer.field("connection") == "close");
  drain.join();
  CHECK(world.proxy->counters().active_connections() == 0);
}

TEST_CASE("draining does not wait longer than it may") {
  Backend silent{[](Wire& wire, Backend&) { wire.rest(); }};
  World world;
  auto wire = Wire::dial(world.serve({silent.endpoint()}));
  wire.send(get("/"));
  REQUIRE(world.reaches(Counter::upstream_connects, 1));
  const auto began = now_instant();
  world.proxy->drain(Millis{50});
  CHECK(now_instant() - began >= Millis{50});
  CHECK(world.proxy->counters().active_connections() == 1);
}

TEST_CASE("accepting pauses at the maximum of connections and goes on below it") {
  ProxyOptions options{.workers = 1};
  options.limits.connections_max = 2;
  World world{options};
  auto a = Backend::named("a");
  const auto port = world.serve({a->endpoint()});
  auto first = Wire::dial(port);
  auto second = Wire::dial(port);
  CHECK(ask(first, get("/")).status == 200);
  CHECK(ask(second, get("/")).status == 200);
  auto third = Wire::dial(port); // Waits in the kernel.
  third.send(get("/"));
  CHECK(world.reaches(Counter::accept_paused, 1));
  CHECK(world.counted(Counter::downstream_connections) == 2);
  first.close();
  CHECK(read_answer(third).status == 200);
}

TEST_CASE("clients that do not finish their head, or stay idle, are let go") {
  ProxyOptions options{.workers = 1};
  options.timeouts.request_head = Millis{50};
  options.timeouts.downstream_idle = Millis{50};
  World world{options};
  auto a = Backend::named("a");
  const auto port = world.serve({a->endpoint()});
  auto slow = Wire::dial(port);
  slow.send("GET / HTTP/1.1\r\n");
  CHECK(read_answer(slow).status == 408);
  auto idle = Wire::dial(port);
  CHECK(ask(idle, get("/")).status == 200);
  CHECK(idle.ended());
  auto mute = Wire::dial(port);
  CHECK(mute.ended());
}

} // namespace strait::gateway::proxy::testing
