#include "base/sanitized.hpp"
#include "gateway/proxy/proxy_fixture.test.hpp"
#include "gateway/proxy/routing.hpp"
#include "net/dns.hpp"
#include "net/udp.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <cstdlib>
#include <new>
#include <poll.h>

#ifndef STRAIT_SANITIZED
namespace {
std::atomic<std::uint64_t> allocations{0};
thread_local bool of_the_test = false; // Threads of the test itself are not counted.
} // namespace

// NOLINTBEGIN: the replaceable allocation functions of this program.
// Not inlined: GCC 12 would take the pair of malloc and delete for a mistake.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (!of_the_test)
    allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(bytes))
    return memory;
  throw std::bad_alloc{};
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
// NOLINTEND
#endif

namespace strait::gateway::proxy::testing {

#ifndef STRAIT_SANITIZED
TEST_CASE("a request allocates nothing once its connections are warm") {
  of_the_test = true;
  Backend backend{[](Wire& wire, Backend&) {
    of_the_test = true;
    for (;;) {
      const auto head = wire.head();
      if (head.empty())
        return;
      wire.body(head);
      wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
  }};
  World world;
  auto wire = Wire::dial(world.serve({backend.endpoint()}));
  const std::string post{"POST /a/b?c=d HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\n"
                         "Content-Length: 3\r\n\r\nabc"};
  for (int i = 0; i < 50; ++i) {
    REQUIRE(ask(wire, get("/")).status == 200);
    REQUIRE(ask(wire, post).status == 200);
  }
  const auto before = allocations.load();
  REQUIRE(before > 0); // The counting works.
  for (int i = 0; i < 500; ++i) {
    REQUIRE(ask(wire, get("/")).status == 200);
    REQUIRE(ask(wire, post).status == 200);
  }
  CHECK(allocations.load() - before == 0);
  of_the_test = false;
}

TEST_CASE("a datagram of a session allocates nothing in either direction") {
  of_the_test = true;
  auto server = std::move(*net::bind_udp(net::Address::loopback(0)));
  World world;
  Listener listener{.name = "udp", .address = "127.0.0.1", .port = free_port()};
  listener.protocol = Protocol::udp;
  world.cluster("u", {{"127.0.0.1", net::local_address(server)->port(), 1}});
  UdpRoute route;
  route.backends = {share("u")};
  world.config.routes = world.config.routes.with(
      binding_key("udp", "r"),
      std::make_shared<const BoundRoute>(BoundRoute{"r", WallTime{}, std::move(route)}));
  world.listener(listener).apply();
  auto client = std::move(*net::connect_udp(net::Address::loopback(listener.port)));
  const auto there_and_back = [&] {
    std::array<char, 2000> space;
    net::Datagram got;
    pollfd waits[] = {{server.get(), POLLIN, 0}, {client.get(), POLLIN, 0}};
    REQUIRE(net::send_datagram(client, {space.data(), 1'000}) == net::Udp::moved);
    REQUIRE(::poll(&waits[0], 1, 10'000) == 1);
    REQUIRE(net::receive_datagram(server, space, got) == net::Udp::moved);
    REQUIRE(net::send_datagram(server, {space.data(), 1'500}, got.from, got.to) == net::Udp::moved);
    REQUIRE(::poll(&waits[1], 1, 10'000) == 1);
    REQUIRE(net::receive_datagram(client, space, got) == net::Udp::moved);
  };
  there_and_back();
  const auto before = allocations.load();
  for (int i = 0; i < 500; ++i)
    there_and_back();
  CHECK(allocations.load() - before == 0);
  CHECK(world.counted(Counter::udp_sessions) == 1);
  of_the_test = false;
}
#endif

TEST_CASE("a fast stream and a long pipeline leave room for other connections") {
  ProxyOptions options{.workers = 1};
  options.limits.reads_per_turn_max = 1;
  options.limits.requests_per_turn_max = 2;
  World world{options};
  Backend backend{[](Wire& wire, Backend&) {
    while (!wire.head().empty())
      wire.send("HTTP/1.1 200 OK\r\nContent-Length: 4194304\r\n\r\n" + std::string(4 << 20, 'x'));
  }};
  const auto port = world.serve({backend.endpoint()});
  auto wire = Wire::dial(port);
  CHECK(ask(wire, get("/")).body.size() == 4 << 20);
  world.route("web", "HTTPRoute default/all", {{"nobody.org"}, {rule("/", {share("backend")})}})
      .apply();
  std::string requests;
  for (int i = 0; i < 500; ++i)
    requests += get("/");
  REQUIRE(wire.send(requests));
  for (int i = 0; i < 500; ++i)
    REQUIRE(read_answer(wire).status == 404);
}

TEST_CASE("what a client sends after an early answer is thrown away, up to a maximum") {
  ProxyOptions options{.workers = 1};
  options.limits.linger_bytes_max = 100'000;
  options.timeouts.linger = Millis{10'000};
  World world{options};
  const auto port = world.serve({});
  auto wire = Wire::dial(port);
  REQUIRE(wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n"));
  CHECK(read_answer(wire).status == 503);
  const std::string piece(10'000, 'x');
  std::size_t sent = 0;
  while (sent < 100'000'000 && wire.send(piece))
    sent += piece.size();
  CHECK(sent < 100'000'000);
  CHECK(world.reaches(Counter::downstream_closed, 1));
}

TEST_CASE("weights of rules are remembered up to a maximum, the unused ones go first") {
  ProxyOptions options;
  options.limits.rule_states_max = 4;
  auto loop = std::move(*net::EventLoop::create());
  net::BufferPool buffers;
  Retirement retirement{*loop};
  WorkerCounters counters{8};
  std::unique_ptr<net::Resolver> resolver;
  UpstreamEnvironment environment{*loop, buffers, retirement, counters, options, resolver};
  Routing routing{environment};
  const auto served = std::make_shared<const Served>(Served{std::make_shared<const Snapshot>()});
  routing.serve(served);
  const std::vector<strait::gateway::Backend> backends{refused(500), refused(503)};
  for (std::uint64_t id = 0; id < 4; ++id)
    CHECK(routing.choose(id, backends, *served).refusal == 500);
  CHECK(routing.choose(0, backends, *served).refusal == 503);
  CHECK(routing.choose(4, backends, *served).refusal == 500); // All were used: all start anew.
  CHECK(routing.rules() == 1);
  for (std::uint64_t id = 5; id < 100; ++id) {
    routing.choose(4, backends, *served);
    routing.choose(id, backends, *served);
    CHECK(routing.rules() <= 4);
  }
}

TEST_CASE("clusters that no snapshot names are forgotten, and a change costs one look-up") {
  ProxyOptions options;
  auto loop = std::move(*net::EventLoop::create());
  net::BufferPool buffers;
  Retirement retirement{*loop};
  WorkerCounters counters{8};
  std::unique_ptr<net::Resolver> resolver;
  UpstreamEnvironment environment{*loop, buffers, retirement, counters, options, resolver};
  Routing routing{environment};
  auto snapshot = std::make_shared<Snapshot>();
  for (const auto* id : {"a", "b"})
    snapshot->config.clusters = snapshot->config.clusters.with(
        id, std::make_shared<const Cluster>(Cluster{id, {{"127.0.0.1", 1, 1}}, {}}));
  const auto first = std::make_shared<const Served>(Served{snapshot});
  routing.serve(first);
  auto* a = routing.cluster("a", *first);
  REQUIRE(a);
  CHECK(a->endpoints() == 1);
  CHECK(routing.cluster("b", *first) != a);
  CHECK(routing.cluster("c", *first) == nullptr);

  auto next = std::make_shared<Snapshot>(*snapshot);
  next->config.clusters = next->config.clusters.without("b");
  const auto second = std::make_shared<const Served>(Served{next});
  routing.serve(second);
  CHECK(routing.cluster("a", *second) == a);
  routing.sweep();
  CHECK(routing.clusters() == 1);
  // A request that began before finds it under its own snapshot all the same.
  CHECK(routing.cluster("b", *first) != nullptr);
}

} // namespace strait::gateway::proxy::testing
