#include "gateway/proxy/proxy_fixture.test.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy::testing {

namespace {

/// Answers so many requests on each connection, then waits for the next one, of whose content it
/// reads up to 256 KiB, and resets.
std::unique_ptr<Backend> dies_after(int answers) {
  return std::make_unique<Backend>([answers](Wire& wire, Backend& self) {
    for (int i = 0; i < answers; ++i) {
      const auto head = wire.head();
      if (head.empty())
        return;
      wire.body(head);
      ++self.requests;
      wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
    const auto length = field_of(wire.head(), "content-length");
    wire.exactly(length.empty() ? 0 : std::min(std::stoul(length), 256UL << 10));
    wire.reset();
  });
}

} // namespace

TEST_CASE("weights are exact: each four consecutive requests go three to one") {
  auto a = Backend::named("a");
  auto b = Backend::named("b");
  World world;
  const auto port = world.serve({a->endpoint()});
  world.cluster("b", {b->endpoint()});
  world
      .route("web", "HTTPRoute default/all",
             {{}, {rule("/", {share("backend", 75), share("b", 25)})}})
      .apply();
  auto wire = Wire::dial(port);
  std::string order;
  for (int i = 0; i < 100; ++i)
    order += ask(wire, get("/")).body;
  for (std::size_t i = 0; i + 4 <= order.size(); ++i)
    CHECK(std::count(order.begin() + static_cast<long>(i), order.begin() + static_cast<long>(i) + 4,
                     'a') == 3);

  SECTION("and a change elsewhere does not disturb the order") {
    world.cluster("c", {}).apply();
    for (int i = 0; i < 7; ++i)
      order += ask(wire, get("/")).body;
    CHECK(order.substr(100) == order.substr(0, 7));
  }
}

TEST_CASE("a refused share is answered with its status, exactly its share") {
  auto a = Backend::named("a");
  World world;
  const auto port = world.serve({a->endpoint()});
  world
      .route("web", "HTTPRoute default/all",
             {{}, {rule("/", {share("backend", 3), refused(500, 1)})}})
      .apply();
  auto wire = Wire::dial(port);
  int refused_count = 0;
  for (int i = 0; i < 40; ++i)
    refused_count += ask(wire, get("/")).status == 500 ? 1 : 0;
  CHECK(refused_count == 10);
  CHECK(world.counted(Counter::backend_refused) == 10);
}

TEST_CASE("no backend, no weight and an unknown cluster are 500; no endpoint is 503") {
  World world;
  const auto port = world.serve({});
  auto wire = Wire::dial(port);
  const auto with = [&](std::vector<strait::gateway::Backend> backends) {
    world.route("web", "HTTPRoute default/all", {{}, {rule("/", std::move(backends))}}).apply();
    return ask(wire, get("/")).status;
  };
  CHECK(ask(wire, get("/")).status == 503);
  CHECK(with({}) == 500);
  CHECK(with({share("backend", 0)}) == 500);
  CHECK(with({share("unknown")}) == 500);
  CHECK(with({refused(503)}) == 503);
  CHECK(world.counted(Counter::no_endpoint) == 1);
}

TEST_CASE("a request on a kept connection that died is sent once more") {
  auto backend = dies_after(1);
  World world;
  auto wire = Wire::dial(world.serve({backend->endpoint()}));
  CHECK(ask(wire, get("/")).status == 200);
  CHECK(ask(wire, get("/")).status == 200);
  CHECK(backend->connections == 2);
  CHECK(world.counted(Counter::retries) == 1);
  CHECK(ask(wire, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc").status == 200);
  CHECK(world.counted(Counter::retries) == 2);

  SECTION("but not if sending it twice could do harm") {
    const auto answer = ask(wire, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    CHECK(answer.status == 502);
    CHECK(world.counted(Counter::retries) == 2);
    CHECK(ask(wire, get("/")).status == 200);
  }
  SECTION("nor if its content was more than is kept") {
    const std::string content(1 << 20, 'x');
    const auto answer =
        ask(wire, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n" + content);
    CHECK(answer.status == 502);
    CHECK(world.counted(Counter::retries) == 2);
  }
}

TEST_CASE("a kept connection that died does not use up the one try more that a request has") {
  std::atomic<int> number{0};
  Backend backend{[&](Wire& wire, Backend& self) {
    const int mine = ++number;
    for (int i = 0; !wire.head().empty(); ++i) {
      if ((mine == 1 && i == 1) || mine == 2)
        return wire.reset();
      ++self.requests;
      wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
  }};
  World world;
  auto wire = Wire::dial(world.serve({backend.endpoint()}));
  CHECK(ask(wire, get("/")).status == 200);
  CHECK(ask(wire, get("/")).status == 200);
  CHECK(backend.connections == 3);
  CHECK(world.counted(Counter::retries) == 2);
}

TEST_CASE("a request finds the endpoint that is left of several") {
  auto good = Backend::named("good");
  World world;
  const auto nobody = [] { return Endpoint{"127.0.0.1", free_port(), 1}; };
  const auto port = world.serve({nobody(), nobody(), nobody(), good->endpoint()});
  for (int i = 0; i < 20; ++i)
    CHECK(ask(port, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab").body == "good");
  CHECK(world.counted(Counter::panics) == 0);
}

TEST_CASE("a request is sent again only so often") {
  auto backend = dies_after(0);
  World world;
  auto wire = Wire::dial(world.serve({backend->endpoint()}));
  CHECK(ask(wire, get("/")).status == 502);
  CHECK(backend->connections == 3);
  CHECK(world.counted(Counter::retries) == 2);
}

TEST_CASE("an endpoint that refuses is passed over for another, then ejected, then tried again") {
  auto good = Backend::named("good");
  ProxyOptions options{.workers = 1};
  options.ejection.first = Millis{200};
  World world{options};
  const auto dead = free_port();
  const auto port = world.serve({good->endpoint(), {"127.0.0.1", dead, 1}});
  auto wire = Wire::dial(port);
  for (int i = 0; i < 20; ++i)
    CHECK(ask(wire, get("/")).status == 200);
  CHECK(world.counted(Counter::upstream_connect_failures) == 3);
  CHECK(world.counted(Counter::ejections) == 1);

  const auto until = now_instant() + Millis{10'000};
  while (world.counted(Counter::ejections) < 2 && now_instant() < until)
    CHECK(ask(wire, get("/")).status == 200);
  CHECK(world.counted(Counter::ejections) == 2);
  CHECK(world.counted(Counter::upstream_connect_failures) == 4);
}

TEST_CASE("when all endpoints are ejected, they are tried all the same") {
  World world;
  const auto port = world.serve({{"127.0.0.1", free_port(), 1}});
  auto wire = Wire::dial(port);
  for (int i = 0; i < 5; ++i)
    CHECK(ask(wire, get("/")).status == 502);
  CHECK(world.counted(Counter::ejections) == 1);
  CHECK(world.counted(Counter::panics) == 2);
}

TEST_CASE("an upstream that does not answer in time is 504, and one that talks nonsense 502") {
  ProxyOptions options{.workers = 1};
  options.timeouts.upstream_response = Millis{100};
  World world{options};
  Backend silent{[](Wire& wire, Backend&) { wire.rest(); }};
  const auto port = world.serve({silent.endpoint()});
  auto wire = Wire::dial(port);
  CHECK(ask(wire, get("/")).status == 504);
  CHECK(world.counted(Counter::upstream_response_timeouts) == 1);

  Backend mad{[](Wire& its, Backend&) {
    its.head();
    its.send("220 smtp.example.com\r\n\r\n");
    its.rest();
  }};
  world.cluster("backend", {mad.endpoint()}).apply();
  CHECK(ask(wire, get("/")).status == 502);

  Backend long_winded{[](Wire& its, Backend&) {
    its.head();
    its.send("HTTP/1.1 200 OK\r\nA: " + std::string(100'000, 'x') + "\r\n\r\n");
    its.rest();
  }};
  world.cluster("backend", {long_winded.endpoint()}).apply();
  CHECK(ask(wire, get("/")).status == 502);
}

TEST_CASE("requests wait for a connection when the endpoint has its maximum, up to a maximum") {
  ProxyOptions options{.workers = 1};
  options.limits.endpoint_connections_max = 1;
  options.limits.endpoint_pending_max = 2;
  World world{options};
  std::mutex mutex;
  std::condition_variable open;
  bool gate = false;
  Backend backend{[&](Wire& wire, Backend& self) {
    while (!wire.head().empty()) {
      ++self.requests;
      {
        std::unique_lock lock{mutex};
        open.wait(lock, [&] { return gate; });
      }
      wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
  }};
  const auto port = world.serve({backend.endpoint()});
  std::vector<Wire> wires;
  for (int i = 0; i < 4; ++i) {
    wires.push_back(Wire::dial(port));
    wires.back().send(get("/"));
    REQUIRE(world.reaches(Counter::requests, static_cast<std::uint64_t>(i) + 1));
  }
  CHECK(read_answer(wires[3]).status == 503);
  CHECK(world.counted(Counter::upstream_overflow) == 1);
  {
    std::lock_guard lock{mutex};
    gate = true;
  }
  open.notify_all();
  for (int i = 0; i < 3; ++i)
    CHECK(read_answer(wires[static_cast<std::size_t>(i)]).status == 200);
  CHECK(backend.connections == 1);
  CHECK(backend.requests == 3);
}

TEST_CASE("an endpoint that is named by its host is resolved, once for all its connections") {
  auto backend = Backend::named("one");
  World world;
  const auto port = world.serve({{"localhost", backend->port(), 1}});
  auto wire = Wire::dial(port);
  CHECK(ask(wire, get("/")).body == "one");
  CHECK(ask(wire, get("/")).body == "one");
  CHECK(backend->connections == 1);
}

TEST_CASE("idle connections to an endpoint are kept up to a maximum, and not for ever") {
  ProxyOptions options{.workers = 1};
  options.limits.endpoint_idle_max = 1;
  options.timeouts.upstream_idle = Millis{50};
  World world{options};
  auto backend = Backend::named("one");
  const auto port = world.serve({backend->endpoint()});
  std::vector<Wire> wires;
  for (int i = 0; i < 3; ++i) {
    wires.push_back(Wire::dial(port));
    REQUIRE(wires.back().send(get("/")));
  }
  for (auto& wire : wires)
    CHECK(read_answer(wire).status == 200);
  CHECK(world.reaches(Counter::upstream_closed, world.counted(Counter::upstream_connects)));
  CHECK(ask(wires[0], get("/")).status == 200);
}

TEST_CASE("a backend's early answer reaches the client that is still sending") {
  Backend backend{[](Wire& wire, Backend&) {
    if (wire.head().empty())
      return;
    wire.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    wire.rest();
  }};
  World world;
  auto wire = Wire::dial(world.serve({backend.endpoint()}));
  REQUIRE(wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nbegin"));
  const auto answer = read_answer(wire);
  CHECK(answer.status == 403);
  CHECK(answer.body == "no");
  CHECK(wire.ended());
}

} // namespace strait::gateway::proxy::testing
