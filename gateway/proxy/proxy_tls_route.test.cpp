#include "gateway/proxy/proxy_tls_fixture.test.hpp"
#include "gateway/proxy/tls_route_session.hpp"

#include <catch2/catch.hpp>

#include <future>

namespace strait::gateway::proxy::testing {

namespace {

/// The bytes that a client of this name begins with.
std::string client_hello(const std::string& name, const Authority& authority) {
  std::promise<std::string> hello;
  Backend taker{[&](Wire& wire, Backend&) { hello.set_value(wire.some()); }};
  TlsWire client{taker.port(), name, trusting(authority)};
  return hello.get_future().get();
}

struct TlsRoutes {
  Authority authority;
  World world;
  std::uint16_t port = free_port();

  explicit TlsRoutes(ProxyOptions options = {.workers = 1}) : world{std::move(options)} {
    world.certificate(authority.leaf("edge", "DNS:edge,DNS:*.term.example,DNS:*.web.example"));
  }
  net::TlsServerOptions server(const std::string& name) const {
    net::TlsServerOptions options;
    options.certificate = loaded(authority.leaf("backend", "DNS:" + name));
    options.alpn = {"http/1.1"};
    return options;
  }
  void listener(const std::string& name, const std::string& hostname, bool passthrough) {
    auto made = https(name, port, hostname, {"edge"});
    made.protocol = Protocol::tls;
    made.passthrough = passthrough;
    if (passthrough)
      made.tls = {};
    world.listener(made);
  }
  void route(const std::string& listener, std::vector<std::string> hostnames,
             std::vector<strait::gateway::Backend> backends, const std::string& name = "r") {
    TlsRoute route{std::move(hostnames), std::move(backends)};
    const auto id = "TLSRoute default/" + name;
    world.config.routes = world.config.routes.with(
        binding_key(listener, id),
        std::make_shared<const BoundRoute>(BoundRoute{id, WallTime{}, std::move(route)}));
  }
  void secure(const std::string& cluster, const Endpoint& endpoint, const std::string& name) {
    Cluster made{.id = cluster, .endpoints = {endpoint}};
    made.backend_tls = BackendTls{.sni = name, .ca_pems = {authority.root.certificate}};
    world.config.clusters =
        world.config.clusters.with(cluster, std::make_shared<const Cluster>(made));
  }
  TlsWire dial(const std::string& sni) { return TlsWire{port, sni, trusting(authority)}; }
  std::string answer(const std::string& sni) { return dial(sni).ask(get("/", sni)); }
};

} // namespace

TEST_CASE("a TLS connection is passed through to the backend of its server name, byte for byte") {
  TlsRoutes tls;
  TlsBackend exact{"exact", tls.server("a.pass.example")};
  TlsBackend wild{"wild", tls.server("*.pass.example")};
  tls.listener("pass", "*.pass.example", true);
  tls.world.cluster("exact", {exact.endpoint()}).cluster("wild", {wild.endpoint()});
  tls.route("pass", {"a.pass.example"}, {share("exact")}, "exact");
  tls.route("pass", {"*.pass.example"}, {share("wild")}, "wild");
  tls.world.apply();

  auto a = tls.dial("a.pass.example");
  REQUIRE(a.ok());
  CHECK(first_dns_name(a) == "a.pass.example"); // The backend's certificate, not ours.
  CHECK_THAT(a.ask(get("/", "x")), Catch::Contains("exact sni=a.pass.example alpn= client=none"));
  CHECK_THAT(tls.answer("b.pass.example"), Catch::Contains("wild sni=b.pass.example"));
  CHECK_THAT(tls.answer("B.PASS.example"), Catch::Contains("wild sni=B.PASS.example"));
  CHECK_FALSE(tls.dial("other.example").ok());
  CHECK_FALSE(tls.dial("").ok());
  CHECK(tls.world.counted(Counter::tls_passed_through) == 3);
  CHECK(tls.world.counted(Counter::tls_unknown_name) == 2);
  CHECK(tls.world.counted(Counter::tls_handshakes) == 0);

  SECTION("a hello that comes in pieces is put together, and none of it is lost") {
    const auto hello = client_hello("a.pass.example", tls.authority);
    REQUIRE(hello.size() > 100);
    std::promise<std::string> seen;
    Backend taker{[&](Wire& wire, Backend&) {
      seen.set_value(wire.exactly(hello.size() + 4));
      wire.send("answer");
    }};
    tls.world.cluster("exact", {taker.endpoint()}).apply();
    auto wire = Wire::dial(tls.port);
    for (const char c : hello)
      REQUIRE(wire.send({&c, 1}));
    wire.send("more");
    CHECK(wire.exactly(6) == "answer");
    CHECK(seen.get_future().get() == hello + "more");
  }
  SECTION("what is not a ClientHello is refused, the connection ended in order") {
    auto plain = Wire::dial(tls.port);
    plain.send(get("/"));
    CHECK(plain.ended());
    auto torn = Wire::dial(tls.port);
    torn.send(std::string{"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", 10});
    CHECK(torn.ended());
    CHECK(tls.world.counted(Counter::tls_hello_refused) == 2);
  }
  SECTION("one that is larger than the maximum is refused as soon as it says so, or is") {
    auto huge = Wire::dial(tls.port);
    huge.send(std::string{"\x16\x03\x01\x40\x00\x01\x00\x40\x01", 9}); // 16,385 bytes.
    CHECK(huge.ended());
    auto large = Wire::dial(tls.port);
    // In records of one byte each, so that it never becomes whole within the maximum.
    std::string records;
    const std::string message{"\x01\x00\x30\x00", 4};
    for (std::size_t i = 0; i < TlsRouteSession::hello_bytes_max / 6 + 10; ++i)
      records += std::string{"\x16\x03\x01\x00\x01", 5} + (i < 4 ? message[i] : 'x');
    large.send(records);
    CHECK(large.rest().empty());
    CHECK(tls.world.reaches(Counter::tls_hello_refused, 2));
  }
  SECTION("a client that leaves before it said anything is forgotten") {
    const auto before = tls.world.counted(Counter::downstream_closed);
    { auto wire = Wire::dial(tls.port); }
    CHECK(tls.world.reaches(Counter::downstream_closed, before + 1));
    {
      auto wire = Wire::dial(tls.port);
      wire.send("\x16\x03");
    }
    CHECK(tls.world.reaches(Counter::downstream_closed, before + 2));
    CHECK(tls.world.counted(Counter::tls_hello_refused) == 0);
  }
}

TEST_CASE("a client that is slow with its ClientHello is let go") {
  ProxyOptions options{.workers = 1};
  options.timeouts.handshake = Millis{50};
  TlsRoutes tls{options};
  tls.listener("pass", "", true);
  tls.world.apply();
  CHECK(Wire::dial(tls.port).ended());
  auto begun = Wire::dial(tls.port);
  begun.send("\x16\x03\x01");
  CHECK(begun.rest().empty());
  CHECK(tls.world.counted(Counter::tls_hello_refused) == 2);
}

TEST_CASE("TLS connections are spread by weight; what cannot be served is closed unanswered") {
  TlsRoutes tls;
  const auto passthrough = GENERATE(true, false);
  TlsBackend a{"a", tls.server("x.term.example")};
  TlsBackend b{"b", tls.server("x.term.example")};
  tls.listener("l", "*.term.example", passthrough);
  if (passthrough) {
    tls.world.cluster("a", {a.endpoint()}).cluster("b", {b.endpoint()});
  } else {
    tls.secure("a", a.endpoint(), "x.term.example");
    tls.secure("b", b.endpoint(), "x.term.example");
  }
  tls.route("l", {"x.term.example"}, {share("a", 2), share("b", 1), refused(500, 1)});
  tls.route("l", {"empty.term.example"}, {share("none")}, "empty");
  tls.route("l", {"broken.term.example"}, {share("broken")}, "broken");
  tls.world.cluster("none", {});
  Cluster broken{.id = "broken", .endpoints = {a.endpoint()}};
  broken.refused = true;
  tls.world.config.clusters =
      tls.world.config.clusters.with("broken", std::make_shared<const Cluster>(broken));
  tls.world.apply();
  std::string served;
  for (int i = 0; i < 12; ++i) {
    auto wire = tls.dial("x.term.example");
    const auto answer = wire.ask(get("/", "x"));
    served += answer.empty() ? '-' : answer[answer.find("\r\n\r\n") + 4];
    // A refused connection ends before its handshake: no answer is taken for one.
    CHECK(wire.ok() == !answer.empty());
  }
  CHECK(std::count(served.begin(), served.end(), 'a') == 6);
  CHECK(std::count(served.begin(), served.end(), 'b') == 3);
  CHECK(std::count(served.begin(), served.end(), '-') == 3);
  CHECK(tls.world.counted(Counter::tls_refused) == 3);
  for (const auto* name : {"empty.term.example", "broken.term.example", "no.term.example"})
    CHECK_FALSE(tls.dial(name).ok());
  CHECK(tls.world.counted(Counter::tls_refused) == 6);
  CHECK(tls.world.counted(Counter::no_endpoint) == 1);
}

TEST_CASE("one port passes through, terminates and serves HTTPS, by server name") {
  TlsRoutes tls;
  TlsBackend passed{"passed", tls.server("a.pass.example")};
  auto plain = Backend::named("plain");
  TlsBackend again{"again", tls.server("inner.example")};
  auto web = Backend::named("web");
  tls.listener("pass", "*.pass.example", true);
  tls.listener("term", "*.term.example", false);
  tls.world.listener(https("web", tls.port, "*.web.example", {"edge"}));
  tls.world.cluster("passed", {passed.endpoint()}).cluster("plain", {plain->endpoint()});
  tls.world.cluster("web", {web->endpoint()});
  tls.secure("again", again.endpoint(), "inner.example");
  tls.route("pass", {"a.pass.example"}, {share("passed")});
  tls.route("term", {"plain.term.example"}, {share("plain")}, "plain");
  tls.route("term", {"again.term.example"}, {share("again")}, "again");
  tls.world.all_to("web", "web").apply();

  const auto all = [&] {
    CHECK_THAT(tls.answer("a.pass.example"), Catch::EndsWith("client=none"));
    CHECK_THAT(tls.answer("plain.term.example"), Catch::EndsWith("\r\n\r\nplain"));
    CHECK_THAT(tls.answer("again.term.example"),
               Catch::EndsWith("again sni=inner.example alpn= client=none"));
    CHECK_THAT(tls.answer("a.web.example"), Catch::EndsWith("\r\n\r\nweb"));
  };
  all();
  CHECK(tls.world.counted(Counter::tls_passed_through) == 1);
  CHECK(tls.world.counted(Counter::tls_terminated) == 2);
  CHECK(tls.world.counted(Counter::downstream_connections) == 4);
  CHECK(tls.world.reaches(Counter::downstream_closed, 4));
  auto terminated = tls.dial("plain.term.example");
  CHECK(first_dns_name(terminated) == "edge");
  auto open = tls.dial("a.web.example");
  REQUIRE(open.ok());
  CHECK_THAT(open.ask(get("/", "plain.term.example")), Catch::StartsWith("HTTP/1.1 421"));
  CHECK_THAT(open.ask(get("/", "b.web.example")), Catch::EndsWith("web"));

  SECTION("listeners that come and go change what the port is, not its connections") {
    const auto connections = tls.world.counted(Counter::downstream_closed);
    tls.world.no_listener("web");
    tls.world.config.routes =
        tls.world.config.routes.without(binding_key("web", "HTTPRoute default/all"));
    tls.world.apply(); // TLS only.
    CHECK_FALSE(tls.dial("a.web.example").ok());
    CHECK_THAT(tls.answer("plain.term.example"), Catch::EndsWith("plain"));
    tls.world.listener(https("web", tls.port, "*.web.example", {"edge"})).all_to("web", "web");
    tls.world.apply();
    all();
    CHECK_THAT(open.ask(get("/", "b.web.example")), Catch::EndsWith("web"));
    CHECK(tls.world.counted(Counter::bind_failures) == 0);
    CHECK(connections > 0);
  }
}

TEST_CASE("a large stream goes through TLS both ways") {
  TlsRoutes tls;
  Backend echo{[](Wire& wire, Backend&) {
    for (auto bytes = wire.some(); !bytes.empty(); bytes = wire.some())
      wire.send(bytes);
  }};
  tls.listener("term", "*.term.example", false);
  tls.world.cluster("echo", {echo.endpoint()});
  tls.route("term", {"*.term.example"}, {share("echo")});
  tls.world.apply();
  auto wire = tls.dial("x.term.example");
  REQUIRE(wire.ok());
  std::string back;
  const std::string piece(10'000, 'x');
  for (int i = 0; i < 50; ++i) {
    REQUIRE(wire.send(piece));
    while (back.size() < piece.size() * static_cast<std::size_t>(i + 1)) {
      const auto more = wire.some();
      REQUIRE_FALSE(more.empty());
      back += more;
    }
  }
  CHECK(back == std::string(500'000, 'x'));
  wire.end_sending();
  CHECK(wire.rest().empty());
}

TEST_CASE("the access log tells a TLS connection by its server name") {
  std::mutex mutex;
  std::string log;
  {
    ProxyOptions options{.workers = 1};
    options.access_log.format = AccessLogFormat::json;
    options.access_log.sink = [&](std::string_view lines) {
      std::lock_guard lock{mutex};
      log += lines;
    };
    TlsRoutes tls{options};
    TlsBackend a{"a", tls.server("a.pass.example")};
    tls.listener("pass", "", true);
    tls.world.cluster("a", {a.endpoint()}).cluster("dead", {{"127.0.0.1", free_port(), 1}});
    tls.route("pass", {"a.pass.example"}, {share("a")});
    tls.route("pass", {"dead.example"}, {share("dead")}, "dead");
    tls.world.apply();
    CHECK_FALSE(tls.answer("a.pass.example").empty());
    CHECK_FALSE(tls.dial("dead.example").ok());
    CHECK(tls.world.counted(Counter::tls_refused) == 1);
  }
  CHECK(log.find(R"("method":"TLS","host":"a.pass.example","target":"","listener":"pass",)"
                 R"("route":"TLSRoute default/r","cluster":"a")") != std::string::npos);
  CHECK(log.find("connection refused\"}") != std::string::npos);
}

} // namespace strait::gateway::proxy::testing
