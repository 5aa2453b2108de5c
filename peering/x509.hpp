#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// OpenSSL's objects with owners, and the few steps that the authority is made of.
namespace strait::peering::x509 {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, Deleter<X509_free>>;

/// The oldest error in OpenSSL's queue, which is emptied.
Error openssl_error(std::string_view what);

Result<KeyPtr> make_key();
Result<std::string> to_pem(const EVP_PKEY& key);
Result<std::string> to_pem(const X509& certificate);
Result<KeyPtr> read_key(std::string_view pem);
Result<CertificatePtr> read_certificate(std::string_view pem);

struct Contents {
  std::string common_name;
  std::vector<std::string> uris, dns_names;
  WallTime not_before{}, not_after{};
  bool authority = false;
};
/// A certificate for the key, signed by the issuer's key; issuer null: by itself.
Result<CertificatePtr> sign(const Contents& contents, EVP_PKEY& key, const X509* issuer,
                            EVP_PKEY& issuer_key);

WallTime to_wall(const ASN1_TIME* time);
std::string colon_hex(const unsigned char* bytes, std::size_t count);

} // namespace strait::peering::x509
