#include "gateway/proxy/jwt_signer.test.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#include <stdexcept>
#include <vector>

namespace strait::gateway::proxy::testing {

namespace {

void demand(bool done) {
  if (!done)
    throw std::runtime_error("OpenSSL refuses");
}

std::string number(const EVP_PKEY* key, const char* name, std::size_t bytes = 0) {
  BIGNUM* value = nullptr;
  demand(EVP_PKEY_get_bn_param(key, name, &value) == 1);
  std::string text(bytes ? bytes : static_cast<std::size_t>(BN_num_bytes(value)), '\0');
  BN_bn2binpad(value, reinterpret_cast<unsigned char*>(text.data()), static_cast<int>(text.size()));
  BN_free(value);
  return text;
}

std::size_t coordinate(Signer::Kind kind) {
  return kind == Signer::Kind::p256 ? 32 : kind == Signer::Kind::p384 ? 48 : 66;
}

} // namespace

std::string base64url(std::string_view bytes) {
  std::string text(bytes.size() * 4 / 3 + 4, '\0');
  text.resize(static_cast<std::size_t>(EVP_EncodeBlock(
      reinterpret_cast<unsigned char*>(text.data()),
      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()))));
  while (text.ends_with('='))
    text.pop_back();
  for (char& c : text)
    c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

Signer::Signer(Kind kind) : kind_{kind} {
  switch (kind) {
  case Kind::rsa:
    key_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
    break;
  case Kind::rsa_short:
    key_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024}));
    break;
  case Kind::p256:
    key_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    break;
  case Kind::p384:
    key_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384"));
    break;
  case Kind::p521:
    key_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-521"));
    break;
  case Kind::ed25519:
    key_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    break;
  }
  demand(key_ != nullptr);
}

std::string Signer::jwk(std::string_view members) const {
  std::string json{"{"};
  json.append(members);
  const auto member = [&](std::string_view name, const std::string& bytes) {
    json.append(",\"").append(name).append("\":\"").append(base64url(bytes)).append("\"");
  };
  switch (kind_) {
  case Kind::rsa:
  case Kind::rsa_short:
    json.append("\"kty\":\"RSA\"");
    member("n", number(key_.get(), OSSL_PKEY_PARAM_RSA_N));
    member("e", number(key_.get(), OSSL_PKEY_PARAM_RSA_E));
    break;
  case Kind::p256:
  case Kind::p384:
  case Kind::p521:
    json.append("\"kty\":\"EC\",\"crv\":\"")
        .append(kind_ == Kind::p256   ? "P-256"
                : kind_ == Kind::p384 ? "P-384"
                                      : "P-521")
        .append("\"");
    member("x", number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, coordinate(kind_)));
    member("y", number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, coordinate(kind_)));
    break;
  case Kind::ed25519: {
    std::string bytes(32, '\0');
    auto size = bytes.size();
    demand(EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(bytes.data()),
                                       &size) == 1);
    json.append("\"kty\":\"OKP\",\"crv\":\"Ed25519\"");
    member("x", bytes);
    break;
  }
  }
  return json + "}";
}

std::string Signer::sign(JwsAlgorithm algorithm, std::string_view text) const {
  const EVP_MD* digest = nullptr;
  if (algorithm != JwsAlgorithm::eddsa) {
    const EVP_MD* digests[]{EVP_sha256(), EVP_sha384(), EVP_sha512()};
    digest = digests[static_cast<std::size_t>(algorithm) % 3];
  }
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(),
                                                                  &EVP_MD_CTX_free};
  EVP_PKEY_CTX* padding = nullptr;
  demand(EVP_DigestSignInit(context.get(), &padding, digest, nullptr, key_.get()) == 1);
  if (algorithm >= JwsAlgorithm::ps256 && algorithm <= JwsAlgorithm::ps512)
    demand(EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) == 1);
  std::vector<unsigned char> made(1024);
  auto size = made.size();
  demand(EVP_DigestSign(context.get(), made.data(), &size,
                        reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1);
  if (kind_ != Kind::p256 && kind_ != Kind::p384 && kind_ != Kind::p521)
    return {reinterpret_cast<char*>(made.data()), size};
  const unsigned char* at = made.data();
  auto* numbers = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size));
  demand(numbers != nullptr);
  const auto half = coordinate(kind_);
  std::string raw(2 * half, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(numbers), out, static_cast<int>(half));
  BN_bn2binpad(ECDSA_SIG_get0_s(numbers), out + half, static_cast<int>(half));
  ECDSA_SIG_free(numbers);
  return raw;
}

std::string Signer::token(std::string_view algorithm, std::string_view claims,
                          std::string_view header_members) const {
  std::string header{"{"};
  header.append(header_members).append("\"alg\":\"").append(algorithm).append("\"}");
  const auto text = base64url(header) + "." + base64url(claims);
  return text + "." + base64url(sign(jws_algorithm(algorithm), text));
}

} // namespace strait::gateway::proxy::testing
