#include "gateway/proxy/jwt.hpp"

#include "gateway/proxy/jwt_signer.test.hpp"
#include "net/http1_parser.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy::testing {

namespace {

const WallTime now{Millis{1'000'000'000}}; // Second 1,000,000.

JwtFault check(const Jwt::Provider& provider, const KeySet& keys, const std::string& token) {
  return check_jwt(provider, keys, token, now);
}

KeySet keys_of(const std::string& jwks) {
  auto keys = KeySet::parse(jwks);
  REQUIRE(keys);
  return std::move(*keys);
}

} // namespace

TEST_CASE("every algorithm verifies what it signed, and nothing else") {
  struct Row {
    Signer::Kind kind;
    std::vector<const char*> algorithms;
  };
  const Row rows[]{
      {Signer::Kind::rsa, {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}},
      {Signer::Kind::p256, {"ES256"}},
      {Signer::Kind::p384, {"ES384"}},
      {Signer::Kind::p521, {"ES512"}},
      {Signer::Kind::ed25519, {"EdDSA"}},
  };
  for (const auto& row : rows) {
    const Signer signer{row.kind}, stranger{row.kind};
    const auto keys = keys_of(signer.jwks());
    REQUIRE(keys.size() == 1);
    for (const auto* algorithm : row.algorithms) {
      CAPTURE(algorithm);
      const auto token = signer.token(algorithm, "{}");
      CHECK(check({}, keys, token) == JwtFault::none);
      CHECK(check({}, keys, stranger.token(algorithm, "{}")) == JwtFault::signature);
      CHECK(check({}, KeySet{}, token) == JwtFault::signature);
      auto changed = token;
      const auto claims = token.find('.') + 1;
      changed.replace(claims, token.rfind('.') - claims, base64url("{\"a\":1}"));
      CHECK(check({}, keys, changed) == JwtFault::signature);
    }
  }
}

TEST_CASE("a token cannot choose an algorithm that its key is not for") {
  const Signer signer{Signer::Kind::rsa};
  const auto keys = keys_of(signer.jwks("\"alg\":\"RS256\","));
  CHECK(check({}, keys, signer.token("RS256", "{}")) == JwtFault::none);
  CHECK(check({}, keys, signer.token("RS512", "{}")) == JwtFault::signature);
  CHECK(check({}, keys, signer.token("PS256", "{}")) == JwtFault::signature);
  for (const auto* algorithm : {"none", "HS256", "rs256", "ES256", "EdDSA"}) {
    const auto token =
        base64url("{\"alg\":\"" + std::string{algorithm} + "\"}") + "." + base64url("{}") + ".";
    CHECK(check({}, keys, token) == JwtFault::signature);
  }
}

TEST_CASE("keys are chosen by their id, their kind and their use") {
  const Signer first{Signer::Kind::p256}, second{Signer::Kind::p256};
  const auto keys = keys_of("{\"keys\":[" + first.jwk("\"kid\":\"1\",") + "," +
                            second.jwk("\"kid\":\"2\",\"use\":\"sig\",") + "]}");
  CHECK(check({}, keys, second.token("ES256", "{}", "\"kid\":\"2\",")) == JwtFault::none);
  CHECK(check({}, keys, second.token("ES256", "{}")) == JwtFault::none);
  CHECK(check({}, keys, second.token("ES256", "{}", "\"kid\":\"1\",")) == JwtFault::signature);
  CHECK(check({}, keys, second.token("ES256", "{}", "\"kid\":\"3\",")) == JwtFault::signature);
  CHECK(keys_of(first.jwks("\"use\":\"enc\",")).size() == 0);
  CHECK(keys_of(first.jwks("\"alg\":\"HS256\",")).size() == 0);
  CHECK(keys_of(Signer{Signer::Kind::rsa_short}.jwks()).size() == 0);
}

TEST_CASE("a key set that holds nonsense keeps its good keys") {
  const Signer good{Signer::Kind::ed25519};
  const auto with = [&](const std::string& other) {
    return keys_of("{\"keys\":[" + other + "," + good.jwk() + "]}").size();
  };
  CHECK(with("{}") == 1);
  CHECK(with("7") == 1);
  CHECK(with(R"({"kty":7})") == 1);
  CHECK(with(R"({"kty":"oct","k":"AAAA"})") == 1);
  CHECK(with(R"({"kty":"RSA","n":"AQAB","e":"AQAB"})") == 1);
  CHECK(with(R"({"kty":"RSA","n":"!","e":"AQAB"})") == 1);
  CHECK(with(R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})") == 1);
  // A point that is not on its curve.
  const std::string zeros(43, 'A');
  CHECK(with(R"({"kty":"EC","crv":"P-256","x":")" + zeros + R"(","y":")" + zeros + "\"}") == 1);
  for (const auto* text : {"", "{", "[]", "{}", R"({"keys":{}})"})
    CHECK(KeySet::parse(text).error().code == Errc::invalid);
}

TEST_CASE("key sets have their maxima") {
  std::string many{"{\"keys\":[{}"};
  for (std::size_t i = 1; i < jwks_keys_max; ++i)
    many += ",{}";
  CHECK(KeySet::parse(many + "]}"));
  CHECK(KeySet::parse(many + ",{}]}").error().code == Errc::exhausted);
  CHECK(KeySet::parse(std::string(jwks_bytes_max + 1, ' ')).error().code == Errc::exhausted);

  const Signer signer{Signer::Kind::p256}, other{Signer::Kind::p256};
  std::string list;
  for (std::size_t i = 0; i < jwks_tries_max; ++i)
    list += other.jwk() + ",";
  const auto last = keys_of("{\"keys\":[" + list + signer.jwk() + "]}");
  CHECK(check({}, last, signer.token("ES256", "{}")) == JwtFault::signature);
  const auto first = keys_of("{\"keys\":[" + signer.jwk() + "," + list + "{}]}");
  CHECK(check({}, first, signer.token("ES256", "{}")) == JwtFault::none);
}

TEST_CASE("claims are held against the provider, within its clock's skew") {
  struct Row {
    const char* claims;
    JwtFault expected;
  };
  const Row rows[]{
      {R"({"iss":"me","aud":"a"})", JwtFault::none},
      {R"({"iss":"me","aud":["x","b"]})", JwtFault::none},
      {R"({"iss":"me","aud":"c"})", JwtFault::audience},
      {R"({"iss":"me","aud":[]})", JwtFault::audience},
      {R"({"iss":"me"})", JwtFault::audience},
      {R"({"iss":"you","aud":"a"})", JwtFault::issuer},
      {R"({"aud":"a"})", JwtFault::issuer},
      {R"({"iss":["me"],"aud":"a"})", JwtFault::issuer},
      {R"({"iss":"me","aud":"a","exp":1000001})", JwtFault::none},
      {R"({"iss":"me","aud":"a","exp":999991})", JwtFault::none},
      {R"({"iss":"me","aud":"a","exp":999990})", JwtFault::expired},
      {R"({"iss":"me","aud":"a","exp":999990.5})", JwtFault::none},
      {R"({"iss":"me","aud":"a","exp":"1000001"})", JwtFault::expired},
      {R"({"iss":"me","aud":"a","exp":1e300})", JwtFault::none},
      {R"({"iss":"me","aud":"a","nbf":1000010})", JwtFault::none},
      {R"({"iss":"me","aud":"a","nbf":1000011})", JwtFault::not_yet},
      {R"({"iss":"me","aud":"a","nbf":null})", JwtFault::not_yet},
      {R"([])", JwtFault::malformed},
      {R"({"iss":"me")", JwtFault::malformed},
      {"", JwtFault::malformed},
  };
  Jwt::Provider provider{.issuer = "me", .audiences = {"a", "b"}, .clock_skew_seconds = 10};
  for (const auto& row : rows) {
    CAPTURE(row.claims);
    CHECK(check_claims(provider, row.claims, now) == row.expected);
  }
}

TEST_CASE("wanted claims are found by their path, in lists too") {
  const std::string claims{
      R"({"role":"admin","n":7,"ok":true,"a":{"b":{"c":["x","y"]}},"a.b":"dotted"})"};
  const auto fault = [&](std::vector<std::string> path, std::string value) {
    Jwt::Provider provider;
    provider.claims = {{{"role"}, "admin"}, {std::move(path), std::move(value)}};
    return check_claims(provider, claims, now);
  };
  CHECK(fault({"role"}, "admin") == JwtFault::none);
  CHECK(fault({"role"}, "user") == JwtFault::claims);
  CHECK(fault({"n"}, "7") == JwtFault::none);
  CHECK(fault({"ok"}, "true") == JwtFault::none);
  CHECK(fault({"a", "b", "c"}, "y") == JwtFault::none);
  CHECK(fault({"a", "b", "c"}, "z") == JwtFault::claims);
  CHECK(fault({"a", "b"}, "y") == JwtFault::claims);
  CHECK(fault({"a", "x", "c"}, "y") == JwtFault::claims);
  CHECK(fault({"role", "x"}, "admin") == JwtFault::claims);
  CHECK(fault({"a.b"}, "dotted") == JwtFault::none);
}

TEST_CASE("text that is no token is malformed") {
  const auto header = base64url(R"({"alg":"ES256"})");
  const auto critical = base64url(R"({"alg":"ES256","crit":["exp"]})");
  CHECK(check({}, {}, "") == JwtFault::missing);
  for (const auto& text :
       {std::string{"a"}, std::string{"a.b"}, std::string{"a.b.c"}, header + ".",
        header + "..=", header + ".e30.AA.AA", "." + header + ".", critical + ".e30.AA",
        header + "=.e30.AA", base64url("{}") + ".e30.AA", base64url("[]") + ".e30.AA",
        base64url("{\"alg\":7}") + "..", header + ".e30." + std::string(jwt_bytes_max, 'A')})
    CHECK(check({}, {}, text) == JwtFault::malformed);
  CHECK(check({}, {}, header + ".e30.AA") == JwtFault::signature);
}

TEST_CASE("base64url has one text for one value") {
  std::string out;
  CHECK(decode_base64url("", out));
  CHECK(out.empty());
  CHECK(decode_base64url("-_8", out));
  CHECK(out == "\xfb\xff");
  for (const auto* text : {"A", "AB", "AAB", "AA==", "A+A", "AAAAA", " "})
    CHECK_FALSE(decode_base64url(text, out));
}

TEST_CASE("a token is found in its header, query or cookie") {
  const std::string request{"GET /?x=1&access_token=q HTTP/1.1\r\nHost: a\r\n"
                            "Authorization: bearer h\r\nX-Token: raw\r\nX-Twice: a\r\n"
                            "X-Twice: b\r\nCookie: a=1\r\nCookie: jwt=c\r\n\r\n"};
  net::http1::RequestParser parser;
  REQUIRE(parser.parse(request) == net::http1::Progress::done);
  parser.head().rebase(request.data());
  using Type = Jwt::Location::Type;
  const auto at = [&](Type type, std::string name, std::string prefix) {
    return jwt_at({type, std::move(name), std::move(prefix), true}, parser.head());
  };
  CHECK(at(Type::header, "authorization", "Bearer") == "h");
  CHECK(at(Type::header, "authorization", "Bearer ") == "h");
  CHECK(at(Type::header, "authorization", "Bear") == "");
  CHECK(at(Type::header, "authorization", "Basic") == "");
  CHECK(at(Type::header, "x-token", "") == "raw");
  CHECK(at(Type::header, "x-twice", "") == "");
  CHECK(at(Type::query, "access_token", "") == "q");
  CHECK(at(Type::cookie, "jwt", "") == "c");
  CHECK(at(Type::cookie, "absent", "") == "");
  CHECK(jwt_locations({}).size() == 2);
}

TEST_CASE("key sets are made ready once, and kept up to a maximum") {
  KeySets sets{4};
  const Signer signer{Signer::Kind::ed25519};
  CHECK(sets.get(signer.jwks()).size() == 1);
  CHECK(sets.get(signer.jwks()).size() == 1);
  CHECK(sets.get("nonsense").size() == 0);
  CHECK(sets.made() == 2);
  for (int i = 0; i < 100; ++i) {
    sets.get(std::to_string(i));
    sets.get(signer.jwks());
    CHECK(sets.size() <= 4);
  }
  CHECK(sets.made() < 2 + 100 + 60); // The one in use is mostly kept.
}

} // namespace strait::gateway::proxy::testing
