#include "net/tls.hpp"

#include "net/client_hello.hpp"
#include "net/socket.hpp"
#include "net/test_certificates.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <poll.h>
#include <sys/socket.h>

using namespace strait;
using namespace strait::net;
using testing::issue;

namespace {

const auto& ca() {
  static const auto identity = issue({.common_name = "root", .authority = true});
  return identity;
}

std::shared_ptr<const TlsCertificate> certificate(const std::string& names,
                                                  const testing::Identity& issuer = ca()) {
  auto made = issue({.common_name = "leaf", .alternative_names = names}, &issuer);
  auto loaded = TlsCertificate::from_pem(made.certificate, made.key);
  REQUIRE(loaded);
  return *loaded;
}

std::shared_ptr<const TlsServerContext> server_context(TlsServerOptions options) {
  auto made = TlsServerContext::create(std::move(options));
  if (!made)
    FAIL(made.error().detail);
  return *made;
}

std::shared_ptr<const TlsClientContext> client_context(TlsClientOptions options) {
  auto made = TlsClientContext::create(std::move(options));
  if (!made)
    FAIL(made.error().detail);
  return *made;
}

/// Both ends of one TLS connection, driven by turns on one thread.
struct Ends {
  Ends(std::shared_ptr<const TlsServerContext> s, std::shared_ptr<const TlsClientContext> c,
       const TlsServerName& name) {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    server = std::move(*TlsStream::server(Fd{fds[0]}, std::move(s)));
    client = std::move(*TlsStream::client(Fd{fds[1]}, std::move(c), name));
  }
  /// True if both ends finished; false if one failed.
  bool shake() {
    Io a = Io::want_read, b = Io::want_read;
    for (int turn = 0; turn < 20; ++turn) {
      if (b != Io::ok && b != Io::failed)
        b = client->handshake().state;
      if (a != Io::ok && a != Io::failed)
        a = server->handshake().state;
    }
    if (a == Io::ok && b == Io::ok) {
      // With TLS 1.3 the client is done before the server has judged it; a refusal comes as read.
      std::array<char, 1> space;
      return client->read_some(space).state == Io::want_read;
    }
    return false;
  }
  std::unique_ptr<TlsStream> server, client;
};

std::string receive(Stream& stream) {
  std::array<char, 4096> space;
  auto got = stream.read_some(space);
  return {space.data(), got.bytes};
}

IoResult send(Stream& stream, std::string text) {
  std::array slices{iovec{text.data(), text.size()}};
  return stream.write_some(slices);
}

} // namespace

TEST_CASE("a key and a certificate are loaded, or the error says what is wrong with which") {
  auto good = issue({.common_name = "a"});
  auto other = issue({.common_name = "b"});
  auto error_of = [](const std::string& chain, const std::string& key) {
    auto loaded = TlsCertificate::from_pem(chain, key);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().code == Errc::invalid);
    return loaded.error().detail;
  };
  auto chained = TlsCertificate::from_pem(good.certificate + other.certificate, good.key);
  REQUIRE(chained);
  CHECK((*chained)->chain().size() == 2);
  CHECK(error_of(good.certificate, other.key) == "private key: it does not match the certificate");
  CHECK(error_of("", good.key) ==
        "certificate chain: expected PEM with at least one CERTIFICATE block");
  CHECK(error_of(good.certificate, "") == "private key: expected PEM with a PRIVATE KEY block");
  CHECK(error_of(good.certificate, good.certificate) ==
        "private key: expected PEM with a PRIVATE KEY block");
  auto torn = good.certificate;
  torn.replace(torn.size() / 2, 4, "!!!!");
  CHECK_THAT(error_of(torn, good.key), Catch::StartsWith("certificate chain: malformed PEM"));
  CHECK_THAT(error_of(good.certificate + torn, good.key),
             Catch::StartsWith("certificate chain: malformed PEM"));
  auto bad_key = good.key;
  bad_key.replace(bad_key.size() / 2, 4, "!!!!");
  CHECK_THAT(error_of(good.certificate, bad_key), Catch::StartsWith("private key: malformed PEM"));
  auto weak = issue({.common_name = "w", .rsa_bits = 1024});
  CHECK(error_of(weak.certificate, weak.key) ==
        "certificate: RSA key of 1024 bits, at least 2048 are required");
  std::string many;
  for (std::size_t i = 0; i <= TlsCertificate::chain_max; ++i)
    many += good.certificate;
  CHECK_THAT(error_of(many, good.key), Catch::Contains("at most 10"));
}

