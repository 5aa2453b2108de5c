#include "peering/token.hpp"

#include "net/base64.hpp"
#include "peering/authority.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::peering;

namespace {

Token sample() {
  static const auto pem = make_authority("11111111-2222-3333-4444-555555555555.consul", now_wall())
                              ->roots.at(0)
                              .certificate_pem;
  return {.ca_pems = {pem},
          .server_addresses = {"127.0.0.1:8503", "[::1]:8503"},
          .server_name = "server.dc1.peering.11111111-2222-3333-4444-555555555555.consul",
          .peer_id = "aaaaaaaa-0000-4000-8000-000000000000",
          .establishment_secret = "bbbbbbbb-0000-4000-8000-000000000000",
          .remote_datacenter = "dc1"};
}

std::string why(const Token& token) { return check_token(token).error().detail; }

} // namespace

TEST_CASE("a token is decoded to what was encoded, key by key as Consul names them") {
  auto token = sample();
  CHECK(decode_token(encode_token(token)) == token);
  auto json = net::from_base64(encode_token(token)).value();
  for (auto* key : {"\"CA\":[", "\"ManualServerAddresses\":null", "\"ServerAddresses\":[",
                    "\"ServerName\":", "\"PeerID\":", "\"EstablishmentSecret\":",
                    "\"Remote\":{\"Datacenter\":\"dc1\",\"Locality\":null,\"Partition\":\"\"}"})
    CHECK(json.find(key) != std::string::npos);
  token.manual_server_addresses = {"peer.example.com:443"};
  CHECK(decode_token(encode_token(token) + "\n") == token);
}

TEST_CASE("a token of Consul is understood, with keys that Strait does not know") {
  auto token = decode_token(net::to_base64(
      R"({"CA":null,"ManualServerAddresses":null,"ServerAddresses":["10.0.0.1:8502"],"ServerName":"",)"
      R"("PeerID":"p","EstablishmentSecret":"s","Remote":{"Partition":"default","Datacenter":"dc2",)"
      R"("Locality":{"Region":"eu"}},"Future":[1,{"a":2}]})"));
  REQUIRE(token);
  CHECK(token->remote_datacenter == "dc2");
  CHECK(token->remote_partition == "default");
}

TEST_CASE("each fault of a token has Consul's words") {
  auto token = sample();
  SECTION("no address") {
    token.server_addresses.clear();
    CHECK(why(token) == "peering token server addresses value is empty");
  }
  SECTION("a bad address") {
    for (std::string bad : {"1.2.3.4", "1.2.3.4:0", "1.2.3.4:65536", ":8503", "::1:8503", "a/b:1",
                            "1.2.3.4:80x", "[]:80"}) {
      token.manual_server_addresses = {bad};
      CHECK(why(token) == bad + " is not a valid peering server address");
    }
  }
  SECTION("no server name") {
    token.server_name.clear();
    CHECK(why(token) == "peering token server name value is empty");
    token.ca_pems.clear();
    CHECK(check_token(token));
  }
  SECTION("no peer id") {
    token.peer_id.clear();
    CHECK(why(token) == "peering token peer ID value is empty");
  }
  SECTION("a CA that is none") {
    token.ca_pems = {"not a certificate"};
    CHECK(why(token).starts_with("peering token invalid CA: "));
  }
}

TEST_CASE("a token that is no token is refused with a reason") {
  for (std::string bad : {"", "%%%", "AAAA", "e30=", "W10=", "e30"})
    CHECK(decode_token(bad).error().code == Errc::invalid);
  CHECK(decode_token(net::to_base64(R"({"CA":"x"})")).error().detail ==
        "peering token: CA: must be a list of strings");
  CHECK(decode_token(net::to_base64(R"({"PeerID":1})")).error().detail ==
        "peering token: PeerID: must be a string");
  CHECK_FALSE(decode_token(net::to_base64(std::string(100'000, '['))));
}

TEST_CASE("a token has maxima") {
  TokenLimits limits;
  auto token = sample();
  CHECK(decode_token(std::string(limits.token_bytes_max + 1, 'A')).error().code == Errc::exhausted);
  token.server_addresses.assign(limits.addresses_max + 1, "1.2.3.4:1");
  CHECK(check_token(token).error().code == Errc::exhausted);
  token = sample();
  token.ca_pems.assign(limits.certificates_max + 1, token.ca_pems.front());
  CHECK(check_token(token).error().code == Errc::exhausted);
}
