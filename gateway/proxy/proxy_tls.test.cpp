#include "gateway/proxy/proxy_tls_fixture.test.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy::testing {

TEST_CASE("SNI chooses the listener, the certificate, and what other hosts may be asked for") {
  const Authority authority;
  auto a = Backend::named("a");
  auto b = Backend::named("b");
  World world;
  const auto port = free_port();
  world.cluster("a", {a->endpoint()}).cluster("b", {b->endpoint()});
  world.certificate(authority.leaf("exact", "DNS:a.example.com"));
  world.certificate(authority.leaf("wild", "DNS:*.example.com"));
  world.certificate(authority.leaf("other", "DNS:other.org"));
  world.listener(https("exact", port, "a.example.com", {"wild", "exact"}));
  world.listener(https("wild", port, "*.example.com", {"other", "wild"}));
  world.all_to("exact", "a").all_to("wild", "b").apply();

  TlsWire exact{port, "a.example.com", trusting(authority)};
  REQUIRE(exact.ok());
  CHECK(first_dns_name(exact) == "a.example.com");
  CHECK(exact.ask(get("/", "a.example.com")).ends_with("\r\n\r\na"));
  CHECK(exact.ask(get("/", "b.example.com")).starts_with("HTTP/1.1 421"));
  CHECK(exact.ask(get("/", "nobody.net")).starts_with("HTTP/1.1 404"));

  TlsWire wild{port, "b.example.com", trusting(authority)};
  REQUIRE(wild.ok());
  CHECK(first_dns_name(wild) == "*.example.com");
  CHECK(wild.ask(get("/", "c.example.com")).ends_with("\r\n\r\nb"));
  CHECK(wild.ask(get("/", "a.example.com")).starts_with("HTTP/1.1 421"));

  CHECK_FALSE(TlsWire(port, "nobody.net", trusting(authority)).ok());
  CHECK_FALSE(TlsWire(port, "", trusting(authority)).ok());
  CHECK(world.counted(Counter::tls_unknown_name) == 2);
  CHECK(world.counted(Counter::misdirected) == 2);

  SECTION("a certificate is replaced live, and open connections stay") {
    world.certificate(authority.leaf("exact", "DNS:a.example.com,DNS:new.example.com")).apply();
    CHECK(exact.ask(get("/", "a.example.com")).ends_with("\r\n\r\na"));
    TlsWire renewed{port, "a.example.com", trusting(authority)};
    REQUIRE(renewed.ok());
    CHECK(renewed.stream().peer().dns_names.size() == 2);
  }
}

TEST_CASE("the TLS versions of a listener are kept to") {
  const Authority authority;
  auto a = Backend::named("a");
  World world;
  const auto port = free_port();
  world.cluster("a", {a->endpoint()});
  world.certificate(authority.leaf("c", "DNS:*.example.com"));
  auto old = https("old", port, "old.example.com", {"c"});
  old.tls.max = TlsVersion::tls1_2;
  old.tls.cipher_suites = {"ECDHE-ECDSA-AES256-GCM-SHA384"};
  auto modern = https("modern", port, "new.example.com", {"c"});
  modern.tls.min = TlsVersion::tls1_3;
  world.listener(old).listener(modern).all_to("old", "a").all_to("modern", "a").apply();

  auto only12 = trusting(authority);
  only12.version_max = net::TlsVersion::tls1_2;
  auto only13 = trusting(authority);
  only13.version_min = net::TlsVersion::tls1_3;
  TlsWire twelve{port, "old.example.com", trusting(authority)};
  REQUIRE(twelve.ok());
  CHECK(twelve.stream().version() == "TLSv1.2");
  CHECK(twelve.stream().cipher() == "ECDHE-ECDSA-AES256-GCM-SHA384");
  CHECK(twelve.ask(get("/", "old.example.com")).ends_with("a"));
  CHECK_FALSE(TlsWire(port, "old.example.com", only13).ok());
  CHECK_FALSE(TlsWire(port, "new.example.com", only12).ok());
  CHECK(TlsWire(port, "new.example.com", only13).ok());
  CHECK(world.reaches(Counter::tls_handshake_failures, 2));
}

TEST_CASE("a client that does not shake hands is let go") {
  const Authority authority;
  ProxyOptions options{.workers = 1};
  options.timeouts.handshake = Millis{50};
  World world{options};
  const auto port = free_port();
  world.certificate(authority.leaf("c", "DNS:a"));
  world.listener(https("a", port, "", {"c"})).apply();
  CHECK(Wire::dial(port).ended());
  CHECK(world.counted(Counter::tls_handshake_failures) == 1);
}

namespace {

/// Two datacenters: the importer's roots are trusted by the exporter's peering listener.
struct Peered {
  Peered() {
    port = free_port();
    world.listener(
        {.name = "peering", .address = "127.0.0.1", .port = port, .protocol = Protocol::peering});
    world.cluster("service/api", {api->endpoint()});
    world.certificate(exporter.leaf("identity", "URI:" + server_id));
    world.config.trust =
        world.config.trust.with("dc1", std::make_shared<const PeeringTrust>(PeeringTrust{
                                           "dc1", "one.consul", {importer.root.certificate}}));
    callers({{"spiffe://one.consul/ns/default/dc/dc1/svc/bad", false},
             {"spiffe://one.consul/ns/default/dc/dc1/svc/*", true}});
    world.apply();
  }
  void callers(std::vector<PeeringExport::Caller> list) {
    world.config.exports =
        world.config.exports.with(sni, std::make_shared<const PeeringExport>(PeeringExport{
                                           sni, "service/api", "dc1", std::move(list)}));
  }
  net::TlsClientOptions as(const Authority& authority, const std::string& names) {
    auto options = trusting(exporter);
    const auto leaf = authority.leaf("client", names);
    options.certificate = *net::TlsCertificate::from_pem(leaf.chain_pem, leaf.key_pem);
    return options;
  }
  std::string reached(const net::TlsClientOptions& options, const std::string& name) {
    return TlsWire{port, name, options}.ask(get("/", "api"));
  }

