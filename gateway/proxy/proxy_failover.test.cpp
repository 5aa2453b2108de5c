#include "gateway/proxy/proxy_fixture.test.hpp"
#include "gateway/proxy/worker.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy::testing {

namespace {

/// Sets clusters with those that stand in for them.
World& stand_in(World& world, const std::string& id, std::vector<Endpoint> endpoints,
                std::vector<std::string> failover) {
  std::sort(endpoints.begin(), endpoints.end());
  Cluster cluster;
  cluster.id = id;
  cluster.endpoints = std::move(endpoints);
  cluster.failover = std::move(failover);
  world.config.clusters =
      world.config.clusters.with(id, std::make_shared<const Cluster>(std::move(cluster)));
  return world;
}

Endpoint nobody() { return {"127.0.0.1", free_port(), 1}; }

/// A listener whose requests go to "backend", which may be as the test sets it.
std::uint16_t serve(World& world, std::vector<Endpoint> endpoints,
                    std::vector<std::string> failover) {
  const auto port = world.serve({});
  stand_in(world, "backend", std::move(endpoints), std::move(failover)).apply();
  return port;
}

/// Connections to it are neither accepted nor refused: its queue is full.
class Deaf {
public:
  Deaf() : fd_{std::move(*net::listen_tcp(net::Address::loopback(0), {.backlog = 1}))} {
    port_ = net::local_address(fd_)->port();
    for (int i = 0; i < 8; ++i)
      waiting_.push_back(std::move(*net::connect_tcp(net::Address::loopback(port_))));
  }
  Endpoint endpoint() const { return {"127.0.0.1", port_, 1}; }

private:
  net::Fd fd_;
  std::uint16_t port_ = 0;
  std::vector<net::Fd> waiting_;
};

std::string body_of(std::uint16_t port) { return ask(port, get("/")).body; }

const std::string post{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"};

ProxyOptions ejecting_for(Millis time) {
  ProxyOptions options{.workers = 1};
  options.ejection.first = options.ejection.longest = time;
  return options;
}

} // namespace

TEST_CASE("a cluster without endpoints is stood in for, until it has some") {
  auto own = Backend::named("own");
  auto other = Backend::named("other");
  World world;
  world.cluster("other", {other->endpoint()});
  const auto port = serve(world, {}, {"other"});
  auto wire = Wire::dial(port);
  CHECK(ask(wire, get("/")).body == "other");
  CHECK(world.counted(Counter::failovers) == 1);
  CHECK(world.counted(Counter::no_endpoint) == 0);

  stand_in(world, "backend", {own->endpoint()}, {"other"}).apply();
  for (int i = 0; i < 5; ++i)
    CHECK(ask(wire, get("/")).body == "own");
  CHECK(world.counted(Counter::failovers) == 1);
}

TEST_CASE("the first that has an endpoint stands in, in the order that is given") {
  auto first = Backend::named("first");
  auto second = Backend::named("second");
  World world;
  world.cluster("first", {}).cluster("second", {second->endpoint()});
  const auto port = serve(world, {}, {"unknown", "backend", "first", "second"});
  CHECK(body_of(port) == "second");
  world.cluster("first", {first->endpoint()}).apply();
  CHECK(body_of(port) == "first");
  world.cluster("first", {}).cluster("second", {}).apply();
  CHECK(ask(port, get("/")).status == 503);
  CHECK(world.counted(Counter::no_endpoint) == 1);
}

TEST_CASE("those that stand in for a cluster that stands in are not followed") {
  auto far = Backend::named("far");
  World world;
  world.cluster("far", {far->endpoint()});
  stand_in(world, "near", {}, {"far"});
  const auto port = serve(world, {}, {"near"});
  CHECK(ask(port, get("/")).status == 503);
}

TEST_CASE("a cluster that must not be reached neither stands in nor is stood in for") {
  auto other = Backend::named("other");
  World world;
  auto refusing = Cluster{.id = "refusing", .endpoints = {other->endpoint()}};
  refusing.refused = true;
  world.config.clusters =
      world.config.clusters.with("refusing", std::make_shared<const Cluster>(refusing));
  world.cluster("other", {other->endpoint()});
  const auto port = serve(world, {}, {"refusing"});
  CHECK(ask(port, get("/")).status == 503);
  refusing.failover = {"other"};
  refusing.id = "backend";
  world.config.clusters =
      world.config.clusters.with("backend", std::make_shared<const Cluster>(refusing));
  world.apply();
  CHECK(ask(port, get("/")).status == 500);
}

TEST_CASE("no request fails when every endpoint of a cluster refuses connections") {
  auto other = Backend::named("other");
  World world{ejecting_for(Millis{60'000})};
  world.cluster("other", {other->endpoint()});
  // More of them than are tried in one cluster.
  const auto port = serve(world, {nobody(), nobody(), nobody(), nobody(), nobody()}, {"other"});
  for (int i = 0; i < 30; ++i) {
    const auto answer = ask(port, i % 2 ? get("/") : post);
    CHECK(answer.status == 200);
    CHECK(answer.body == "other");
  }
  // The failures on the way count: then nobody asks there.
  CHECK(world.counted(Counter::ejections) == 5);
  CHECK(world.counted(Counter::upstream_connect_failures) == 15);
}

TEST_CASE("endpoints that crash under load are stood in for without a failed request, and back") {
  auto other = Backend::named("other");
  auto own = Backend::named("own");
  const auto endpoint = own->endpoint();
  World world{ejecting_for(Millis{20})};
  world.cluster("other", {other->endpoint()});
  const auto port = serve(world, {endpoint}, {"other"});
  Load load{port, 4};
  load.at_least(50);
  CHECK(other->requests == 0);
  own.reset();
  load.at_least(200);
  CHECK(load.bad == 0);
  CHECK(other->requests > 100);

  // The same address is served again: its cluster gets the traffic once the ejection is over.
  auto back = Backend::named("own again", endpoint.port);
  const auto until = now_instant() + Millis{10'000};
  while (back->requests == 0 && now_instant() < until && load.bad == 0)
    std::this_thread::yield();
  const int before = other->requests;
  load.at_least(200);
  load.stop();
  CHECK(load.bad == 0);
  CHECK(back->requests > 100);
  CHECK(other->requests <= before + 4); // What was under way.
}

TEST_CASE("an endpoint of its own is tried before another cluster stands in") {
  auto own = Backend::named("own");
  auto other = Backend::named("other");
  World world;
  world.cluster("other", {other->endpoint()});
  const auto port = serve(world, {own->endpoint(), nobody()}, {"other"});
  for (int i = 0; i < 20; ++i)
    CHECK(body_of(port) == "own");
  CHECK(other->requests == 0);
  CHECK(world.counted(Counter::failovers) == 0);
}

TEST_CASE("a cluster that stands in may fail too: then the next one does") {
  auto last = Backend::named("last");
  World world;
  world.cluster("first", {nobody(), nobody(), nobody()}).cluster("last", {last->endpoint()});
  const auto port = serve(world, {nobody()}, {"first", "last"});
  for (int i = 0; i < 10; ++i)
    CHECK(body_of(port) == "last");
}

TEST_CASE("when nobody can be reached the answer is as without failover") {
  World world;
  world.cluster("other", {nobody()});
  const auto port = serve(world, {nobody()}, {"other"});
  for (int i = 0; i < 12; ++i)
    CHECK(ask(port, get("/")).status == 502);
  CHECK(world.counted(Counter::ejections) >= 2);
  CHECK(world.counted(Counter::panics) > 0); // Ejected ones, when there is no other.
}

TEST_CASE("an endpoint that does not even refuse is left after one time-out") {
  Deaf one, two;
  auto other = Backend::named("other");
  ProxyOptions options{.workers = 1};
  auto made = rule("/", {share("backend")});
  SECTION("of connecting") { options.timeouts.upstream_connect = Millis{50}; }
  SECTION("of the rule's attempts") { made.backend_timeout = Millis{50}; }
  World world{options};
  world.cluster("other", {other->endpoint()});
  const auto port = serve(world, {one.endpoint(), two.endpoint()}, {"other"});
  world.route("web", "HTTPRoute default/all", {{}, {made}}).apply();
  CHECK(ask(port, post).body == "other");
  CHECK(world.counted(Counter::upstream_connect_timeouts) == 1);
  CHECK(world.counted(Counter::upstream_connects) == 2);
  stand_in(world, "backend", {one.endpoint(), two.endpoint()}, {}).apply();
  CHECK(ask(port, get("/")).status == 504);
}

TEST_CASE("a rule's retries and failing over go together") {
  auto other = Backend::named("other");
  World world{{.workers = 1, .seed = 1}};
  world.cluster("other", {other->endpoint()});
  const auto port = serve(world, {nobody(), nobody()}, {"other"});
  auto made = rule("/", {share("backend")});
  SECTION("fewer retries than there are endpoints") {
    made.retry = Retry{.attempts = 1, .backoff = Millis{1}};
  }
  SECTION("no retries of connections") {
    made.retry = Retry{.attempts = 3, .on_connection_error = false, .backoff = Millis{1}};
  }
  SECTION("many") { made.retry = Retry{.attempts = 5, .backoff = Millis{1}}; }
  world.route("web", "HTTPRoute default/all", {{}, {made}}).apply();
  for (int i = 0; i < 6; ++i)
    CHECK(ask(port, post).body == "other");
}

TEST_CASE("an endpoint that answers is not failed over from, whatever it answers") {
  std::atomic<int> asked{0};
  Backend own{[&](Wire& wire, Backend&) {
    while (!wire.head().empty())
      wire.send(++asked % 2 ? "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"
                            : "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown");
  }};
  auto other = Backend::named("other");
  World world{{.workers = 1, .seed = 1}};
  world.cluster("other", {other->endpoint()});
  const auto port = serve(world, {own.endpoint()}, {"other"});
  CHECK(ask(port, get("/")).status == 503);
  asked = 0;
  auto made = rule("/", {share("backend")});
  made.retry = Retry{.codes = {503}, .attempts = 1, .backoff = Millis{1}};
  world.route("web", "HTTPRoute default/all", {{}, {made}}).apply();
  CHECK(body_of(port) == "own");
  CHECK(other->requests == 0);
}

TEST_CASE("a session goes on at its own endpoint when that is back") {
  auto a = Backend::named("a");
  auto b = Backend::named("b");
  auto other = Backend::named("other");
  World world;
  world.cluster("other", {other->endpoint()});
  const auto port = serve(world, {a->endpoint(), b->endpoint()}, {"other"});
  auto made = rule("/", {share("backend")});
  made.session = SessionPersistence{.header = true, .name = "x-session"};
  world.route("web", "HTTPRoute default/all", {{}, {made}}).apply();
  const auto first = ask(port, get("/"));
  const auto token = first.field("x-session");
  REQUIRE_FALSE(token.empty());
  const auto again = [&] {
    return ask(port, "GET / HTTP/1.1\r\nHost: a\r\nx-session: " + token + "\r\n\r\n");
  };
  CHECK(again().body == first.body);
  stand_in(world, "backend", {}, {"other"}).apply();
  const auto meanwhile = again();
  CHECK(meanwhile.body == "other");
  CHECK(meanwhile.field("x-session").empty()); // No token for one that stands in.
  stand_in(world, "backend", {a->endpoint(), b->endpoint()}, {"other"}).apply();
  for (int i = 0; i < 4; ++i)
    CHECK(again().body == first.body);
}

TEST_CASE("connections of TCP routes, mirrors and authorizers go the same way") {
  auto other = Backend::named("other");
  World world;
  world.cluster("other", {other->endpoint()});
  const auto port = serve(world, {nobody(), nobody()}, {"other"});
  SECTION("TCP") {
    const auto tcp = free_port();
    world.listener({.name = "tcp", .address = "127.0.0.1", .port = tcp, .protocol = Protocol::tcp});
    world.tcp_route("tcp", "TCPRoute default/a", {{share("backend")}}).apply();
    for (int i = 0; i < 8; ++i)
      CHECK(body_of(tcp) == "other");
    CHECK(world.counted(Counter::tcp_refused) == 0);
  }
  SECTION("external auth") {
    auto backend = Backend::named("content");
    world.cluster("content", {backend->endpoint()});
    auto made = rule("/", {share("content")});
    made.auth = ExternalAuth{};
    made.auth->cluster = "backend";
    world.route("web", "HTTPRoute default/all", {{}, {made}}).apply();
    for (int i = 0; i < 8; ++i)
      CHECK(body_of(port) == "content");
    CHECK(world.counted(Counter::auth_allowed) == 8);
    CHECK(other->requests == 8);
  }
  SECTION("mirrors") {
    auto backend = Backend::named("content");
    world.cluster("content", {backend->endpoint()});
    auto made = rule("/", {share("content")});
    made.mirrors = {Mirror{.cluster = "backend"}};
    world.route("web", "HTTPRoute default/all", {{}, {made}}).apply();
    CHECK(body_of(port) == "content");
    while (other->requests < 1)
      std::this_thread::yield();
    CHECK(world.counted(Counter::mirrors_failed) == 0);
  }
}

TEST_CASE("a pick looks at the clusters that may stand in, however many there are") {
  ProxyOptions options;
  auto loop = std::move(*net::EventLoop::create());
  net::BufferPool buffers;
  Retirement retirement{*loop};
  WorkerCounters counters{8};
  std::unique_ptr<net::Resolver> resolver;
  UpstreamEnvironment environment{*loop, buffers, retirement, counters, options, resolver};
  for (const int others : {10, 10'000}) {
    Routing routing{environment};
    auto snapshot = std::make_shared<Snapshot>();
    auto& clusters = snapshot->config.clusters;
    const auto add = [&](const std::string& id, std::vector<Endpoint> endpoints,
                         std::vector<std::string> failover = {}) {
      Cluster cluster;
      cluster.id = id;
      cluster.endpoints = std::move(endpoints);
      cluster.failover = std::move(failover);
      clusters = clusters.with(id, std::make_shared<const Cluster>(std::move(cluster)));
    };
    for (int i = 0; i < others; ++i)
      add("other" + std::to_string(i), {{"127.0.0.1", 1, 1}});
    std::vector<std::string> too_many(failover_max, "empty");
    too_many.push_back("last");
    add("empty", {});
    add("last", {{"127.0.0.1", 2, 1}});
    add("own", {}, {"empty", "last"});
    add("far", {}, too_many);
    const auto served = std::make_shared<const Served>(Served{snapshot});
    routing.serve(served);
    auto* own = routing.cluster("own", *served);
    REQUIRE(own);
    const auto pick = routing.pick(*own, *served);
    REQUIRE(pick.endpoint);
    CHECK(pick.endpoint->cluster().id() == "last");
    CHECK(pick.place == 2);
    CHECK(routing.clusters() == 3); // Only these were looked up.
    CHECK_FALSE(routing.pick(*own, *served, pick.endpoint, 3).endpoint);
    // Past the maximum nobody stands in.
    CHECK_FALSE(routing.pick(*routing.cluster("far", *served), *served).endpoint);
    // They are kept and forgotten like any other cluster.
    auto next = std::make_shared<Snapshot>();
    routing.serve(std::make_shared<const Served>(Served{next}));
    routing.sweep();
    CHECK(routing.clusters() == 0);
  }
}

} // namespace strait::gateway::proxy::testing
