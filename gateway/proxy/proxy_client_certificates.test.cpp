#include "gateway/proxy/proxy_tls_fixture.test.hpp"

#include <catch2/catch.hpp>
#include <openssl/ssl.h>

#include <poll.h>
#include <unistd.h>

namespace strait::gateway::proxy::testing {

namespace {

/// An HTTPS port with listeners for "open.example", "strict.example" and "lax.example", and a
/// second strict one with authorities of its own.
struct Validating {
  Authority servers, clients, strangers;
  std::unique_ptr<Backend> backend = Backend::named("in");
  World world;
  std::uint16_t port = free_port(), other_port = free_port();

  Validating() {
    world.certificate(servers.leaf("edge", "DNS:*.example"));
    world.cluster("backend", {backend->endpoint()});
    listener("open", port, {});
    listener("strict", port, ClientValidation{{clients.root.certificate}, false});
    listener("lax", port, ClientValidation{{clients.root.certificate}, true});
    listener("other", other_port,
             ClientValidation{{strangers.root.certificate, Authority{}.root.certificate}, false});
    world.apply();
  }
  void listener(const std::string& name, std::uint16_t at,
                std::optional<ClientValidation> validation) {
    auto made = https(name, at, name + ".example", {"edge"});
    made.clients = std::move(validation);
    world.listener(made).all_to(name, "backend");
  }
  /// Whether a request is answered over a connection with this certificate; none if null.
  bool lets_in(const std::string& name, const Certificate* certificate,
               net::TlsVersion version = net::TlsVersion::tls1_3) {
    auto options = certificate ? presenting(servers, *certificate) : trusting(servers);
    options.version_max = version;
    TlsWire wire{name == "other" ? other_port : port, name + ".example", options};
    return wire.ask(get("/", name + ".example")).ends_with("\r\n\r\nin");
  }
};

/// What a client of OpenSSL's own sees: whether it was answered, and whether its session of before
/// was taken up again.
struct Resumption {
  bool answered = false, resumed = false;
};

class ResumingClient {
public:
  ResumingClient() : context_{SSL_CTX_new(TLS_client_method())} {
    SSL_CTX_set_verify(context_, SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_session_cache_mode(context_,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_set_app_data(context_, this);
    SSL_CTX_sess_set_new_cb(context_, [](SSL* ssl, SSL_SESSION* session) {
      static_cast<ResumingClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->keep(session);
      return 1;
    });
  }
  ~ResumingClient() {
    keep(nullptr);
    SSL_CTX_free(context_);
  }
  void limit_to_tls_1_2() { SSL_CTX_set_max_proto_version(context_, TLS1_2_VERSION); }
  bool has_session() const { return session_ != nullptr; }

  Resumption ask(std::uint16_t port, const std::string& host) {
    auto wire = Wire::dial(port);
    auto* ssl = SSL_new(context_);
    SSL_set_fd(ssl, wire.fd());
    SSL_set_tlsext_host_name(ssl, host.c_str());
    if (session_)
      SSL_set_session(ssl, session_);
    Resumption out;
    const auto request = get("/", host);
    char answer[4096];
    if (SSL_connect(ssl) == 1 &&
        SSL_write(ssl, request.data(), static_cast<int>(request.size())) > 0) {
      out.resumed = SSL_session_reused(ssl) == 1;
      out.answered = SSL_read(ssl, answer, sizeof answer) > 0;
      SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    return out;
  }

private:
  void keep(SSL_SESSION* session) {
    SSL_SESSION_free(session_);
    session_ = session;
  }
  SSL_CTX* context_;
  SSL_SESSION* session_ = nullptr;
};

} // namespace

TEST_CASE("who is let in depends on the listener's authorities and on what the client shows") {
  Validating v;
  const auto good = v.clients.leaf("good", "DNS:client");
  const auto foreign = v.strangers.leaf("foreign", "DNS:client");
  auto ended = issue({.common_name = "late", .valid_seconds = -60}, &v.clients.root);
  const Certificate late{"late", ended.certificate, ended.key};
  auto own = issue({.common_name = "self"});
  const Certificate self_signed{"self", own.certificate, own.key};
  const auto version = GENERATE(net::TlsVersion::tls1_2, net::TlsVersion::tls1_3);

  for (const auto* shown :
       {static_cast<const Certificate*>(nullptr), &good, &foreign, &late, &self_signed}) {
    CHECK(v.lets_in("open", shown, version));
    CHECK(v.lets_in("lax", shown, version));
    CHECK(v.lets_in("strict", shown, version) == (shown == &good));
    CHECK(v.lets_in("other", shown, version) == (shown == &foreign));
  }
  CHECK(v.backend->requests == 12);
  CHECK(v.world.reaches(Counter::tls_handshake_failures, 8));

  SECTION("other authorities hold for the next connection") {
    v.listener("strict", v.port, ClientValidation{{v.strangers.root.certificate}, false});
    v.world.apply();
    CHECK_FALSE(v.lets_in("strict", &good, version));
    CHECK(v.lets_in("strict", &foreign, version));
  }
  SECTION("a listener that trusts no authority lets nobody in") {
    v.listener("strict", v.port, ClientValidation{{}, false});
    v.world.apply();
    CHECK_FALSE(v.lets_in("strict", &good, version));
    CHECK_FALSE(v.lets_in("strict", nullptr, version));
    CHECK(v.lets_in("open", nullptr, version));
  }
  SECTION("a connection of one listener does not reach the hosts of another") {
    TlsWire open{v.port, "open.example", trusting(v.servers)};
    REQUIRE(open.ok());
    CHECK(open.ask(get("/", "strict.example")).starts_with("HTTP/1.1 421"));
  }
}

TEST_CASE("a TLS session is resumed by its own listener only, and never instead of a check") {
  Validating v;
  ResumingClient client;
  if (GENERATE(false, true))
    client.limit_to_tls_1_2();
  CHECK_FALSE(client.ask(v.port, "open.example").resumed);
  REQUIRE(client.has_session());
  const auto again = client.ask(v.port, "open.example");
  CHECK(again.resumed);
  CHECK(again.answered);
  // Same port, same certificate, same keys of tickets: another listener.
  v.listener("second", v.port, {});
  v.world.apply();
  const auto second = client.ask(v.port, "second.example");
  CHECK_FALSE(second.resumed);
  CHECK(second.answered);
  CHECK(client.ask(v.port, "second.example").resumed);
  const auto strict = client.ask(v.port, "strict.example");
  CHECK_FALSE(strict.resumed);
  CHECK_FALSE(strict.answered);
  const auto lax = client.ask(v.port, "lax.example");
  CHECK_FALSE(lax.resumed);
  CHECK(lax.answered);
  CHECK_FALSE(client.ask(v.port, "lax.example").resumed);

  SECTION("nor by the same listener once it wants certificates") {
    ResumingClient other;
    other.ask(v.port, "open.example");
    REQUIRE(other.has_session());
    v.listener("open", v.port, ClientValidation{{v.clients.root.certificate}, false});
    v.world.apply();
    const auto refused_now = other.ask(v.port, "open.example");
    CHECK_FALSE(refused_now.resumed);
    CHECK_FALSE(refused_now.answered);
  }
}

TEST_CASE("of several certificates the one with the best name for the server name is shown") {
  Authority authority;
  auto backend = Backend::named("b");
  World world;
  const auto port = free_port();
  world.cluster("b", {backend->endpoint()});
  world.certificate(authority.leaf("first", "DNS:first.org"));
  world.certificate(authority.leaf("wild", "DNS:wild.org,DNS:*.example.com"));
  world.certificate(authority.leaf("deep", "DNS:deep.org,DNS:*.b.example.com"));
  world.certificate(authority.leaf("exact", "DNS:exact.org,DNS:a.example.com"));
  world.listener(https("l", port, "", {"first", "wild", "deep", "exact"})).all_to("l", "b").apply();
  const auto shown = [&](const std::string& sni) {
    TlsWire wire{port, sni, trusting(authority)};
    return wire.ok() ? first_dns_name(wire) : std::string{"refused"};
  };
  CHECK(shown("a.example.com") == "exact.org");
  CHECK(shown("A.Example.COM") == "exact.org");
  CHECK(shown("b.example.com") == "wild.org");
  CHECK(shown("a.b.example.com") == "deep.org");
  CHECK(shown("x.a.b.example.com") == "first.org"); // A wildcard stands for one label.
  CHECK(shown("example.com") == "first.org");
  CHECK(shown("first.org") == "first.org");
  CHECK(shown("") == "first.org");
  // One that cannot be read does not keep the others from serving.
  world.certificate({"exact", "no PEM", "no PEM"}).apply();
  CHECK(shown("a.example.com") == "wild.org");
  CHECK(shown("a.b.example.com") == "deep.org");
}

} // namespace strait::gateway::proxy::testing
