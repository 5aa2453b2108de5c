#include "peering/authority.hpp"

#include "peering/x509.hpp"

#include <catch2/catch.hpp>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

using namespace strait;
using namespace strait::peering;

namespace {

const std::string td = "11111111-2222-3333-4444-555555555555.consul";

std::vector<x509::CertificatePtr> read_all(const std::string& pem) {
  std::vector<x509::CertificatePtr> all;
  auto* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  while (auto* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr))
    all.emplace_back(certificate);
  ERR_clear_error();
  BIO_free(bio);
  return all;
}

/// OpenSSL's own verdict on a chain, for a server of that name.
bool verifies(const Leaf& leaf, const std::vector<std::string>& roots, WallTime now,
              const char* host = nullptr) {
  auto chain = read_all(leaf.chain_pem);
  auto* store = X509_STORE_new();
  for (const auto& root : roots)
    X509_STORE_add_cert(store, read_all(root).at(0).get());
  auto* rest = sk_X509_new_null();
  for (std::size_t i = 1; i < chain.size(); ++i)
    sk_X509_push(rest, chain[i].get());
  auto* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, chain.at(0).get(), rest);
  auto* parameters = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_time(parameters, std::chrono::system_clock::to_time_t(now));
  X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
  if (host)
    X509_VERIFY_PARAM_set1_host(parameters, host, 0);
  bool ok = X509_verify_cert(context) == 1;
  if (!ok)
    UNSCOPED_INFO(X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
  X509_STORE_CTX_free(context);
  sk_X509_free(rest);
  X509_STORE_free(store);
  return ok;
}

const WallTime now = from_rfc3339("2026-11-23T12:00:00Z");

} // namespace

TEST_CASE("a leaf verifies under the authority that issued it, and under no other") {
  auto authority = make_authority(td, now).value();
  auto leaf = issue(authority, server_leaf(td, "dc1"), now).value();
  auto roots = trusted_roots(authority, now);
  CHECK(verifies(leaf, roots, now, ("server.dc1.peering." + td).c_str()));
  CHECK_FALSE(verifies(leaf, roots, now, ("server.dc2.peering." + td).c_str()));
  CHECK_FALSE(verifies(leaf, roots, now + std::chrono::hours{73}));

  auto foreign = make_authority("99999999-2222-3333-4444-555555555555.consul", now).value();
  CHECK_FALSE(verifies(leaf, trusted_roots(foreign, now), now));
}

TEST_CASE("certificates name the identities that peers look for") {
  auto authority = make_authority(td, now).value();
  auto root = read_certificate(authority.roots.at(0).certificate_pem).value();
  CHECK(root.authority);
  CHECK(root.uris == std::vector<std::string>{"spiffe://" + td});
  CHECK(root.not_after - root.not_before > std::chrono::hours{24 * 3650});

  auto server = read_certificate(issue(authority, server_leaf(td, "dc1"), now)->chain_pem).value();
  CHECK_FALSE(server.authority);
  CHECK(server.uris == std::vector<std::string>{"spiffe://" + td + "/agent/server/dc/dc1"});
  CHECK(server.dns_names == std::vector<std::string>{"server.dc1.peering." + td});

  auto api = issue(authority, service_leaf(td, "dc1", "api"), now).value();
  auto service = read_certificate(api.chain_pem).value();
  CHECK(service.uris == std::vector<std::string>{"spiffe://" + td + "/ns/default/dc/dc1/svc/api"});
  CHECK(service.not_before == api.not_before);
  CHECK(service.not_after == api.not_after);
  CHECK(service.not_after - now == std::chrono::hours{72});

  auto gateway = issue(authority, mesh_gateway_leaf(td, "dc1"), now).value();
  CHECK(gateway.spiffe_id == "spiffe://" + td + "/gateway/mesh/dc/dc1");
}

TEST_CASE("during the overlap of a rotation, leaves verify under the old and under the new root") {
  auto before = make_authority(td, now).value();
  auto old_leaf = issue(before, server_leaf(td, "dc1"), now).value();
  auto later = now + std::chrono::hours{1};
  auto after = rotate(before, later).value();
  REQUIRE(after.roots.size() == 2);
  auto new_leaf = issue(after, server_leaf(td, "dc1"), later).value();

  std::vector<std::string> old_root{before.roots.at(0).certificate_pem};
  std::vector<std::string> new_root{after.roots.at(1).certificate_pem};
  auto both = trusted_roots(after, later);
  CHECK(both.size() == 2);
  CHECK(both.front() == new_root.front());
  CHECK(verifies(new_leaf, old_root, later));
  CHECK(verifies(new_leaf, new_root, later));
  CHECK(verifies(new_leaf, both, later));
  CHECK(verifies(old_leaf, both, later));
  CHECK_FALSE(verifies(old_leaf, new_root, later));

  SECTION("a second rotation is covered too") {
    auto third = rotate(after, later + std::chrono::hours{1}).value();
    auto leaf = issue(third, server_leaf(td, "dc1"), later + std::chrono::hours{1}).value();
    CHECK(verifies(leaf, old_root, later + std::chrono::hours{1}));
    CHECK(verifies(leaf, new_root, later + std::chrono::hours{1}));
  }
}

