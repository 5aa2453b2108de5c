#include "gateway/proxy/proxy_fixture.test.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy::testing {

namespace {

/// Sends back what it gets; at its end, what it was told to say.
std::unique_ptr<Backend> echo(std::string farewell) {
  return std::make_unique<Backend>([farewell](Wire& wire, Backend&) {
    for (;;) {
      const auto bytes = wire.some();
      if (bytes.empty())
        break;
      wire.send(bytes);
    }
    wire.send(farewell);
  });
}

} // namespace

TEST_CASE("a TCP listener carries bytes both ways, and each end's half-close") {
  auto backend = echo("bye");
  World world;
  const auto port = free_port();
  world.listener({.name = "tcp", .address = "127.0.0.1", .port = port, .protocol = Protocol::tcp});
  world.cluster("echo", {backend->endpoint()});
  world.tcp_route("tcp", "TCPRoute default/a", {{share("echo")}}).apply();
  auto wire = Wire::dial(port);
  REQUIRE(wire.send("hello"));
  CHECK(wire.exactly(5) == "hello");
  wire.end_sending();
  CHECK(wire.rest() == "bye");
  CHECK(world.reaches(Counter::downstream_closed, 1));
  CHECK(world.counted(Counter::downstream_bytes_in) == 5);
  CHECK(world.counted(Counter::downstream_bytes_out) == 8);

  SECTION("a change of the route does not touch the connections that are open") {
    auto open = Wire::dial(port);
    REQUIRE(open.send("a"));
    CHECK(open.exactly(1) == "a");
    world.cluster("echo", {}).apply();
    REQUIRE(open.send("b"));
    CHECK(open.exactly(1) == "b");
    CHECK(Wire::dial(port).rest().empty()); // No endpoint: closed.
    CHECK(world.counted(Counter::tcp_refused) == 1);
  }
}

TEST_CASE("TCP connections are spread by weight, and a refused share is closed") {
  auto a = echo("a");
  auto b = echo("b");
  World world;
  const auto port = free_port();
  world.listener({.name = "tcp", .address = "127.0.0.1", .port = port, .protocol = Protocol::tcp});
  world.cluster("a", {a->endpoint()}).cluster("b", {b->endpoint()});
  world.tcp_route("tcp", "TCPRoute default/a", {{share("a", 2), share("b", 1), refused(500, 1)}})
      .apply();
  std::string all;
  for (int i = 0; i < 12; ++i) {
    auto wire = Wire::dial(port);
    wire.end_sending();
    all += wire.rest();
  }
  CHECK(std::count(all.begin(), all.end(), 'a') == 6);
  CHECK(std::count(all.begin(), all.end(), 'b') == 3);
  CHECK(world.counted(Counter::tcp_refused) == 3);
}

TEST_CASE("a TCP listener without a route closes what it accepts") {
  World world;
  const auto port = free_port();
  world.listener({.name = "tcp", .address = "127.0.0.1", .port = port, .protocol = Protocol::tcp});
  world.apply();
  CHECK(Wire::dial(port).rest().empty());
}

TEST_CASE("a TCP connection goes to the next endpoint when the first refuses") {
  auto backend = echo("bye");
  World world;
  const auto port = free_port();
  world.listener({.name = "tcp", .address = "127.0.0.1", .port = port, .protocol = Protocol::tcp});
  world.cluster("echo", {backend->endpoint(), {"127.0.0.1", free_port(), 1}});
  world.tcp_route("tcp", "TCPRoute default/a", {{share("echo")}}).apply();
  for (int i = 0; i < 4; ++i) {
    auto wire = Wire::dial(port);
    wire.end_sending();
    CHECK(wire.rest() == "bye");
  }
}

TEST_CASE("large streams go both ways at once") {
  auto backend = echo("");
  World world;
  const auto port = free_port();
  world.listener({.name = "tcp", .address = "127.0.0.1", .port = port, .protocol = Protocol::tcp});
  world.cluster("echo", {backend->endpoint()});
  world.tcp_route("tcp", "TCPRoute default/a", {{share("echo")}}).apply();
  auto wire = Wire::dial(port);
  const std::string text(1 << 20, 'x');
  std::thread sender{[&] {
    wire.send(text);
    wire.end_sending();
  }};
  CHECK(wire.rest() == text);
  sender.join();
}

TEST_CASE("a tunnel in which nothing moves is closed") {
  auto backend = echo("");
  ProxyOptions options{.workers = 1};
  options.timeouts.stream_idle = Millis{50};
  World world{options};
  const auto port = free_port();
  world.listener({.name = "tcp", .address = "127.0.0.1", .port = port, .protocol = Protocol::tcp});
  world.cluster("echo", {backend->endpoint()});
  world.tcp_route("tcp", "TCPRoute default/a", {{share("echo")}}).apply();
  CHECK(Wire::dial(port).rest().empty());
  CHECK(world.counted(Counter::tcp_refused) == 0);
}

} // namespace strait::gateway::proxy::testing