  const Authority importer, exporter;
  const std::string sni{"api.default.default.dc1.external.two.consul"};
  const std::string server_id{"spiffe://two.consul/gateway/mesh/dc/dc2"};
  const std::string web{"URI:spiffe://one.consul/ns/default/dc/dc1/svc/web"};
  std::unique_ptr<Backend> api = Backend::named("api");
  std::uint16_t port = 0;
  World world;
};

} // namespace

TEST_CASE("the peering listener lets in who is trusted and allowed, to the exported service") {
  Peered peered;
  auto& world = peered.world;
  CHECK(peered.reached(peered.as(peered.importer, peered.web), peered.sni).ends_with("api"));
  CHECK(world.counted(Counter::peering_accepted) == 1);

  SECTION("a name that is not exported is refused") {
    CHECK(peered.reached(peered.as(peered.importer, peered.web), "web.x.external.two.consul")
              .empty());
    CHECK(peered.reached(peered.as(peered.importer, peered.web), "").empty());
    CHECK(world.reaches(Counter::peering_unknown_name, 2));
  }
  SECTION("a client without a certificate is refused") {
    CHECK(peered.reached(trusting(peered.exporter), peered.sni).empty());
    CHECK(world.reaches(Counter::peering_bad_certificate, 1));
  }
  SECTION("a certificate of another authority is refused, whatever it says") {
    CHECK(peered.reached(peered.as(Authority{}, peered.web), peered.sni).empty());
    CHECK(peered.reached(peered.as(peered.exporter, peered.web), peered.sni).empty());
    CHECK(world.reaches(Counter::peering_bad_certificate, 2));
  }
  SECTION("an identity of another trust domain is refused") {
    CHECK(peered
              .reached(
                  peered.as(peered.importer, "URI:spiffe://other.consul/ns/default/dc/dc1/svc/web"),
                  peered.sni)
              .empty());
    CHECK(peered.reached(peered.as(peered.importer, "DNS:web"), peered.sni).empty());
    CHECK(world.reaches(Counter::peering_foreign_identity, 2));
  }
  SECTION("a caller whom intentions deny, or do not name, is refused") {
    CHECK(peered
              .reached(
                  peered.as(peered.importer, "URI:spiffe://one.consul/ns/default/dc/dc1/svc/bad"),
                  peered.sni)
              .empty());
    CHECK(
        peered
            .reached(peered.as(peered.importer, "URI:spiffe://one.consul/ns/other/dc/dc1/svc/web"),
                     peered.sni)
            .empty());
    CHECK(world.reaches(Counter::peering_denied, 2));
  }
  SECTION("a change of intentions holds for the next connection") {
    peered.callers({});
    world.apply();
    CHECK(peered.reached(peered.as(peered.importer, peered.web), peered.sni).empty());
    CHECK(world.reaches(Counter::peering_denied, 1));
  }
  CHECK(world.counted(Counter::peering_accepted) == 1);
  CHECK(peered.api->requests == 1);
}

TEST_CASE("a peered cluster is dialled with our identity, expecting theirs") {
  Peered remote;
  World world;
  const auto spiffe_web = remote.web;
  world.certificate(remote.importer.leaf("identity", spiffe_web));
  PeerTls tls{.sni = remote.sni,
              .spiffe_ids = {"spiffe://two.consul/else", remote.server_id},
              .root_pems = {remote.exporter.root.certificate},
              .identity = "identity"};
  const Endpoint gateway{"127.0.0.1", remote.port, 1};
  const auto port = world.serve({});
  world.cluster("backend", {gateway}, tls).apply();
  auto wire = Wire::dial(port);
  CHECK(ask(wire, get("/")).body == "api");
  CHECK(ask(wire, get("/")).body == "api");
  CHECK(world.counted(Counter::upstream_connects) == 1);
  CHECK(remote.world.counted(Counter::peering_accepted) == 1);

  SECTION("a server with another identity is not talked to") {
    tls.spiffe_ids = {"spiffe://two.consul/else"};
    world.cluster("backend", {gateway}, tls).apply();
    CHECK(ask(wire, get("/")).status == 502);
  }
  SECTION("nor one of another authority") {
    tls.root_pems = {remote.importer.root.certificate};
    world.cluster("backend", {gateway}, tls).apply();
    CHECK(ask(wire, get("/")).status == 502);
  }
  SECTION("an identity that is missing is 502, not a connection without one") {
    tls.identity = "gone";
    world.cluster("backend", {gateway}, tls).apply();
    CHECK(ask(wire, get("/")).status == 502);
    CHECK(remote.world.counted(Counter::tls_handshakes) == 1);
  }
  SECTION("a renewed identity is used for new connections at once") {
    world.certificate(
        remote.importer.leaf("identity", "URI:spiffe://one.consul/ns/default/dc/dc1/svc/bad"));
    world.apply();
    CHECK(ask(wire, get("/")).status == 502);
    CHECK(remote.world.reaches(Counter::peering_denied, 1));
  }
}

} // namespace strait::gateway::proxy::testing
