#include "gateway/proxy/http2_fixture.test.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy::testing {

namespace {

net::TlsClientOptions offering(const Authority& authority, std::vector<std::string> protocols) {
  auto options = trusting(authority);
  options.alpn = std::move(protocols);
  return options;
}

} // namespace

TEST_CASE("an HTTPS listener speaks HTTP/2 with clients that offer it, else HTTP/1.1") {
  const Authority authority;
  World world;
  auto backend = Backend::named("one");
  const auto port = free_port();
  world.certificate(authority.leaf("c", "DNS:*.example.com"));
  world.cluster("backend", {backend->endpoint()});
  world.listener(https("web", port, "*.example.com", {"c"})).all_to("web", "backend").apply();

  TlsWire both{port, "a.example.com", offering(authority, {"http/1.1", "h2"})};
  REQUIRE(both.ok());
  CHECK(both.stream().alpn() == "h2");
  Http2TlsWire client{std::move(both), net::http2::Role::client};
  const auto id = client.ask("GET", "/", {}, {}, false, "a.example.com");
  CHECK(client.finish(id).body == "one");

  TlsWire old{port, "a.example.com", offering(authority, {"http/1.1"})};
  CHECK(old.stream().alpn() == "http/1.1");
  CHECK(old.ask(get("/", "a.example.com")).ends_with("one"));
  TlsWire silent{port, "a.example.com", trusting(authority)};
  CHECK(silent.ask(get("/", "a.example.com")).ends_with("one"));
  CHECK(world.counted(Counter::http2_connections) == 1);
}

TEST_CASE(
    "a request for a host of another listener is misdirected, for no listener's is not found") {
  const Authority authority;
  World world;
  auto backend = Backend::named("one");
  const auto port = free_port();
  world.certificate(authority.leaf("c", "DNS:*.example.com,DNS:example.org"));
  world.cluster("backend", {backend->endpoint()});
  world.listener(https("wild", port, "*.example.com", {"c"}))
      .listener(https("own", port, "own.example.com", {"c"}))
      .listener(https("org", port, "example.org", {"c"}));
  for (const auto* listener : {"wild", "own", "org"})
    world.route(listener, "HTTPRoute default/all", {{}, {rule("/", {share("backend")})}});
  world.apply();
  TlsWire tls{port, "a.example.com", offering(authority, {"h2"})};
  REQUIRE(tls.ok());
  Http2TlsWire client{std::move(tls), net::http2::Role::client};
  const auto status = [&](std::string_view host) {
    return client.finish(client.ask("GET", "/", {}, {}, false, host)).field(":status");
  };
  CHECK(status("a.example.com") == "200");
  CHECK(status("b.example.com:443") == "200"); // The connection is good for both.
  CHECK(status("own.example.com") == "421");
  CHECK(status("example.org") == "421");
  CHECK(status("nobody.net") == "404");
}

TEST_CASE("a backend's TLS policy goes together with HTTP/2, by ALPN") {
  const Authority authority;
  World world;
  net::TlsServerOptions options;
  options.certificate = loaded(authority.leaf("b", "DNS:backend.example"));
  options.alpn = {"h2"};
  auto context = net::TlsServerContext::create(std::move(options));
  REQUIRE(context);
  auto backend =
      http2_tls_backend(*context, [](Http2TlsWire& wire, std::int32_t id, Stream2& request) {
        wire.answer(id, {{":status", "200"}}, request.field(":scheme") + " two");
      });
  const auto port = free_port();
  Cluster cluster;
  cluster.id = "backend";
  cluster.endpoints = {backend->endpoint()};
  cluster.http2 = true;
  cluster.backend_tls =
      BackendTls{.sni = "backend.example", .ca_pems = {authority.root.certificate}};
  const auto set = [&](Cluster now) {
    world.config.clusters =
        world.config.clusters.with("backend", std::make_shared<const Cluster>(std::move(now)));
    world.apply();
  };
  world.listener({.name = "web", .address = "127.0.0.1", .port = port});
  world.all_to("web", "backend");
  set(cluster);
  auto client = dial_http2(port);
  CHECK(client.finish(client.ask("GET", "/")).body == "https two");
  CHECK(ask(port, get("/")).body == "https two");
  CHECK(backend->connections == 1);

  SECTION("one that does not choose it is a bad gateway") {
    net::TlsServerOptions plain;
    plain.certificate = loaded(authority.leaf("b", "DNS:backend.example"));
    TlsBackend deaf{"deaf", std::move(plain)};
    cluster.endpoints = {deaf.endpoint()};
    set(cluster);
    CHECK(ask(port, get("/")).status == 502);
  }
  SECTION("a policy that changes ends the connections that were made under it") {
    cluster.backend_tls->ca_pems = {Authority{}.root.certificate};
    set(cluster);
    CHECK(ask(port, get("/")).status == 502);
  }
}

} // namespace strait::gateway::proxy::testing
