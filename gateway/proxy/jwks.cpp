#include "gateway/proxy/jwks.hpp"

#include "gateway/proxy/jwt_json.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>

namespace strait::gateway::proxy {

namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Number number_of(std::string_view bytes) {
  return Number{BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr)};
}

struct Curve {
  std::string_view name;
  const char* group;
  std::size_t bytes; ///< Of a coordinate.
};
constexpr std::array<Curve, 3> curves{
    {{"P-256", "prime256v1", 32}, {"P-384", "secp384r1", 48}, {"P-521", "secp521r1", 66}}};

KeyPtr made_of(const char* type, OSSL_PARAM_BLD* builder) {
  Params params{OSSL_PARAM_BLD_to_param(builder)};
  KeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    return nullptr;
  return KeyPtr{key};
}

KeyPtr rsa_key(const Jwk& jwk) {
  constexpr std::size_t modulus_bytes_max = 2048, exponent_bytes_max = 8;
  if (jwk.n.empty() || jwk.e.empty() || jwk.n.size() > modulus_bytes_max ||
      jwk.e.size() > exponent_bytes_max)
    return nullptr;
  auto n = number_of(jwk.n), e = number_of(jwk.e);
  ParamBuilder builder{OSSL_PARAM_BLD_new()};
  if (!n || !e || !builder || BN_num_bits(n.get()) < rsa_bits_min || !BN_is_odd(n.get()) ||
      !BN_is_odd(e.get()) || BN_is_one(e.get()) ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return nullptr;
  return made_of("RSA", builder.get());
}

KeyPtr ec_key(const Jwk& jwk, const Curve& curve) {
  if (jwk.x.size() != curve.bytes || jwk.y.size() != curve.bytes)
    return nullptr;
  const std::string point = '\x04' + jwk.x + jwk.y;
  ParamBuilder builder{OSSL_PARAM_BLD_new()};
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group, 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1)
    return nullptr;
  auto key = made_of("EC", builder.get());
  if (!key)
    return nullptr;
  KeyContext context{EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr)};
  return context && EVP_PKEY_public_check(context.get()) == 1 ? std::move(key) : nullptr;
}

const EVP_MD* digest_of(JwsAlgorithm algorithm) {
  switch (algorithm) {
  case JwsAlgorithm::rs256:
  case JwsAlgorithm::ps256:
  case JwsAlgorithm::es256:
    return EVP_sha256();
  case JwsAlgorithm::rs384:
  case JwsAlgorithm::ps384:
  case JwsAlgorithm::es384:
    return EVP_sha384();
  case JwsAlgorithm::rs512:
  case JwsAlgorithm::ps512:
  case JwsAlgorithm::es512:
    return EVP_sha512();
  default:
    return nullptr;
  }
}

/// Both numbers one behind the other (RFC 7518 §3.4) as DER, for OpenSSL. Empty: it is none.
std::string der_of(std::string_view signature) {
  const auto half = signature.size() / 2;
  EcSignature numbers{ECDSA_SIG_new()};
  auto r = number_of(signature.substr(0, half)), s = number_of(signature.substr(half));
  if (!numbers || !r || !s || ECDSA_SIG_set0(numbers.get(), r.get(), s.get()) != 1)
    return {};
  r.release();
  s.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(numbers.get(), &der);
  if (size <= 0)
    return {};
  std::string text{reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)};
  OPENSSL_free(der);
  return text;
}

} // namespace

JwsAlgorithm jws_algorithm(std::string_view name) {
  constexpr std::array<std::string_view, static_cast<std::size_t>(JwsAlgorithm::unknown)> names{
      "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"};
  const auto found = std::find(names.begin(), names.end(), name);
  return static_cast<JwsAlgorithm>(found - names.begin());
}

struct KeySet::Key {
  enum class Kind : std::uint8_t { rsa, ec, ed25519 };
  Kind kind;
  std::string id;
  JwsAlgorithm only = JwsAlgorithm::unknown; ///< unknown: any that fits.
  std::size_t coordinate = 0;                ///< Bytes, of curves.
  KeyPtr key;

