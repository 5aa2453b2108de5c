#include "peering/x509.hpp"

#include "base/random.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ctime>

namespace strait::peering::x509 {
namespace {

using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, Deleter<BN_free>>;

std::string text_of(BIO& bio) {
  char* data = nullptr;
  auto size = BIO_get_mem_data(&bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

BioPtr reader(std::string_view text) {
  return BioPtr{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

bool add_extension(X509& certificate, const X509* issuer, int nid, const char* value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, const_cast<X509*>(issuer), &certificate, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  bool added = extension && X509_add_ext(&certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool add_name(GENERAL_NAMES& names, int type, const std::string& text) {
  auto* name = GENERAL_NAME_new();
  auto* value = ASN1_IA5STRING_new();
  if (!name || !value || ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())) != 1) {
    GENERAL_NAME_free(name);
    ASN1_IA5STRING_free(value);
    return false;
  }
  GENERAL_NAME_set0_value(name, type, value);
  return sk_GENERAL_NAME_push(&names, name) > 0;
}

bool set_alternative_names(X509& certificate, const Contents& contents) {
  NamesPtr names{GENERAL_NAMES_new()};
  if (!names)
    return false;
  for (const auto& uri : contents.uris)
    if (!add_name(*names, GEN_URI, uri))
      return false;
  for (const auto& dns : contents.dns_names)
    if (!add_name(*names, GEN_DNS, dns))
      return false;
  return X509_add1_ext_i2d(&certificate, NID_subject_alt_name, names.get(), 0, 0) == 1;
}

bool set_serial(X509& certificate) {
  auto bytes = random_bytes(16);
  bytes[0] = static_cast<char>(bytes[0] & 0x7f); // Positive.
  NumberPtr number{BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                             static_cast<int>(bytes.size()), nullptr)};
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate));
}

bool set_time(ASN1_TIME* field, WallTime time) {
  return ASN1_TIME_set(field, to_unix_seconds(time)) != nullptr;
}

} // namespace

Error openssl_error(std::string_view what) {
  char text[256] = "unknown reason";
  if (auto code = ERR_get_error())
    ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return {Errc::internal, fmt::format("{}: {}", what, text)};
}

Result<KeyPtr> make_key() {
  KeyPtr key{EVP_EC_gen("P-256")};
  if (!key)
    return fail(openssl_error("making a key"));
  return key;
}

Result<std::string> to_pem(const EVP_PKEY& key) {
  BioPtr bio{BIO_new(BIO_s_mem())};
  if (!bio ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return fail(openssl_error("writing a key"));
  return text_of(*bio);
}

Result<std::string> to_pem(const X509& certificate) {
  BioPtr bio{BIO_new(BIO_s_mem())};
  if (!bio || PEM_write_bio_X509(bio.get(), const_cast<X509*>(&certificate)) != 1)
    return fail(openssl_error("writing a certificate"));
  return text_of(*bio);
}

Result<KeyPtr> read_key(std::string_view pem) {
  auto bio = reader(pem);
  KeyPtr key{bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr) : nullptr};
  if (!key) {
    ERR_clear_error();
    return fail(Errc::invalid, "private key: not in PEM form");
  }
  return key;
}

Result<CertificatePtr> read_certificate(std::string_view pem) {
  auto bio = reader(pem);
  CertificatePtr certificate{bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)
                                 : nullptr};
  if (!certificate) {
    ERR_clear_error();
    return fail(Errc::invalid, "certificate: not in PEM form");
  }
  return certificate;
}

Result<CertificatePtr> sign(const Contents& contents, EVP_PKEY& key, const X509* issuer,
                            EVP_PKEY& issuer_key) {
  CertificatePtr made{X509_new()};
  if (!made)
    return fail(openssl_error("making a certificate"));
  auto& certificate = *made;
  auto* subject = X509_get_subject_name(&certificate);
  bool ok =
      X509_set_version(&certificate, 2) == 1 && set_serial(certificate) &&
      set_time(X509_getm_notBefore(&certificate), contents.not_before) &&
      set_time(X509_getm_notAfter(&certificate), contents.not_after) &&
      X509_NAME_add_entry_by_NID(
          subject, NID_commonName, MBSTRING_UTF8,
          reinterpret_cast<const unsigned char*>(contents.common_name.data()),
          static_cast<int>(contents.common_name.size()), -1, 0) == 1 &&
      X509_set_issuer_name(&certificate, issuer ? X509_get_subject_name(issuer) : subject) == 1 &&
      X509_set_pubkey(&certificate, &key) == 1;
  const X509* signer = issuer ? issuer : &certificate;
  // The subject key identifier first: a self-signed certificate's authority key refers to it.
  ok = ok && add_extension(certificate, signer, NID_subject_key_identifier, "hash") &&
       add_extension(certificate, signer, NID_authority_key_identifier, "keyid:always") &&
       add_extension(certificate, signer, NID_basic_constraints,
                     contents.authority ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
       add_extension(certificate, signer, NID_key_usage,
                     contents.authority ? "critical,digitalSignature,keyCertSign,cRLSign"
                                        : "critical,digitalSignature,keyEncipherment") &&
       (contents.authority ||
        add_extension(certificate, signer, NID_ext_key_usage, "serverAuth,clientAuth")) &&
       set_alternative_names(certificate, contents) &&
       X509_sign(&certificate, &issuer_key, EVP_sha256()) > 0;
  if (!ok)
    return fail(openssl_error("signing a certificate"));
  return made;
}

WallTime to_wall(const ASN1_TIME* time) {
  std::tm parts{};
  if (!time || ASN1_TIME_to_tm(time, &parts) != 1)
    return {};
  return from_unix_seconds(::timegm(&parts));
}

std::string colon_hex(const unsigned char* bytes, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i)
    text += fmt::format("{}{:02x}", i ? ":" : "", bytes[i]);
  return text;
}

} // namespace strait::peering::x509
