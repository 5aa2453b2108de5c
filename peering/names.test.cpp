#include "peering/names.hpp"

#include "base/ascii.hpp"

#include <catch2/catch.hpp>

using namespace strait::peering;

namespace {
const std::string td = "11111111-2222-3333-4444-555555555555.consul";
}

TEST_CASE("a peer name is a DNS label in lower case") {
  CHECK(check_peer_name("dc2"));
  CHECK(check_peer_name("a"));
  CHECK(check_peer_name(std::string(63, 'a')));
  for (std::string bad : {std::string{}, std::string{"DC2"}, std::string{"-a"}, std::string{"a-"},
                          std::string{"a.b"}, std::string{"a_b"}, std::string(64, 'a')}) {
    auto status = check_peer_name(bad);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == strait::Errc::invalid);
  }
  CHECK(strait::ascii_lower("Dc-2") == "dc-2");
}

TEST_CASE("names are parsed back to what built them") {
  CHECK(peering_server_name("dc1", td) == "server.dc1.peering." + td);
  CHECK(parse_peering_server_name("server.dc1.peering." + td) == PeeringServerName{"dc1", td});
  CHECK_FALSE(parse_peering_server_name("server.dc1.peering." + td + ".x"));
  CHECK_FALSE(parse_peering_server_name("server..peering." + td));

  PeeredServiceSni sni{"api", "dc1-peer", td};
  CHECK(peered_service_sni(sni) == "api.default.default.dc1-peer.external." + td);
  CHECK(parse_peered_service_sni(peered_service_sni(sni)) == sni);
  CHECK_FALSE(parse_peered_service_sni("api.other.default.dc1-peer.external." + td));

  for (auto role : {SpiffeId::Role::service, SpiffeId::Role::mesh_gateway, SpiffeId::Role::server,
                    SpiffeId::Role::api_gateway}) {
    bool named = role == SpiffeId::Role::service || role == SpiffeId::Role::api_gateway;
    SpiffeId id{role, td, "dc1", named ? "api" : ""};
    CHECK(parse_spiffe_id(to_string(id)) == id);
  }
  CHECK(parse_spiffe_id("spiffe://" + td + "/ap/part/ns/default/dc/dc1/svc/api"));
  CHECK_FALSE(parse_spiffe_id("https://" + td + "/ns/default/dc/dc1/svc/api"));
  CHECK_FALSE(parse_spiffe_id("spiffe://" + td + "/ns/default/dc/dc1/svc/"));
  CHECK_FALSE(parse_spiffe_id("spiffe://" + td));
  CHECK(mesh_gateway_sni("dc1", td) == "dc1.internal." + td);
}

TEST_CASE("a trust domain is a lower case UUID under consul") {
  CHECK(is_trust_domain(td));
  CHECK(trust_domain_of("ABCDEF11-2222-3333-4444-555555555555") ==
        "abcdef11-2222-3333-4444-555555555555.consul");
  CHECK_FALSE(is_trust_domain("11111111-2222-3333-4444-555555555555.other."));
  CHECK_FALSE(is_trust_domain("11111111x2222-3333-4444-555555555555.consul"));
}