  bool fits(JwsAlgorithm algorithm) const {
    if (only != JwsAlgorithm::unknown && only != algorithm)
      return false;
    switch (algorithm) {
    case JwsAlgorithm::es256:
      return kind == Kind::ec && coordinate == 32;
    case JwsAlgorithm::es384:
      return kind == Kind::ec && coordinate == 48;
    case JwsAlgorithm::es512:
      return kind == Kind::ec && coordinate == 66;
    case JwsAlgorithm::eddsa:
      return kind == Kind::ed25519;
    case JwsAlgorithm::unknown:
      return false;
    default:
      return kind == Kind::rsa;
    }
  }

  bool verify(JwsAlgorithm algorithm, std::string_view text, std::string_view signature) const {
    std::string der;
    if (kind == Kind::ec) {
      if (signature.size() != 2 * coordinate)
        return false;
      der = der_of(signature);
      signature = der;
    }
    DigestContext context{EVP_MD_CTX_new()};
    EVP_PKEY_CTX* padding = nullptr; // The digest context's own.
    if (!context || EVP_DigestVerifyInit(context.get(), &padding, digest_of(algorithm), nullptr,
                                         key.get()) != 1)
      return false;
    const bool pss = algorithm == JwsAlgorithm::ps256 || algorithm == JwsAlgorithm::ps384 ||
                     algorithm == JwsAlgorithm::ps512;
    if (pss && (EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) != 1 ||
                EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) != 1))
      return false;
    return EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text),
                            text.size()) == 1;
  }
};

KeySet::KeySet() = default;
KeySet::KeySet(KeySet&&) noexcept = default;
KeySet& KeySet::operator=(KeySet&&) noexcept = default;
KeySet::~KeySet() = default;

std::size_t KeySet::size() const { return keys_.size(); }

Result<KeySet> KeySet::parse(std::string_view jwks) {
  auto parsed = parse_jwks(jwks);
  if (!parsed)
    return fail(parsed.error());
  KeySet set;
  for (auto& jwk : *parsed) {
    Key key{Key::Kind::rsa, std::move(jwk.id), JwsAlgorithm::unknown, 0, nullptr};
    if (!jwk.use.empty() && jwk.use != "sig")
      continue;
    if (!jwk.algorithm.empty()) {
      key.only = jws_algorithm(jwk.algorithm);
      if (key.only == JwsAlgorithm::unknown)
        continue;
    }
    if (jwk.type == "RSA") {
      key.key = rsa_key(jwk);
    } else if (jwk.type == "EC") {
      key.kind = Key::Kind::ec;
      for (const auto& curve : curves)
        if (curve.name == jwk.curve) {
          key.coordinate = curve.bytes;
          key.key = ec_key(jwk, curve);
        }
    } else if (jwk.type == "OKP" && jwk.curve == "Ed25519") {
      key.kind = Key::Kind::ed25519;
      key.key.reset(
          EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(jwk.x), jwk.x.size()));
    }
    if (key.key)
      set.keys_.push_back(std::move(key));
  }
  ERR_clear_error(); // What TLS of this thread would take for its own.
  return set;
}

bool KeySet::verify(JwsAlgorithm algorithm, std::string_view id, std::string_view text,
                    std::string_view signature) const {
  std::size_t tries = 0;
  bool verified = false;
  for (const auto& key : keys_) {
    if (!key.fits(algorithm) || (!id.empty() && !key.id.empty() && key.id != id))
      continue;
    if (tries++ == jwks_tries_max)
      break;
    verified = key.verify(algorithm, text, signature);
    if (verified)
      break;
  }
  ERR_clear_error();
  return verified;
}

bool decode_base64url(std::string_view text, std::string& out) {
  out.clear();
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (char c : text) {
    std::uint32_t digit = 0;
    if (c >= 'A' && c <= 'Z')
      digit = static_cast<std::uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z')
      digit = static_cast<std::uint32_t>(c - 'a' + 26);
    else if (c >= '0' && c <= '9')
      digit = static_cast<std::uint32_t>(c - '0' + 52);
    else if (c == '-')
      digit = 62;
    else if (c == '_')
      digit = 63;
    else
      return false;
    bits = bits << 6 | digit;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<char>(bits >> held & 0xff));
    }
  }
  // No digit too many, and nothing in the bits that are left: one text for one value.
  return held < 6 && (bits & ((1U << held) - 1)) == 0;
}

} // namespace strait::gateway::proxy
