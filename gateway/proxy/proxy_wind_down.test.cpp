#include "gateway/proxy/http2_fixture.test.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy::testing {

namespace {

/// Holds every request for "/held" until it is opened; answers all with "ok".
class Gate {
public:
  Gate()
      : backend{[this](Wire& wire, Backend& self) {
          for (;;) {
            const auto head = wire.head();
            if (head.empty())
              return;
            ++self.requests;
            while (head.find("/held") != std::string::npos && !open)
              std::this_thread::yield();
            if (!wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
              return;
          }
        }} {}
  ~Gate() { open = true; }
  void wait_for(int requests) {
    while (backend.requests < requests)
      std::this_thread::yield();
  }
  std::atomic<bool> open{false};
  Backend backend;
};

/// Winding down is told to the workers, not done at once: until new connections show it.
void wait_until_winding_down(std::uint16_t port) {
  const auto until = now_instant() + Millis{10'000};
  while (ask(port, get("/")).field("connection") != "close")
    REQUIRE(now_instant() < until);
}

/// Reads frames up to the next GOAWAY: the last stream that it names.
std::uint32_t goaway(Wire& wire) {
  const auto number = [](const std::string& bytes, std::size_t from, std::size_t count) {
    std::uint32_t value = 0;
    for (std::size_t i = from; i < from + count; ++i)
      value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
  };
  for (;;) {
    const auto head = wire.exactly(9);
    REQUIRE(head.size() == 9);
    const auto payload = wire.exactly(number(head, 0, 3));
    constexpr char goaway_type = 7;
    if (head[3] == goaway_type)
      return number(payload, 0, 4);
  }
}

} // namespace

TEST_CASE("winding down, every connection ends with its next answer, which says so") {
  Gate gate;
  World world;
  const auto port = world.serve({gate.backend.endpoint()});
  auto idle = Wire::dial(port);
  CHECK(ask(idle, get("/")).field("connection").empty());
  auto busy = Wire::dial(port);
  REQUIRE(busy.send(get("/held")));
  gate.wait_for(2);
  auto half = Wire::dial(port);
  REQUIRE(half.send("GET /ha"));
  world.proxy->wind_down();
  wait_until_winding_down(port);

  // What is under way, half sent, idle, or new: answered, told, and ended in order.
  gate.open = true;
  const auto last = read_answer(busy);
  CHECK(last.status == 200);
  CHECK(last.field("connection") == "close");
  CHECK(busy.ended());
  REQUIRE(half.send("lf HTTP/1.1\r\nHost: a\r\n\r\n"));
  CHECK(read_answer(half).field("connection") == "close");
  CHECK(half.ended());
  auto fresh = Wire::dial(port);
  const auto first = ask(fresh, get("/"));
  CHECK(first.status == 200);
  CHECK(first.field("connection") == "close");
  CHECK(fresh.ended());
  const auto next = ask(idle, get("/"));
  CHECK(next.status == 200);
  CHECK(next.field("connection") == "close");
  CHECK(idle.ended());
}

TEST_CASE("answers of the proxy's own say that the connection ends, too") {
  World world;
  const auto port = world.serve({});
  world.proxy->wind_down();
  wait_until_winding_down(port);
  auto wire = Wire::dial(port);
  const auto answer = ask(wire, get("/"));
  CHECK(answer.status == 503);
  CHECK(answer.field("connection") == "close");
  CHECK(wire.ended());
}

TEST_CASE("an answer is not lost to requests that were sent behind it") {
  Gate gate;
  World world;
  const auto port = world.serve({gate.backend.endpoint()});
  world.proxy->wind_down();
  wait_until_winding_down(port);
  auto wire = Wire::dial(port);
  REQUIRE(wire.send(get("/held")));
  gate.wait_for(gate.backend.requests + 1);
  std::string pipelined;
  for (int i = 0; i < 100; ++i)
    pipelined += get("/late");
  REQUIRE(wire.send(pipelined));
  gate.open = true;
  const auto answer = read_answer(wire);
  CHECK(answer.body == "ok");
  wire.send(pipelined); // Read and thrown away: no reset meets the answer on its way.
  CHECK(wire.ended());
}

TEST_CASE("ports that are opened while winding down say it as well") {
  Gate gate;
  World world;
  const auto port = world.serve({gate.backend.endpoint()});
  world.proxy->wind_down();
  wait_until_winding_down(port);
  const auto second = free_port();
  world.listener({.name = "second", .address = "127.0.0.1", .port = second});
  world.all_to("second", "backend").apply();
  const auto answer = ask(second, get("/"));
  CHECK(answer.status == 200);
  CHECK(answer.field("connection") == "close");
}

TEST_CASE("winding down and draining under load fail no request") {
  auto a = Backend::named("a");
  World world{{.workers = 2}};
  const auto port = world.serve({a->endpoint()});
  Load load{port, 4};
  load.at_least(50);
  CHECK(load.told_to_close == 0);
  world.proxy->wind_down();
  load.at_least(100);
  load.stop(); // As if they had gone elsewhere.
  CHECK(load.bad == 0);
  CHECK(load.told_to_close > 50);
  world.proxy->drain(Millis{10'000});
  CHECK(world.proxy->counters().active_connections() == 0);
  CHECK_FALSE(Wire::dial(port).ok());
}

TEST_CASE("draining after winding down ends idle connections in order") {
  Gate gate;
  World world;
  const auto port = world.serve({gate.backend.endpoint()});
  auto idle = Wire::dial(port);
  CHECK(ask(idle, get("/")).status == 200);
  auto mute = Wire::dial(port);
  world.proxy->wind_down();
  wait_until_winding_down(port);
  std::thread drain{[&] { world.proxy->drain(Millis{10'000}); }};
  CHECK(idle.ended());
  CHECK(mute.ended());
  // A request that crosses the end meets an end, not a reset.
  CHECK(idle.send(get("/")));
  CHECK(idle.ended());
  idle.close();
  mute.close();
  drain.join();
  CHECK(world.proxy->counters().active_connections() == 0);
}

TEST_CASE("winding down, a client of HTTP/2 is told, and its requests are answered") {
  Gate gate;
  World world;
  const auto port = world.serve({gate.backend.endpoint()});
  auto client = dial_http2(port);
  const auto held = client.ask("GET", "/held");
  client.flush();
  gate.wait_for(1);
  world.proxy->wind_down();
  REQUIRE(client.until([&] { return client.side.goaway; }));
  gate.open = true;
  CHECK(client.finish(held).body == "ok");
  CHECK_FALSE(client.until([] { return false; })); // Ended in order.
}

TEST_CASE("winding down, an HTTP/2 connection is served before it is told") {
  Gate gate;
  ProxyOptions options{.workers = 1};
  options.timeouts.http2_notice = Millis{20};
  World world{options};
  const auto port = world.serve({gate.backend.endpoint()});
  auto early = dial_http2(port);
  REQUIRE(early.flush());
  world.proxy->wind_down();
  wait_until_winding_down(port);
  auto late = dial_http2(port);
  for (auto* client : {&early, &late}) {
    CHECK(client->finish(client->ask("GET", "/")).body == "ok");
    CHECK(client->until([&] { return client->side.goaway; }));
    CHECK_FALSE(client->until([] { return false; }));
  }
}

TEST_CASE("the first notice of HTTP/2 turns nobody away, the second one names the last stream") {
  Gate gate;
  ProxyOptions options{.workers = 1};
  options.timeouts.http2_notice = Millis{200};
  World world{options};
  auto client = dial_http2(world.serve({gate.backend.endpoint()}));
  CHECK(client.finish(client.ask("GET", "/")).body == "ok");
  const auto held = client.ask("GET", "/held");
  client.flush();
  gate.wait_for(2);
  world.proxy->wind_down();
  constexpr std::uint32_t every_stream = 0x7fffffff; // RFC 9113 §6.8
  CHECK(goaway(client.wire) == every_stream);
  CHECK(goaway(client.wire) == static_cast<std::uint32_t>(held));
  gate.open = true;
  CHECK(client.finish(held).body == "ok");
}

} // namespace strait::gateway::proxy::testing