TEST_CASE("expired roots are dropped, and the number of valid ones is bounded") {
  AuthorityOptions options;
  options.roots_max = 2;
  options.root_life = std::chrono::hours{100};
  auto authority = make_authority(td, now, options).value();
  authority = rotate(authority, now, options).value();
  auto refused = rotate(authority, now, options);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::exhausted);
  auto late = now + std::chrono::hours{101};
  CHECK(trusted_roots(authority, late).empty());
  CHECK(issue(authority, server_leaf(td, "dc1"), late).error().code == Errc::unavailable);
  CHECK(rotate(authority, late, options)->roots.size() == 1);

  SECTION("a leaf never outlives its root") {
    auto leaf = issue(authority, server_leaf(td, "dc1"), now + std::chrono::hours{90}, options);
    CHECK(leaf->not_after == authority.roots.at(1).not_after);
  }
}

TEST_CASE("a leaf is renewed after two thirds of its life") {
  Leaf leaf{.not_before = now, .not_after = now + std::chrono::hours{72}};
  CHECK(renew_at(leaf.not_before, leaf.not_after) == now + std::chrono::hours{48});
  CHECK_FALSE(renewal_due(leaf, now + std::chrono::hours{48} - Millis{1}));
  CHECK(renewal_due(leaf, now + std::chrono::hours{48}));
}

TEST_CASE("an authority refuses what is not its own") {
  CHECK(make_authority("dc1.consul", now).error().code == Errc::invalid);
  auto authority = make_authority(td, now).value();
  auto other =
      issue(authority, server_leaf("99999999-2222-3333-4444-555555555555.consul", "dc1"), now);
  CHECK(other.error().code == Errc::invalid);
  CHECK_FALSE(read_certificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
}

TEST_CASE("a session key is the same wherever the root is, and another for each gateway and root") {
  auto authority = make_authority(td, now).value();
  auto& root = authority.roots.at(0);
  auto key = session_key(root, "shop/edge").value();
  CHECK(key.size() == 44);
  auto elsewhere = root;
  elsewhere.active = false;
  CHECK(session_key(elsewhere, "shop/edge") == key);
  CHECK(session_key(root, "shop/edges") != key);
  CHECK(session_key(root, "shops/edge") != key);
  CHECK(session_key(make_authority(td, now)->roots.at(0), "shop/edge") != key);
  elsewhere.key_pem.clear();
  CHECK(session_key(elsewhere, "shop/edge").error().code == Errc::corrupt);
}

TEST_CASE("a session key is HMAC-SHA-256 of the gateway under the root's private key") {
  // printf 'session shop/edge' | openssl dgst -sha256 -hmac secret -binary | base64
  CHECK(session_key({.key_pem = "secret"}, "shop/edge") ==
        "aSRWOatOYUXmoM7HpJOTtse9DX85bXTmSfBTaI2DwWM=");
}

TEST_CASE("after a rotation the new session key stands first and the former ones follow") {
  AuthorityOptions options;
  options.root_life = std::chrono::hours{10};
  auto authority = make_authority(td, now, options).value();
  auto first = session_key(authority.roots.at(0), "shop/edge").value();
  CHECK(session_keys(authority, "shop/edge", now) == first + '\n');
  authority = rotate(authority, now + std::chrono::hours{1}, options).value();
  authority = rotate(authority, now + std::chrono::hours{2}, options).value();
  auto second = session_key(authority.roots.at(1), "shop/edge").value();
  auto third = session_key(authority.roots.at(2), "shop/edge").value();
  CHECK(session_keys(authority, "shop/edge", now + std::chrono::hours{2}) ==
        third + '\n' + second + '\n' + first + '\n');
  CHECK(session_keys(authority, "shop/edge", now + std::chrono::hours{10}) ==
        third + '\n' + second + '\n');
  CHECK(session_keys(authority, "shop/edge", now + std::chrono::hours{12}).error().code ==
        Errc::unavailable);
}
