#include "gateway/proxy/proxy_fixture.test.hpp"
#include "net/udp.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <poll.h>

namespace strait::gateway::proxy::testing {

namespace {

bool readable(const net::Fd& fd, int within_ms = 10'000) {
  pollfd wait{fd.get(), POLLIN, 0};
  return ::poll(&wait, 1, within_ms) == 1;
}

/// A client on a port of its own.
class UdpWire {
public:
  explicit UdpWire(std::uint16_t port, const std::string& ip = "127.0.0.1")
      : fd_{std::move(*net::connect_udp(*net::Address::from_ip(ip, port)))} {}
  void send(std::string_view bytes) { REQUIRE(net::send_datagram(fd_, bytes) == net::Udp::moved); }
  /// "<none>" if nothing comes in time.
  std::string next(int within_ms = 10'000) {
    std::vector<char> space(65'536);
    std::size_t bytes = 0;
    bool truncated = false;
    if (!readable(fd_, within_ms) ||
        net::receive_datagram(fd_, space, bytes, truncated) != net::Udp::moved)
      return "<none>";
    return {space.data(), bytes};
  }
  std::string ask(std::string_view bytes) {
    send(bytes);
    return next();
  }

private:
  net::Fd fd_;
};

/// Answers each datagram with its name in front, until it dies; remembers how many ports it was
/// spoken to from.
class UdpEcho {
public:
  explicit UdpEcho(std::string name)
      : fd_{std::move(*net::bind_udp(net::Address::loopback(0)))},
        port_{net::local_address(fd_)->port()}, name_{std::move(name)} {
    thread_ = std::thread{[this] { run(); }};
  }
  ~UdpEcho() {
    stopping_ = true;
    auto waker = net::connect_udp(net::Address::loopback(port_));
    [[maybe_unused]] const auto sent = net::send_datagram(*waker, "stop");
    thread_.join();
  }
  Endpoint endpoint() const { return {"127.0.0.1", port_, 1}; }
  std::size_t peers() const {
    std::lock_guard lock{mutex_};
    return seen_.size();
  }

private:
  void run() {
    std::vector<char> space(65'536);
    while (!stopping_) {
      net::Datagram got;
      readable(fd_);
      if (net::receive_datagram(fd_, space, got) != net::Udp::moved)
        continue;
      {
        std::lock_guard lock{mutex_};
        ++seen_[got.from.port()];
      }
      const auto answer = name_ + std::string{space.data(), got.bytes};
      [[maybe_unused]] const auto sent = net::send_datagram(fd_, answer, got.from, got.to);
    }
  }
  net::Fd fd_;
  std::uint16_t port_;
  std::string name_;
  mutable std::mutex mutex_;
  std::map<std::uint16_t, int> seen_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

void udp_route(World& world, std::vector<strait::gateway::Backend> backends,
               const std::string& id = "UDPRoute default/a") {
  UdpRoute route;
  route.backends = std::move(backends);
  world.config.routes = world.config.routes.with(
      binding_key("udp", id),
      std::make_shared<const BoundRoute>(BoundRoute{id, WallTime{}, std::move(route)}));
}

/// A UDP socket on a port of 127.0.0.1 whose number is free for TCP too.
net::Fd bound_to_free_port() {
  for (;;)
    if (auto fd = net::bind_udp(net::Address::loopback(free_port())))
      return std::move(*fd);
}

/// A UDP listener; returns its port.
std::uint16_t udp_listener(World& world, std::string address = "127.0.0.1") {
  const auto port = net::local_address(bound_to_free_port())->port();
  Listener listener{.name = "udp", .address = std::move(address), .port = port};
  listener.protocol = Protocol::udp;
  world.listener(listener);
  return port;
}

} // namespace

TEST_CASE("datagrams of one client go to one endpoint, and its answers come back") {
  UdpEcho a{"a"}, b{"b"};
  World world;
  const auto port = udp_listener(world);
  world.cluster("echo", {a.endpoint(), b.endpoint()});
  udp_route(world, {share("echo")});
  world.apply();
  UdpWire first{port}, second{port};
  const auto one = first.ask("1"), two = second.ask("1");
  CHECK(one.substr(1) == "1");
  CHECK(one != two); // The endpoints take turns, by session.
  for (int i = 0; i < 10; ++i) {
    CHECK(first.ask("x") == one.substr(0, 1) + "x");
    CHECK(second.ask("") == two.substr(0, 1)); // An empty datagram is one too.
  }
  CHECK(a.peers() == 1);
  CHECK(b.peers() == 1);
  CHECK(world.counted(Counter::udp_sessions) == 2);
  CHECK(world.counted(Counter::udp_datagrams_in) == 22);
  CHECK(world.reaches(Counter::udp_datagrams_out, 22));
  CHECK(world.counted(Counter::udp_dropped) == 0);
  const std::string large(60'000, 'x');
  CHECK(first.ask(large).size() == large.size() + 1);
}

TEST_CASE("UDP sessions are spread by weight, exactly, and a refused share is swallowed") {
  UdpEcho a{"a"}, b{"b"}, never{"n"};
  World world;
  const auto port = udp_listener(world);
  world.cluster("a", {a.endpoint()}).cluster("b", {b.endpoint()}).cluster("n", {never.endpoint()});
  udp_route(world, {share("a", 7), share("b", 3), share("n", 0)});
  world.apply();
  std::map<std::string, int> answers;
  std::vector<UdpWire> clients;
  for (int i = 0; i < 40; ++i)
    ++answers[clients.emplace_back(port).ask("")];
  CHECK(answers["a"] == 28);
  CHECK(answers["b"] == 12);
  CHECK(never.peers() == 0);

  SECTION("a refused session stays one") {
    udp_route(world, {share("a", 1), refused(500, 1)}, "UDPRoute default/b");
    world.config.routes = world.config.routes.without(binding_key("udp", "UDPRoute default/a"));
    world.apply();
    int answered = 0;
    std::vector<UdpWire> more;
    for (int i = 0; i < 10; ++i)
      more.emplace_back(port).send("1");
    REQUIRE(world.reaches(Counter::udp_sessions, 50));
    for (auto& client : more)
      client.send("2");
    REQUIRE(world.reaches(Counter::udp_dropped, 10));
    for (auto& client : more)
      if (const auto answer = client.next(200); answer != "<none>") {
        ++answered;
        CHECK(answer == "a1");
        CHECK(client.next() == "a2");
      }
    CHECK(answered == 5);
    CHECK(world.counted(Counter::udp_sessions) == 50);
    CHECK(world.counted(Counter::udp_dropped) == 10);
  }
}

TEST_CASE("datagrams without a route, a backend or an endpoint are dropped until there is one") {
  UdpEcho a{"a"};
  World world;
  const auto port = udp_listener(world);
  world.apply();
  UdpWire client{port};
  client.send("1");
  CHECK(world.reaches(Counter::udp_dropped, 1));
  udp_route(world, {share("a")});
  world.cluster("a", {}).apply();
  client.send("2");
  CHECK(world.reaches(Counter::udp_dropped, 2));
  CHECK(world.counted(Counter::no_endpoint) == 1);
  udp_route(world, {share("a", 0)});
  world.cluster("a", {a.endpoint()}).apply();
  client.send("3");
  CHECK(world.reaches(Counter::udp_dropped, 3));
  CHECK(world.counted(Counter::udp_sessions) == 0);
  udp_route(world, {share("a")});
  world.apply();
  CHECK(client.ask("4") == "a4");

  SECTION("a cluster that must not be reached is refused, its sessions end") {
    Cluster broken{.id = "a", .endpoints = {a.endpoint()}};
    broken.refused = true;
    world.config.clusters =
        world.config.clusters.with("a", std::make_shared<const Cluster>(broken));
    world.apply();
    CHECK(world.counted(Counter::udp_sessions_ended) == 1);
    client.send("5");
    CHECK(world.reaches(Counter::udp_dropped, 4));
  }
}

TEST_CASE("past the maximum of sessions, the one that was silent for longest ends") {
  UdpEcho a{"a"};
  ProxyOptions options{.workers = 1};
  options.limits.udp_sessions_max = 3;
  World world{options};
  const auto port = udp_listener(world);
  world.cluster("a", {a.endpoint()});
  udp_route(world, {share("a")});
  world.apply();
  UdpWire one{port}, two{port}, three{port}, four{port};
  for (auto* client : {&one, &two, &three, &one})
    CHECK(client->ask("") == "a");
  CHECK(world.counted(Counter::udp_sessions_evicted) == 0);
  CHECK(four.ask("") == "a"); // Instead of the second.
  CHECK(world.counted(Counter::udp_sessions_evicted) == 1);
  for (auto* client : {&one, &three, &four})
    CHECK(client->ask("") == "a");
  CHECK(world.counted(Counter::udp_sessions) == 4);
  CHECK(two.ask("") == "a"); // A new session, instead of the first.
  CHECK(world.counted(Counter::udp_sessions) == 5);
  CHECK(world.counted(Counter::udp_sessions_evicted) == 2);
}

TEST_CASE("a datagram past the maximum is dropped in either direction") {
  UdpEcho a{"a"};
  ProxyOptions options{.workers = 1};
  options.limits.udp_datagram_bytes_max = 100;
  World world{options};
  const auto port = udp_listener(world);
  world.cluster("a", {a.endpoint()});
  udp_route(world, {share("a")});
  world.apply();
  UdpWire client{port};
  CHECK(client.ask(std::string(99, 'x')).size() == 100);
  client.send(std::string(101, 'x'));
  CHECK(world.reaches(Counter::udp_too_large, 1));
  client.send(std::string(100, 'x')); // Its answer is a byte longer.
  CHECK(world.reaches(Counter::udp_too_large, 2));
  CHECK(client.ask("y") == "ay");
}

TEST_CASE("a session ends when nothing moves, and is told in the access log") {
  std::mutex mutex;
  std::string log;
  {
    UdpEcho a{"a"};
    ProxyOptions options{.workers = 1};
    options.timeouts.udp_idle = Millis{50};
    options.access_log.format = AccessLogFormat::json;
    options.access_log.sink = [&](std::string_view lines) {
      std::lock_guard lock{mutex};
      log += lines;
    };
    World world{options};
    const auto port = udp_listener(world);
    world.cluster("a", {a.endpoint()});
    udp_route(world, {share("a")});
    world.apply();
    UdpWire client{port};
    CHECK(client.ask("hello") == "ahello");
    CHECK(world.reaches(Counter::udp_sessions_ended, 1));
    CHECK(world.counted(Counter::downstream_bytes_in) == 5);
    CHECK(world.counted(Counter::downstream_bytes_out) == 6);
    CHECK(client.ask("") == "a");
    CHECK(world.counted(Counter::udp_sessions) == 2);
    CHECK(a.peers() == 2);
  }
  CHECK(std::count(log.begin(), log.end(), '\n') == 2);
  CHECK(
      log.find(R"("status":200,"bytes_in":5,"bytes_out":6,"client":"127.0.0.1","method":"UDP")") !=
      std::string::npos);
  CHECK(log.find(R"("listener":"udp","route":"UDPRoute default/a","cluster":"a")") !=
        std::string::npos);
}

TEST_CASE("a change lets UDP sessions be, unless their backend or endpoint is gone") {
  UdpEcho a{"a"}, b{"b"};
  World world;
  const auto port = udp_listener(world);
  world.cluster("a", {a.endpoint()}).cluster("b", {b.endpoint()});
  udp_route(world, {share("a", 1), share("b", 1)});
  world.apply();
  UdpWire one{port}, two{port};
  CHECK(one.ask("") == "a");
  CHECK(two.ask("") == "b");
  // Weights, other endpoints and other objects leave them alone.
  udp_route(world, {share("a", 1), share("b", 0)});
  world.cluster("a", {a.endpoint(), {"127.0.0.1", free_port(), 1}}).apply();
  world.cluster("a", {a.endpoint()}).cluster("other", {}).apply();
  CHECK(two.ask("") == "b");
  CHECK(one.ask("") == "a");
  CHECK(world.counted(Counter::udp_sessions_ended) == 0);

  SECTION("the endpoint goes") {
    world.cluster("b", {a.endpoint()}).apply();
    CHECK(world.counted(Counter::udp_sessions_ended) == 1);
    CHECK(two.ask("") == "a");
  }
  SECTION("the backend goes from the route") {
    udp_route(world, {share("a", 1)});
    world.apply();
    CHECK(world.counted(Counter::udp_sessions_ended) == 1);
    CHECK(two.ask("") == "a");
  }
  SECTION("the cluster goes") {
    world.config.clusters = world.config.clusters.without("b");
    world.apply();
    CHECK(world.counted(Counter::udp_sessions_ended) == 1);
  }
  SECTION("the listener goes, and comes back") {
    const auto listener = *world.config.listeners.find("udp");
    world.no_listener("udp");
    world.config.routes = world.config.routes.without(binding_key("udp", "UDPRoute default/a"));
    world.apply();
    CHECK(world.counted(Counter::udp_sessions_ended) == 2);
    world.listener(*listener);
    udp_route(world, {share("a", 1)});
    world.apply();
    CHECK(two.ask("") == "a");
  }
  CHECK(one.ask("") == "a");
}

TEST_CASE("an endpoint that nobody listens at loses its sessions to another one") {
  UdpEcho a{"a"};
  World world;
  const auto port = udp_listener(world);
  // An address of its own: tests that run beside this one bind ports of 127.0.0.1.
  world.cluster("a", {a.endpoint(), {"127.0.0.9", free_port(), 1}});
  udp_route(world, {share("a")});
  world.apply();
  for (int i = 0; i < 8; ++i) {
    UdpWire client{port};
    client.send("1");
    auto answer = client.next(100);
    for (int again = 0; answer == "<none>" && again < 10; ++again) {
      client.send("2");
      answer = client.next(100);
    }
    CHECK(answer.starts_with("a"));
  }
  CHECK(world.counted(Counter::upstream_failures) > 0);
  CHECK(world.counted(Counter::ejections) == 1);
}

TEST_CASE("a TCP and a UDP listener share a number") {
  UdpEcho a{"a"};
  auto http = Backend::named("http");
  World world;
  const auto port = udp_listener(world);
  world.listener({.name = "web", .address = "127.0.0.1", .port = port});
  world.cluster("a", {a.endpoint()}).cluster("http", {http->endpoint()});
  udp_route(world, {share("a")});
  world.all_to("web", "http").apply();
  UdpWire client{port};
  CHECK(client.ask("") == "a");
  CHECK(ask(port, get("/")).body == "http");
  world.no_listener("web");
  world.config.routes = world.config.routes.without(binding_key("web", "HTTPRoute default/all"));
  world.apply();
  CHECK(client.ask("") == "a");
  CHECK_FALSE(Wire::dial(port).ok());
  CHECK(world.proxy->listener_errors().empty());
}

TEST_CASE("a UDP port that is taken is told apart from the TCP port of that number") {
  World world;
  const auto holder = bound_to_free_port();
  const auto taken = net::local_address(holder)->port();
  Listener listener{.name = "udp", .address = "127.0.0.1", .port = taken};
  listener.protocol = Protocol::udp;
  world.listener(listener).listener({.name = "web", .address = "127.0.0.1", .port = taken}).apply();
  const auto errors = world.proxy->listener_errors();
  REQUIRE(errors.size() == 1);
  CHECK(errors.front().udp);
  CHECK(errors.front().error.code == Errc::conflict);
}

TEST_CASE("several workers keep each client's datagrams together, and answer from their address") {
  UdpEcho a{"a"}, b{"b"};
  World world{{.workers = 3}};
  const auto port = udp_listener(world, "");
  world.cluster("echo", {a.endpoint(), b.endpoint()});
  udp_route(world, {share("echo")});
  world.apply();
  std::vector<UdpWire> clients;
  for (int i = 0; i < 30; ++i)
    clients.emplace_back(port, i % 2 ? "127.0.0.1" : "127.0.0.7");
  std::vector<std::string> first;
  for (auto& client : clients)
    first.push_back(client.ask(""));
  for (int round = 0; round < 3; ++round)
    for (std::size_t i = 0; i < clients.size(); ++i)
      CHECK(clients[i].ask("") == first[i]);
  CHECK(world.counted(Counter::udp_sessions) == 30);
  CHECK(a.peers() + b.peers() == 30);
}

TEST_CASE("a proxy that drains takes no new UDP sessions and lets the others finish") {
  UdpEcho a{"a"};
  ProxyOptions options{.workers = 1};
  options.timeouts.linger = Millis{2'000};
  World world{options};
  const auto port = udp_listener(world);
  world.cluster("a", {a.endpoint()});
  udp_route(world, {share("a")});
  world.apply();
  UdpWire known{port};
  CHECK(known.ask("") == "a");
  const auto began = now_instant();
  std::thread drain{[&] { world.proxy->drain(Millis{60'000}); }};
  // Until the worker knows: one stranger at a time, so that no socket's buffer overflows, and the
  // known client in between, so that its session does not end for want of datagrams.
  for (std::uint64_t strangers = 1; world.counted(Counter::udp_dropped) == 0; ++strangers) {
    UdpWire{port}.send("");
    while (world.counted(Counter::udp_sessions) + world.counted(Counter::udp_dropped) <
           1 + strangers)
      std::this_thread::yield();
    CHECK(known.ask("") == "a");
  }
  drain.join();
  CHECK(now_instant() - began < Millis{50'000});
  CHECK(world.counted(Counter::udp_sessions_ended) == world.counted(Counter::udp_sessions));
}

TEST_CASE("datagrams go to a cluster that stands in until their own has an endpoint again") {
  UdpEcho own{"own"}, other{"other"};
  World world;
  const auto port = udp_listener(world);
  const auto backend = [&](std::vector<Endpoint> endpoints) {
    Cluster cluster;
    cluster.id = "echo";
    cluster.endpoints = std::move(endpoints);
    cluster.failover = {"other"};
    world.config.clusters =
        world.config.clusters.with("echo", std::make_shared<const Cluster>(cluster));
  };
  world.cluster("other", {other.endpoint()});
  backend({});
  udp_route(world, {share("echo")});
  world.apply();
  UdpWire wire{port};
  CHECK(wire.ask("1") == "other1");
  world.cluster("unrelated", {}).apply();
  CHECK(wire.ask("2") == "other2");
  CHECK(other.peers() == 1); // One session.
  backend({own.endpoint()});
  world.apply();
  CHECK(wire.ask("3") == "own3");
  backend({});
  world.apply();
  CHECK(wire.ask("4") == "other4");
  world.cluster("other", {}).apply(); // Its endpoint is gone, and with it the session.
  wire.send("5");
  CHECK(world.reaches(Counter::no_endpoint, 1));
}

} // namespace strait::gateway::proxy::testing