TEST_CASE("bytes pass a TLS connection both ways, and its end is told") {
  auto server =
      server_context({.certificate = certificate("DNS:web.example"), .alpn = {"h2", "http/1.1"}});
  auto client = client_context({.ca_pem = ca().certificate, .alpn = {"http/1.1"}});
  Ends ends{server, client, {.sni = "web.example", .host = "web.example"}};
  REQUIRE(ends.shake());
  CHECK(ends.server->alpn() == "http/1.1");
  CHECK(ends.client->alpn() == "http/1.1");
  CHECK(ends.server->sni() == "web.example");
  CHECK(ends.server->version() == "TLSv1.3");
  CHECK_FALSE(ends.server->has_peer_certificate());
  CHECK(ends.client->peer().dns_names == std::vector<std::string>{"web.example"});

  char a[] = "hello ", b[] = "world";
  std::array slices{iovec{a, 6}, iovec{b, 5}};
  CHECK(ends.client->write_some(slices).bytes == 11);
  CHECK(receive(*ends.server) == "hello world");
  CHECK(ends.server->drained());

  SECTION("a full pipe makes the writer wait, and nothing is lost or doubled") {
    std::string sent, got, block(20'000, 'x');
    for (std::size_t i = 0; i < block.size(); ++i)
      block[i] = static_cast<char>('a' + i * 7 % 26);
    bool waited = false;
    std::size_t offset = 0;
    while (sent.size() < 2'000'000) {
      auto result = send(*ends.client, block.substr(offset) + block);
      if (result.state == Io::want_write) {
        waited = true;
        for (auto part = receive(*ends.server); !part.empty(); part = receive(*ends.server))
          got += part;
        continue;
      }
      REQUIRE(result.state == Io::ok);
      sent += (block.substr(offset) + block).substr(0, result.bytes);
      offset = (offset + result.bytes) % block.size();
    }
    for (auto part = receive(*ends.server); !part.empty(); part = receive(*ends.server))
      got += part;
    CHECK(waited);
    CHECK((got == sent));
  }
  SECTION("an orderly end is closed, not failed") {
    CHECK(ends.client->shutdown().state == Io::ok);
    std::array<char, 8> space;
    CHECK(ends.server->read_some(space).state == Io::closed);
  }
  SECTION("writing to a peer that is gone fails without a signal") {
    ends.client->close();
    IoResult result;
    for (int i = 0; i < 3 && result.state != Io::failed; ++i)
      result = send(*ends.server, "x");
    CHECK(result.state == Io::failed);
    CHECK_FALSE(ends.server->failure().empty());
  }
}

TEST_CASE("a client refuses a foreign root, another name and another SPIFFE id, and says why") {
  auto spiffe = "spiffe://dc1.strait/ns/default/dc/dc1/svc/web";
  auto server = server_context(
      {.certificate = certificate(std::string{"DNS:web.example,IP:127.0.0.1,URI:"} + spiffe)});
  auto client = client_context({.ca_pem = ca().certificate});
  auto why = [&](std::shared_ptr<const TlsClientContext> context, const TlsServerName& name) {
    Ends ends{server, std::move(context), name};
    return ends.shake() ? std::string{} : ends.client->failure();
  };
  CHECK(why(client, {.host = "web.example"}) == "");
  CHECK(why(client, {.host = "127.0.0.1"}) == "");
  CHECK(why(client, {.spiffe_id = spiffe}) == "");
  CHECK(why(client, {.host = "other.example"}) == "peer certificate: hostname mismatch");
  CHECK(why(client, {.host = "127.0.0.2"}) == "peer certificate: IP address mismatch");
  CHECK(why(client, {.spiffe_id = "spiffe://dc2"}) ==
        std::string{"peer certificate: expected spiffe://dc2, presented "} + spiffe);
  auto stranger = issue({.common_name = "root", .authority = true});
  CHECK_THAT(why(client_context({.ca_pem = stranger.certificate}), {}),
             Catch::StartsWith("peer certificate: "));
  CHECK(why(client_context({.insecure = true}), {}) == "");
  auto picky = client_context({.insecure = true, .verify = [](const PeerIdentity& peer) -> Status {
                                 return fail(Errc::denied, "no {}", peer.uris.at(0));
                               }});
  CHECK(why(picky, {}) == std::string{"peer certificate: no "} + spiffe);
  CHECK_FALSE(TlsClientContext::create({}));
}

TEST_CASE("a server's common name is no identity") {
  auto named = issue({.common_name = "a.example"}, &ca());
  auto server =
      server_context({.certificate = *TlsCertificate::from_pem(named.certificate, named.key)});
  auto client = client_context({.ca_pem = ca().certificate});
  CHECK(Ends(server, client, {}).shake());
  CHECK_FALSE(Ends(server, client, {.host = "a.example"}).shake());
}

TEST_CASE("a server asks for a client certificate as told, and its decision sees the identity") {
  PeerIdentity seen;
  bool admit = true;
  auto options = [&](ClientAuth auth) {
    return TlsServerOptions{.certificate = certificate("DNS:s"),
                            .client_auth = auth,
                            .client_ca_pem = ca().certificate,
                            .verify = [&](const PeerIdentity& peer) -> Status {
                              seen = peer;
                              if (!admit)
                                return fail(Errc::denied, "intention denies {}", peer.uris.at(0));
                              return {};
                            }};
  };
  auto with =
      client_context({.ca_pem = ca().certificate, .certificate = certificate("URI:spiffe://x/y")});
  auto without = client_context({.ca_pem = ca().certificate});
  auto stranger = issue({.common_name = "root2", .authority = true});
  auto foreign = client_context(
      {.ca_pem = ca().certificate, .certificate = certificate("URI:spiffe://x/y", stranger)});

  Ends good{server_context(options(ClientAuth::required)), with, {}};
  REQUIRE(good.shake());
  CHECK(seen.uris == std::vector<std::string>{"spiffe://x/y"});
  CHECK(seen.chain_pem.size() == 1);
  CHECK(verify_chain(seen.chain_pem, ca().certificate));
  CHECK(verify_chain(seen.chain_pem, stranger.certificate).error().code == Errc::denied);
  CHECK(good.server->peer().uris == seen.uris);
  CHECK(good.server->peer().sha256.size() == 64);
  CHECK_FALSE(Ends(server_context(options(ClientAuth::required)), without, {}).shake());
  CHECK(Ends(server_context(options(ClientAuth::optional)), without, {}).shake());
  CHECK_FALSE(Ends(server_context(options(ClientAuth::optional)), foreign, {}).shake());
  CHECK(Ends(server_context(options(ClientAuth::none)), with, {}).shake());
  CHECK(Ends(server_context(options(ClientAuth::requested)), with, {}).shake());
  CHECK(Ends(server_context(options(ClientAuth::requested)), without, {}).shake());
  Ends anyone{server_context(options(ClientAuth::requested)), foreign, {}};
  CHECK(anyone.shake());
  CHECK(anyone.server->has_peer_certificate());
  admit = false;
  Ends refused{server_context(options(ClientAuth::required)), with, {}};
  CHECK_FALSE(refused.shake());
  CHECK(refused.server->failure() == "peer certificate: intention denies spiffe://x/y");
}

TEST_CASE("the server name chooses the context with all of its rules") {
  auto plain = server_context({.certificate = certificate("DNS:plain.example"), .alpn = {"h2"}});
  auto strict = server_context({.certificate = certificate("DNS:strict.example"),
                                .version_max = TlsVersion::tls1_2,
                                .cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
                                .alpn = {"http/1.1"},
                                .client_auth = ClientAuth::required,
                                .client_ca_pem = ca().certificate});
  std::string asked;
  auto front = server_context({.select = [&](std::string_view sni) {
    asked = sni;
    return sni == "plain.example" ? plain : sni == "strict.example" ? strict : nullptr;
  }});
  auto client = client_context({.ca_pem = ca().certificate,
                                .certificate = certificate("URI:spiffe://c"),
                                .alpn = {"h2", "http/1.1"}});
  auto anonymous = client_context({.ca_pem = ca().certificate});
  Ends a{front, client, {.sni = "PLAIN.example", .host = "plain.example"}};
  REQUIRE(a.shake());
  CHECK(asked == "plain.example");
  CHECK(a.client->alpn() == "h2");
  CHECK(a.client->version() == "TLSv1.3");
  CHECK_FALSE(a.server->has_peer_certificate());
  Ends b{front, client, {.sni = "strict.example", .host = "strict.example"}};
  REQUIRE(b.shake());
  CHECK(b.client->alpn() == "http/1.1");
  CHECK(b.client->version() == "TLSv1.2");
  CHECK(b.client->cipher() == "ECDHE-ECDSA-AES256-GCM-SHA384");
  CHECK(b.server->has_peer_certificate());
  CHECK_FALSE(Ends(front, anonymous, {.sni = "strict.example"}).shake());
  Ends c{front, client, {.sni = "unknown.example"}};
  CHECK_FALSE(c.shake());
  CHECK_THAT(c.client->failure(), Catch::Contains("unrecognized name"));
  CHECK_FALSE(Ends(front, client, {}).shake()); // No name at all.
  CHECK(asked.empty());
  auto other = client_context({.ca_pem = ca().certificate, .alpn = {"spdy/3"}});
  CHECK_FALSE(Ends(front, other, {.sni = "plain.example"}).shake());
}

TEST_CASE("TLS options that cannot hold are refused by name") {
  auto error_of = [](TlsServerOptions options) {
    auto made = TlsServerContext::create(std::move(options));
    REQUIRE_FALSE(made);
    return made.error().detail;
  };
  auto good = certificate("DNS:a");
  CHECK_THAT(error_of({}), Catch::Contains("neither a certificate"));
  CHECK_THAT(error_of({.certificate = good,
                       .version_min = TlsVersion::tls1_3,
                       .version_max = TlsVersion::tls1_2}),
             Catch::Contains("minimum version"));
  CHECK_THAT(
      error_of({.certificate = good, .cipher_suites = {"ECDHE-RSA-AES128-GCM-SHA256", "NONSENSE"}}),
      Catch::Contains("\"NONSENSE\""));
  CHECK_THAT(error_of({.certificate = good, .alpn = {""}}), Catch::Contains("alpn"));
  CHECK_THAT(error_of({.certificate = good, .client_auth = ClientAuth::required}),
             Catch::Contains("which to trust"));
  CHECK_THAT(
      error_of({.certificate = good, .client_auth = ClientAuth::required, .client_ca_pem = "x"}),
      Catch::Contains("CA bundle"));
  CHECK_THAT(error_of({.certificate = good, .ticket_keys = "short"}),
             Catch::Contains("expected 80"));
}

TEST_CASE("the versions of both ends meet, or the handshake fails") {
  auto old_client = client_context({.ca_pem = ca().certificate,
                                    .version_min = TlsVersion::tls1_0,
                                    .version_max = TlsVersion::tls1_1});
  auto modern = server_context({.certificate = certificate("DNS:a")});
  CHECK_FALSE(Ends(modern, old_client, {}).shake());
  auto lenient =
      server_context({.certificate = certificate("DNS:a"), .version_min = TlsVersion::tls1_0});
  Ends ends{lenient, old_client, {}};
  CHECK(ends.shake());
  CHECK(ends.server->version() == "TLSv1.1");
}

TEST_CASE("what a real client sends is peeked at, however it is cut") {
  int fds[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
  Fd reader{fds[0]};
  auto context = client_context({.insecure = true, .alpn = {"h2", "http/1.1"}});
  auto client = std::move(*TlsStream::client(Fd{fds[1]}, context, {.sni = "Api.Example"}));
  CHECK(client->handshake().state == Io::want_read);
  TcpStream raw{std::move(reader)};
  auto bytes = receive(raw);
  REQUIRE(bytes.size() > 100);
  using State = ClientHello::State;
  auto hello = peek_client_hello(bytes + "more");
  CHECK(hello.state == State::complete);
  CHECK(hello.server_name == "api.example");
  CHECK(hello.alpn == std::vector<std::string>{"h2", "http/1.1"});
  for (std::size_t n = 0; n < bytes.size(); ++n)
    REQUIRE(peek_client_hello(bytes.substr(0, n)).state == State::need_more);

  std::string fragmented;
  for (std::size_t i = 5; i < bytes.size(); i += 7) {
    auto piece = bytes.substr(i, 7);
    fragmented += std::string{"\x16\x03\x01\x00", 4} + static_cast<char>(piece.size()) + piece;
  }
  CHECK(peek_client_hello(fragmented).server_name == "api.example");

  CHECK(peek_client_hello("GET / HTTP/1.1").state == State::not_tls);
  CHECK(peek_client_hello(std::string{"\x16\x02", 2}).state == State::not_tls);
  auto broken = bytes;
  broken[5] = 2; // A ServerHello.
  CHECK(peek_client_hello(broken).state == State::malformed);
  broken = bytes;
  broken[5 + 4 + 34] = '\xff'; // A session id that is too long for the message's rest is malformed…
  CHECK(peek_client_hello(broken).state == State::malformed);
  broken = bytes;
  broken[6] = 1; // 65536 bytes and more.
  CHECK(peek_client_hello(broken).state == State::too_large);
  std::string trickle;
  while (trickle.size() < client_hello_wire_bytes_max)
    trickle += trickle.empty() ? std::string{"\x16\x03\x01\x00\x04\x01\x00\x3f\x00", 9}
                               : std::string{"\x16\x03\x01\x00\x01x", 6};
  CHECK(peek_client_hello(trickle.substr(0, client_hello_wire_bytes_max - 1)).state ==
        State::need_more);
  CHECK(peek_client_hello(trickle).state == State::too_large);
}
