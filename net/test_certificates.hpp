#pragma once

// Certificates for tests, made on the spot: no files, no dates that run out.

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace strait::net::testing {

struct Identity {
  std::string certificate; ///< PEM
  std::string key;         ///< PEM
};

struct Issue {
  std::string common_name;
  std::string alternative_names{}; ///< OpenSSL's form: "DNS:a,URI:spiffe://b,IP:127.0.0.1"
  bool authority = false;
  int rsa_bits = 0; ///< 0: P-256.
  long valid_seconds = 3600;
};

namespace detail {
inline std::string text_of(BIO* bio) {
  char* data = nullptr;
  auto size = BIO_get_mem_data(bio, &data);
  std::string out{data, static_cast<std::size_t>(size)};
  BIO_free(bio);
  return out;
}
inline BIO* bio_of(const std::string& text) {
  return BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
}
} // namespace detail

/// A certificate signed by `issuer`, or by itself without one.
inline Identity issue(const Issue& what, const Identity* issuer = nullptr) {
  auto* key =
      what.rsa_bits ? EVP_RSA_gen(static_cast<unsigned>(what.rsa_bits)) : EVP_EC_gen("P-256");
  auto* certificate = X509_new();
  X509_set_version(certificate, 2);
  static long serial = 1;
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
  X509_gmtime_adj(X509_getm_notAfter(certificate), what.valid_seconds);
  auto* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(what.common_name.data()),
                             static_cast<int>(what.common_name.size()), -1, 0);
  X509_set_pubkey(certificate, key);
  X509* signer = certificate;
  EVP_PKEY* signing_key = key;
  if (issuer) {
    auto* bio = detail::bio_of(issuer->certificate);
    signer = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    bio = detail::bio_of(issuer->key);
    signing_key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
  }
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  X509V3_CTX context;
  X509V3_set_ctx(&context, signer, certificate, nullptr, nullptr, 0);
  auto extend = [&](int id, const std::string& value) {
    if (auto* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str())) {
      X509_add_ext(certificate, extension, -1);
      X509_EXTENSION_free(extension);
    }
  };
  extend(NID_basic_constraints, what.authority ? "critical,CA:TRUE" : "CA:FALSE");
  // So that two authorities of one name are told apart.
  extend(NID_subject_key_identifier, "hash");
  if (issuer)
    extend(NID_authority_key_identifier, "keyid");
  if (!what.alternative_names.empty())
    extend(NID_subject_alt_name, what.alternative_names);
  X509_sign(certificate, signing_key, EVP_sha256());
  auto* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  Identity out;
  out.certificate = detail::text_of(bio);
  bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  out.key = detail::text_of(bio);
  if (issuer) {
    X509_free(signer);
    EVP_PKEY_free(signing_key);
  }
  X509_free(certificate);
  EVP_PKEY_free(key);
  return out;
}

} // namespace strait::net::testing
