#include "gateway/resolve/tls_options.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::gateway;
using namespace strait::gateway::resolve;

namespace {

std::string error_of(const model::StringMap& options) {
  auto settings = tls_settings(options);
  return settings ? "" : settings.error().detail;
}

constexpr const char* min_version = "api-gateway.consul.hashicorp.com/tls_min_version";
constexpr const char* max_version = "api-gateway.consul.hashicorp.com/tls_max_version";
constexpr const char* suites = "api-gateway.consul.hashicorp.com/tls_cipher_suites";

} // namespace

TEST_CASE("without options TLS 1.2 is the least, with the default suites") {
  auto settings = tls_settings({});
  REQUIRE(settings);
  CHECK(settings->min == TlsVersion::tls1_2);
  CHECK(settings->max == TlsVersion::any);
  CHECK(settings->cipher_suites.empty());
}

TEST_CASE("each version has Consul's name, and TLS_AUTO means the default") {
  CHECK(tls_settings({{min_version, "TLSv1_0"}})->min == TlsVersion::tls1_0);
  CHECK(tls_settings({{min_version, "TLSv1_1"}})->min == TlsVersion::tls1_1);
  CHECK(tls_settings({{min_version, "TLSv1_3"}})->min == TlsVersion::tls1_3);
  CHECK(tls_settings({{min_version, "TLS_AUTO"}})->min == TlsVersion::tls1_2);
  CHECK(tls_settings({{max_version, "TLSv1_2"}})->max == TlsVersion::tls1_2);
  CHECK(error_of({{min_version, "tlsv1_2"}}).find("expected TLS_AUTO") != std::string::npos);
  CHECK(error_of({{max_version, ""}}).find("expected TLS_AUTO") != std::string::npos);
}

TEST_CASE("Strait's own keys mean the same, but nothing may be said twice") {
  CHECK(tls_settings({{"strait.dev/tls_min_version", "TLSv1_3"}})->min == TlsVersion::tls1_3);
  CHECK(error_of({{min_version, "TLSv1_2"}, {"strait.dev/tls_min_version", "TLSv1_3"}}) ==
        "tls.options[strait.dev/tls_min_version]: given under another prefix too");
}

TEST_CASE("suites are named as in RFC 8446's registry or as OpenSSL does, with blanks or without") {
  auto settings = tls_settings(
      {{suites, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, AES256-SHA,ECDHE-RSA-AES128-SHA"}});
  REQUIRE(settings);
  CHECK(settings->cipher_suites == std::vector<std::string>{"ECDHE-ECDSA-AES128-GCM-SHA256",
                                                            "AES256-SHA", "ECDHE-RSA-AES128-SHA"});
  CHECK(error_of({{suites, "RC4-SHA"}}).find("unknown cipher suite \"RC4-SHA\"") !=
        std::string::npos);
  CHECK(error_of({{suites, "AES256-SHA,,"}}).find("unknown cipher suite \"\"") !=
        std::string::npos);
}

TEST_CASE("suites cannot be chosen where TLS 1.3 is the least: it has its own") {
  CHECK(tls_settings({{suites, "AES256-SHA"}, {min_version, "TLS_AUTO"}}));
  CHECK(error_of({{suites, "AES256-SHA"}, {min_version, "TLSv1_3"}}).find("TLSv1_3") !=
        std::string::npos);
}

TEST_CASE("a least version above the greatest is an error, the default least one included") {
  CHECK_FALSE(error_of({{min_version, "TLSv1_3"}, {max_version, "TLSv1_2"}}).empty());
  CHECK_FALSE(error_of({{max_version, "TLSv1_1"}}).empty());
  CHECK(error_of({{min_version, "TLSv1_1"}, {max_version, "TLSv1_1"}}).empty());
}

TEST_CASE("an option that is not known is an error that names it") {
  for (auto* key : {"tls_min_version", "example.com/tls_min_version", "strait.dev/min", "/"})
    CHECK(error_of({{key, "TLSv1_2"}}) == fmt::format("tls.options[{}]: unknown option", key));
}
