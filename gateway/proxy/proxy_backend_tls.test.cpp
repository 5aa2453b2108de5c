#include "gateway/proxy/proxy_tls_fixture.test.hpp"
#include "gateway/proxy/upstream_tls.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy::testing {

namespace {

/// A proxy in front of one TLS server for "backend.example", whose authority the policy trusts.
struct Secured {
  explicit Secured(net::TlsServerOptions options = {}, ProxyOptions proxy = {.workers = 1})
      : world{std::move(proxy)} {
    options.certificate = loaded(
        authority.leaf("server", "DNS:backend.example,DNS:*.wild.example,URI:spiffe://x/api"));
    options.alpn = {"http/1.1"};
    server = std::make_unique<TlsBackend>("tls", std::move(options));
    port = world.serve({});
    policy.sni = "backend.example";
    policy.ca_pems = {authority.root.certificate};
  }
  Secured& apply(bool publish = true) {
    Cluster cluster{.id = "backend", .endpoints = {server->endpoint()}};
    cluster.backend_tls = policy;
    world.config.clusters =
        world.config.clusters.with("backend", std::make_shared<const Cluster>(cluster));
    if (publish)
      world.apply();
    return *this;
  }
  /// One request on a connection of its own.
  Answer answer() { return ask(port, get("/")); }

  Authority authority;
  std::unique_ptr<TlsBackend> server;
  BackendTls policy;
  World world;
  std::uint16_t port = 0;
};

} // namespace

