#include "gateway/proxy/jwt_signer.test.hpp"
#include "gateway/proxy/proxy_fixture.test.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy::testing {

namespace {

struct Guarded {
  Guarded()
      : signer{Signer::Kind::p256}, backend{[](Wire& wire, Backend&) {
          for (;;) {
            const auto head = wire.head();
            if (head.empty())
              return;
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(head.size()) +
                      "\r\n\r\n" + head);
          }
        }},
        port{world.serve({backend.endpoint()})}, made{rule("/", {share("backend")})} {
    provider.issuer = "me";
    provider.jwks = signer.jwks();
  }
  void apply(std::vector<Jwt> jwt) {
    made.jwt = std::move(jwt);
    world.route("web", "HTTPRoute default/all", {{}, {made}}).apply();
  }
  void apply() { apply({Jwt{{provider}}}); }
  Answer with(const std::string& fields, const std::string& target = "/") {
    return ask(port, "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
  }
  std::string token(const std::string& claims = R"({"iss":"me","role":"admin"})") const {
    return signer.token("ES256", claims);
  }

  Signer signer;
  Backend backend;
  World world;
  std::uint16_t port;
  HttpRule made;
  Jwt::Provider provider;
};

} // namespace

TEST_CASE("without a good token a request gets no further than a challenge") {
  Guarded guarded;
  guarded.apply();
  auto answer = guarded.with("");
  CHECK(answer.status == 401);
  CHECK(answer.field("www-authenticate") == "Bearer");
  answer = guarded.with("Authorization: Bearer " + guarded.token(R"({"iss":"you"})") + "\r\n");
  CHECK(answer.status == 401);
  CHECK(answer.field("www-authenticate").starts_with("Bearer error=\"invalid_token\""));
  answer = guarded.with("Authorization: Bearer " + guarded.token() + "\r\n");
  CHECK(answer.status == 200);
  CHECK(guarded.with("", "/?access_token=" + guarded.token()).status == 200);
  CHECK(guarded.world.counted(Counter::jwt_denied) == 2);

  SECTION("a claim that is missing is a lack of rights") {
    guarded.provider.claims = {{{"role"}, "root"}};
    guarded.apply();
    answer = guarded.with("Authorization: Bearer " + guarded.token() + "\r\n");
    CHECK(answer.status == 403);
    CHECK(answer.field("www-authenticate").starts_with("Bearer error=\"insufficient_scope\""));
  }
  SECTION("a provider without keys yet vouches for nobody") {
    guarded.provider.jwks.clear();
    guarded.apply();
    CHECK(guarded.with("Authorization: Bearer " + guarded.token() + "\r\n").status == 401);
  }
  SECTION("a demand that nobody can meet is met by nobody") {
    guarded.apply({Jwt{}});
    CHECK(guarded.with("Authorization: Bearer " + guarded.token() + "\r\n").status == 401);
  }
}

TEST_CASE("one provider is enough, and every demand must be met") {
  Guarded guarded;
  const Signer other{Signer::Kind::ed25519};
  Jwt::Provider second{.issuer = "other", .jwks = other.jwks()};
  second.locations = {{Jwt::Location::Type::header, "x-token", "", true}};
  const auto mine = "Authorization: Bearer " + guarded.token() + "\r\n";
  const auto theirs = "X-Token: " + other.token("EdDSA", R"({"iss":"other"})") + "\r\n";
  guarded.apply({Jwt{{guarded.provider, second}}});
  CHECK(guarded.with(mine).status == 200);
  CHECK(guarded.with(theirs).status == 200);
  CHECK(guarded.with("").status == 401);
  guarded.apply({Jwt{{guarded.provider}}, Jwt{{second}}});
  CHECK(guarded.with(mine).status == 401);
  CHECK(guarded.with(theirs).status == 401);
  CHECK(guarded.with(mine + theirs).status == 200);
}

TEST_CASE("a token that is not to be passed on is not") {
  Guarded guarded;
  using Type = Jwt::Location::Type;
  guarded.provider.locations = {{Type::header, "authorization", "Bearer", false},
                                {Type::query, "token", "", false},
                                {Type::cookie, "jwt", "", false}};
  guarded.apply();
  auto seen = guarded.with("Authorization: Bearer " + guarded.token() + "\r\n").body;
  CHECK(seen.starts_with("GET / HTTP/1.1\r\n"));
  CHECK(field_of(seen, "authorization").empty());
  seen = guarded.with("", "/a?x=1&token=" + guarded.token() + "&y=2").body;
  CHECK(seen.starts_with("GET /a?x=1&y=2 HTTP/1.1\r\n"));
  seen = guarded.with("", "/a?token=" + guarded.token()).body;
  CHECK(seen.starts_with("GET /a HTTP/1.1\r\n"));
  seen = guarded.with("Cookie: a=1; jwt=" + guarded.token() + "; b=2\r\n").body;
  CHECK(field_of(seen, "cookie") == "a=1; b=2");
  seen = guarded.with("Cookie: jwt=" + guarded.token() + "\r\n").body;
  CHECK(seen.find("ookie") == std::string::npos);

  SECTION("nor with a rewrite or a redirect") {
    guarded.made.rewrite = Rewrite{"", PathEdit{PathEdit::Type::full, "/b"}};
    guarded.apply();
    seen = guarded.with("", "/a?x=1&token=" + guarded.token()).body;
    CHECK(seen.starts_with("GET /b?x=1 HTTP/1.1\r\n"));
    guarded.made.rewrite.reset();
    guarded.made.redirect = Redirect{.scheme = "https", .hostname = "c.org"};
    guarded.apply();
    const auto answer = guarded.with("", "/a?token=" + guarded.token());
    CHECK(answer.field("location") == "https://c.org/a");
  }
}

TEST_CASE("a preflight carries no token and needs none") {
  Guarded guarded;
  guarded.made.cors = Cors{.allow_origins = {"*"}};
  guarded.apply();
  const auto answer = ask(guarded.port, "OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: https://b.org\r\n"
                                        "Access-Control-Request-Method: GET\r\n\r\n");
  CHECK(answer.status == 204);
  const auto refused = guarded.with("Origin: https://b.org\r\n");
  CHECK(refused.status == 401);
  CHECK(refused.field("access-control-allow-origin") == "*");
}

} // namespace strait::gateway::proxy::testing
