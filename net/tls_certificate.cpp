#include "net/tls_certificate.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <limits>

namespace strait::net {

namespace {

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using BioPtr = std::unique_ptr<BIO, BioFree>;
struct X509Free {
  void operator()(X509* x) const { X509_free(x); }
};
using X509Ptr = std::unique_ptr<X509, X509Free>;

BioPtr memory(std::string_view text) {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    return {};
  return BioPtr{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

/// Every certificate of the text, in order; stops at the first that is malformed.
Result<std::vector<X509Ptr>> read_certificates(std::string_view pem, std::string_view what) {
  ERR_clear_error();
  auto bio = memory(pem);
  std::vector<X509Ptr> out;
  while (bio) {
    X509Ptr certificate{PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr)};
    if (!certificate)
      break;
    out.push_back(std::move(certificate));
  }
  auto last = ERR_peek_last_error();
  bool ended = ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  if (last && !ended)
    return fail(Errc::invalid, "{}: malformed PEM: {}", what, openssl_error("unreadable"));
  ERR_clear_error();
  if (out.empty())
    return fail(Errc::invalid, "{}: expected PEM with at least one CERTIFICATE block", what);
  return out;
}

int no_password(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::string pem_of(X509* certificate) {
  BioPtr bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509(bio.get(), certificate);
  char* data = nullptr;
  auto size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

} // namespace

std::string openssl_error(std::string_view otherwise) {
  std::string out{otherwise};
  if (auto code = ERR_peek_last_error()) {
    const char* reason = ERR_reason_error_string(code);
    std::array<char, 64> number{};
    if (!reason)
      ERR_error_string_n(code, number.data(), number.size());
    out = reason ? reason : number.data();
  }
  ERR_clear_error();
  return out;
}

Result<std::shared_ptr<const TlsCertificate>> TlsCertificate::from_pem(std::string_view chain,
                                                                       std::string_view key) {
  auto certificates = read_certificates(chain, "certificate chain");
  if (!certificates)
    return fail(certificates.error());
  if (certificates->size() > chain_max)
    return fail(Errc::invalid, "certificate chain: {} certificates, at most {} are allowed",
                certificates->size(), chain_max);
  std::shared_ptr<TlsCertificate> out{new TlsCertificate};
  for (auto& certificate : *certificates)
    out->chain_.push_back(certificate.release());

  auto bio = memory(key);
  bool encrypted = false;
  out->key_ = bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, &encrypted) : nullptr;
  if (!out->key_) {
    auto why = openssl_error("unreadable");
    if (encrypted)
      return fail(Errc::invalid, "private key: it is encrypted; expected one without a password");
    if (key.find("PRIVATE KEY-----") == std::string_view::npos)
      return fail(Errc::invalid, "private key: expected PEM with a PRIVATE KEY block");
    return fail(Errc::invalid, "private key: malformed PEM: {}", why);
  }
  auto* leaf_key = X509_get0_pubkey(out->leaf());
  if (!leaf_key)
    return fail(Errc::invalid, "certificate: its public key is unreadable: {}",
                openssl_error("unknown algorithm"));
  if (EVP_PKEY_eq(leaf_key, out->key_) != 1) {
    ERR_clear_error();
    return fail(Errc::invalid, "private key: it does not match the certificate");
  }
  if (EVP_PKEY_base_id(leaf_key) == EVP_PKEY_RSA && EVP_PKEY_bits(leaf_key) < rsa_bits_min)
    return fail(Errc::invalid, "certificate: RSA key of {} bits, at least {} are required",
                EVP_PKEY_bits(leaf_key), rsa_bits_min);
  return out;
}

TlsCertificate::~TlsCertificate() {
  for (auto* certificate : chain_)
    X509_free(certificate);
  EVP_PKEY_free(key_);
}

PeerIdentity peer_identity(X509* leaf, const stack_st_X509* chain) {
  PeerIdentity out;
  if (!leaf)
    return out;
  BioPtr subject{BIO_new(BIO_s_mem())};
  X509_NAME_print_ex(subject.get(), X509_get_subject_name(leaf), 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  auto size = BIO_get_mem_data(subject.get(), &data);
  out.subject.assign(data, static_cast<std::size_t>(size));

  auto* names =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    auto* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_DNS && name->type != GEN_URI)
      continue;
    auto* text = name->type == GEN_DNS ? name->d.dNSName : name->d.uniformResourceIdentifier;
    (name->type == GEN_DNS ? out.dns_names : out.uris)
        .emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                      static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  GENERAL_NAMES_free(names);

  out.chain_pem.push_back(pem_of(leaf));
  for (int i = 0; i < sk_X509_num(chain); ++i)
    if (auto* certificate = sk_X509_value(chain, i); X509_cmp(certificate, leaf) != 0)
      out.chain_pem.push_back(pem_of(certificate));

  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned digest_size = 0;
  X509_digest(leaf, EVP_sha256(), digest.data(), &digest_size);
  for (unsigned i = 0; i < digest_size; ++i)
    out.sha256 += fmt::format("{:02x}", digest[i]);
  ERR_clear_error();
  return out;
}

Result<std::shared_ptr<X509_STORE>> trust_store(std::string_view pem_bundle) {
  auto certificates = read_certificates(pem_bundle, "CA bundle");
  if (!certificates)
    return fail(certificates.error());
  std::shared_ptr<X509_STORE> store{X509_STORE_new(), X509_STORE_free};
  for (auto& certificate : *certificates)
    X509_STORE_add_cert(store.get(), certificate.get());
  // An intermediate in the bundle is trusted by itself: peers' bundles may hold only those.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  ERR_clear_error();
  return store;
}

Status verify_chain(const std::vector<std::string>& chain_pem, std::string_view roots_pem) {
  auto store = trust_store(roots_pem);
  if (!store)
    return fail(store.error());
  if (chain_pem.empty() || chain_pem.size() > TlsCertificate::chain_max)
    return fail(Errc::denied, "certificate chain: {} certificates, expected 1..{}",
                chain_pem.size(), TlsCertificate::chain_max);
  std::vector<X509Ptr> owned;
  for (const auto& pem : chain_pem) {
    auto read = read_certificates(pem, "certificate chain");
    if (!read)
      return fail(read.error());
    for (auto& certificate : *read)
      owned.push_back(std::move(certificate));
  }
  auto* untrusted = sk_X509_new_null();
  for (std::size_t i = 1; i < owned.size(); ++i)
    sk_X509_push(untrusted, owned[i].get());
  auto* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store->get(), owned.front().get(), untrusted);
  bool good = X509_verify_cert(context) == 1;
  std::string why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
  X509_STORE_CTX_free(context);
  sk_X509_free(untrusted);
  ERR_clear_error();
  if (!good)
    return fail(Errc::denied, "certificate chain: {}", why);
  return {};
}

} // namespace strait::net