TEST_CASE("a backend is reached by TLS, its name sent and verified") {
  Secured secured;
  secured.apply();
  CHECK(secured.answer().body == "tls sni=backend.example alpn=http/1.1 client=none");
  CHECK(secured.answer().status == 200);
  CHECK(secured.world.counted(Counter::upstream_connects) == 1);

  SECTION("a certificate for another name is not talked to") {
    secured.policy.sni = "other.example";
    secured.apply();
    CHECK(secured.answer().status == 502);
    CHECK(secured.server->backend.requests == 2);
  }
  SECTION("nor one of an authority that is not trusted, at once and not only for new clusters") {
    auto client = Wire::dial(secured.port);
    CHECK(ask(client, get("/")).status == 200);
    secured.policy.ca_pems = {Authority{}.root.certificate};
    secured.apply();
    CHECK(ask(client, get("/")).status == 502);
    CHECK(secured.server->backend.requests == 3);
    secured.policy.ca_pems.push_back(secured.authority.root.certificate);
    secured.apply();
    CHECK(ask(client, get("/")).status == 200);
  }
  SECTION("the machine's own authorities do not know ours") {
    secured.policy.ca_pems.clear();
    secured.policy.system_ca = true;
    secured.apply();
    CHECK(secured.answer().status == 502);
  }
  SECTION("without any authority nothing is trusted") {
    secured.policy.ca_pems.clear();
    secured.apply();
    CHECK(secured.answer().status == 502);
  }
  SECTION("plain text is not spoken to a backend that wants TLS, nor the other way round") {
    Backend plain{[](Wire& wire, Backend& self) {
      if (wire.some().starts_with("GET "))
        ++self.requests;
      wire.send("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    }};
    Cluster cluster{.id = "backend", .endpoints = {plain.endpoint()}};
    cluster.backend_tls = secured.policy;
    secured.world.config.clusters =
        secured.world.config.clusters.with("backend", std::make_shared<const Cluster>(cluster));
    secured.world.apply();
    CHECK(secured.answer().status == 502);
    CHECK(plain.requests == 0);
    secured.world.cluster("backend", {secured.server->endpoint()}).apply();
    CHECK(secured.answer().status == 502);
    CHECK(secured.server->backend.requests == 2);
  }
  SECTION("a handshake that fails is a failure of the endpoint, tried no more often than one") {
    secured.policy.sni = "other.example";
    secured.apply();
    const auto before = secured.world.counted(Counter::upstream_connects);
    CHECK(secured.answer().status == 502);
    CHECK(secured.world.counted(Counter::upstream_connects) == before + 1);
    CHECK(secured.world.counted(Counter::upstream_connect_failures) == 1);
    CHECK(secured.answer().status == 502);
    CHECK(secured.answer().status == 502);
    CHECK(secured.world.counted(Counter::ejections) == 1);
  }
}

TEST_CASE("the access log says why a backend's certificate was not accepted") {
  std::mutex mutex;
  std::string log;
  {
    ProxyOptions options{.workers = 1};
    options.access_log.format = AccessLogFormat::json;
    options.access_log.sink = [&](std::string_view lines) {
      std::lock_guard lock{mutex};
      log += lines;
    };
    Secured secured{{}, options};
    secured.apply();
    CHECK(secured.answer().status == 200);
    secured.policy.sni = "other.example";
    secured.apply();
    CHECK(secured.answer().status == 502);
    secured.policy.uris = {"spiffe://x/other"};
    secured.apply();
    CHECK(secured.answer().status == 502);
  }
  CHECK(log.find(R"("failure":""})") != std::string::npos);
  CHECK(log.find(R"("failure":"peer certificate: hostname mismatch"})") != std::string::npos);
  CHECK(log.find(R"("failure":"peer certificate: the server's certificate carries none of the )"
                 R"(expected names"})") != std::string::npos);
}

TEST_CASE("alternative names of the policy are verified instead of the server name") {
  Secured secured;
  secured.policy.sni = "front.example"; // Not in the certificate: sent, not verified.
  SECTION("a DNS name") { secured.policy.dns_names = {"no.example", "Backend.Example"}; }
  SECTION("a DNS name that a wildcard of the certificate covers") {
    secured.policy.dns_names = {"a.wild.example"};
  }
  SECTION("a URI, exactly") { secured.policy.uris = {"spiffe://x/api"}; }
  SECTION("either kind will do") {
    secured.policy.dns_names = {"no.example"};
    secured.policy.uris = {"spiffe://x/api"};
  }
  secured.apply();
  CHECK(secured.answer().body == "tls sni=front.example alpn=http/1.1 client=none");
  secured.policy.dns_names = {"a.b.wild.example", "front.example", "ackend.example"};
  secured.policy.uris = {"spiffe://x/ap", "spiffe://x/api/", "SPIFFE://x/api"};
  secured.apply();
  CHECK(secured.answer().status == 502);
}

TEST_CASE("the gateway's certificate is presented to backends that ask for one") {
  Authority clients;
  Secured secured{
      {.client_auth = net::ClientAuth::required, .client_ca_pem = clients.root.certificate}};
  secured.apply();
  CHECK(secured.answer().status == 502); // There is none.
  secured.world.certificate(clients.leaf(backend_client_certificate, "DNS:gateway")).apply();
  CHECK(secured.answer().body == "tls sni=backend.example alpn=http/1.1 client=gateway");

  SECTION("a renewed one is used at once, and no connection made under the old one") {
    secured.world.certificate(clients.leaf(backend_client_certificate, "DNS:renewed")).apply();
    CHECK(secured.answer().body == "tls sni=backend.example alpn=http/1.1 client=renewed");
    secured.world.certificate(Authority{}.leaf(backend_client_certificate, "DNS:x")).apply();
    CHECK(secured.answer().status == 502);
  }
  SECTION("one that cannot be read makes connections fail, not go without it") {
    secured.world.certificate({backend_client_certificate, "no PEM", "no PEM"}).apply();
    CHECK(secured.answer().status == 502);
  }
}

TEST_CASE("a connection that was in use when the settings changed is not used again") {
  Secured secured;
  std::atomic<bool> go{false};
  auto context = secured.server->context;
  std::atomic<int> connections{0};
  Backend slow{[&](Wire& wire, Backend&) {
    TlsWire tls{wire, context};
    ++connections;
    for (bool first = true; !tls.head().empty(); first = false) {
      while (first && !go)
        std::this_thread::yield();
      tls.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    }
  }};
  Cluster cluster{.id = "backend", .endpoints = {slow.endpoint()}};
  const auto publish = [&] {
    cluster.backend_tls = secured.policy;
    secured.world.config.clusters =
        secured.world.config.clusters.with("backend", std::make_shared<const Cluster>(cluster));
    secured.world.apply();
  };
  publish();
  auto client = Wire::dial(secured.port);
  REQUIRE(client.send(get("/")));
  REQUIRE(secured.world.reaches(Counter::upstream_connects, 1));
  while (connections == 0)
    std::this_thread::yield();
  secured.policy.uris = {"spiffe://x/api"};
  publish();
  // A worker takes changed settings over with the next request that needs the cluster.
  std::string other_answer;
  std::thread other{[&] { other_answer = secured.answer().body; }};
  REQUIRE(secured.world.reaches(Counter::upstream_connects, 2));
  go = true;
  CHECK(read_answer(client).body == "ok");
  other.join();
  CHECK(other_answer == "ok");
  CHECK(ask(client, get("/")).body == "ok");
  CHECK(connections == 2);
  CHECK(ask(client, get("/")).body == "ok");
}

TEST_CASE("names are compared as RFC 6125 says") {
  const auto expected = [](std::vector<std::string> wanted, std::vector<std::string> presented) {
    net::PeerIdentity server;
    server.dns_names = std::move(presented);
    BackendTls policy;
    policy.dns_names = std::move(wanted);
    return static_cast<bool>(expect_names(policy, server));
  };
  CHECK(expected({"a.example"}, {"b.example", "A.EXAMPLE"}));
  CHECK(expected({"a.example"}, {"*.example"}));
  CHECK_FALSE(expected({"a.b.example"}, {"*.example"}));
  CHECK_FALSE(expected({"example"}, {"*.example"}));
  CHECK_FALSE(expected({"ab.example"}, {"a*.example"}));
  CHECK_FALSE(expected({".example"}, {"*.example"}));
  CHECK(expected({"*.example"}, {"a.example"}));
  CHECK_FALSE(expected({"*.example"}, {"a.b.example"}));
  CHECK_FALSE(expected({}, {"a.example"}));
  CHECK_FALSE(expected({"a.example"}, {}));
}

} // namespace strait::gateway::proxy::testing
