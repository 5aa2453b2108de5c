#include "peering/authority.hpp"

#include "base/random.hpp"
#include "net/base64.hpp"
#include "peering/x509.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

namespace strait::peering {
namespace {

using Root = model::CertificateAuthority::Root;

Result<Root> make_root(const std::string& trust_domain, WallTime now,
                       const AuthorityOptions& options) {
  // The name differs from root to root: a chain is built by names first.
  auto id = random_uuid();
  x509::Contents contents{
      .common_name = fmt::format("strait-{}.ca.{}", id.substr(0, 8), trust_domain.substr(0, 8)),
      .uris = {"spiffe://" + trust_domain},
      .not_before = now - options.backdate,
      .not_after = now + options.root_life,
      .authority = true};
  auto key = x509::make_key();
  if (!key)
    return fail(key.error());
  auto certificate = x509::sign(contents, **key, nullptr, **key);
  if (!certificate)
    return fail(certificate.error());
  auto certificate_pem = x509::to_pem(**certificate);
  auto key_pem = x509::to_pem(**key);
  if (!certificate_pem || !key_pem)
    return fail(Errc::internal, "certificate authority {}: cannot write the new root",
                trust_domain);
  return Root{.id = std::move(id),
              .certificate_pem = std::move(*certificate_pem),
              .key_pem = std::move(*key_pem),
              .not_before = contents.not_before,
              .not_after = contents.not_after,
              .active = true};
}

/// A root's key as an older root vouches for it: same subject, same key.
Result<std::string> cross_sign(const Root& active, const Root& old, WallTime now,
                               const AuthorityOptions& options, const std::string& trust_domain) {
  auto subject = read_certificate(active.certificate_pem);
  auto key = x509::read_key(active.key_pem);
  auto issuer = x509::read_certificate(old.certificate_pem);
  auto issuer_key = x509::read_key(old.key_pem);
  if (!subject || !key || !issuer || !issuer_key)
    return fail(Errc::corrupt, "certificate authority {}: root {} or {} cannot be read",
                trust_domain, active.id, old.id);
  x509::Contents contents{.common_name = subject->subject,
                          .uris = {"spiffe://" + trust_domain},
                          .not_before = now - options.backdate,
                          .not_after = std::min(old.not_after, active.not_after),
                          .authority = true};
  auto certificate = x509::sign(contents, **key, issuer->get(), **issuer_key);
  if (!certificate)
    return fail(certificate.error());
  return x509::to_pem(**certificate);
}

} // namespace

Result<model::CertificateAuthority> make_authority(const std::string& trust_domain, WallTime now,
                                                   const AuthorityOptions& options) {
  if (!is_trust_domain(trust_domain))
    return fail(Errc::invalid,
                "certificate authority: trust domain \"{}\": must be a UUID in lower case "
                "followed by .consul",
                trust_domain);
  auto root = make_root(trust_domain, now, options);
  if (!root)
    return fail(root.error());
  return model::CertificateAuthority{trust_domain, {std::move(*root)}};
}

Result<model::CertificateAuthority> rotate(model::CertificateAuthority authority, WallTime now,
                                           const AuthorityOptions& options) {
  std::erase_if(authority.roots, [&](const Root& root) { return root.not_after <= now; });
  if (authority.roots.size() >= options.roots_max)
    return fail(Errc::exhausted,
                "certificate authority {}: {} roots are still valid, the maximum is {}; wait "
                "until one expires",
                authority.trust_domain, authority.roots.size(), options.roots_max);
  auto root = make_root(authority.trust_domain, now, options);
  if (!root)
    return fail(root.error());
  for (auto& old : authority.roots)
    old.active = false;
  authority.roots.push_back(std::move(*root));
  return authority;
}

std::vector<std::string> trusted_roots(const model::CertificateAuthority& authority, WallTime now) {
  std::vector<std::string> pems;
  for (bool active : {true, false})
    for (const auto& root : authority.roots)
      if (root.active == active && root.not_after > now)
        pems.push_back(root.certificate_pem);
  return pems;
}

Result<Leaf> issue(const model::CertificateAuthority& authority, const LeafRequest& request,
                   WallTime now, const AuthorityOptions& options) {
  if (request.id.trust_domain != authority.trust_domain)
    return fail(Errc::invalid, "certificate for {}: the authority signs only for {}",
                to_string(request.id), authority.trust_domain);
  auto active = std::find_if(authority.roots.begin(), authority.roots.end(),
                             [](const Root& root) { return root.active; });
  if (active == authority.roots.end() || active->not_after <= now)
    return fail(Errc::unavailable, "certificate for {}: the authority has no valid active root",
                to_string(request.id));
  auto issuer = x509::read_certificate(active->certificate_pem);
  auto issuer_key = x509::read_key(active->key_pem);
  if (!issuer || !issuer_key)
    return fail(Errc::corrupt, "certificate authority {}: root {} cannot be read",
                authority.trust_domain, active->id);
  auto key = x509::make_key();
  if (!key)
    return fail(key.error());
  Leaf leaf{.not_before = std::chrono::floor<std::chrono::seconds>(now - options.backdate),
            .not_after = std::chrono::floor<std::chrono::seconds>(
                std::min(now + options.leaf_life, active->not_after)),
            .spiffe_id = to_string(request.id)};
  x509::Contents contents{.common_name = request.id.role == SpiffeId::Role::service
                                             ? request.id.service.substr(0, 64)
                                             : std::string{"strait"},
                          .uris = {leaf.spiffe_id},
                          .dns_names = request.dns_names,
                          .not_before = leaf.not_before,
                          .not_after = leaf.not_after};
  auto certificate = x509::sign(contents, **key, issuer->get(), **issuer_key);
  if (!certificate)
    return fail(certificate.error());
  auto pem = x509::to_pem(**certificate);
  auto key_pem = x509::to_pem(**key);
  if (!pem || !key_pem)
    return fail(Errc::internal, "certificate for {}: cannot be written", leaf.spiffe_id);
  leaf.chain_pem = std::move(*pem);
  leaf.key_pem = std::move(*key_pem);
  // Each root as its predecessor vouches for it, newest first: one line without branches, because
  // OpenSSL does not look for a second way when the first ends.
  for (auto root = active; root != authority.roots.begin(); --root) {
    auto& old = *std::prev(root);
    if (old.not_after <= now)
      break;
    auto cross = cross_sign(*root, old, now, options, authority.trust_domain);
    if (!cross)
      return fail(cross.error());
    leaf.chain_pem += *cross;
  }
  return leaf;
}

LeafRequest server_leaf(const std::string& trust_domain, const std::string& datacenter) {
  return {{SpiffeId::Role::server, trust_domain, datacenter},
          {peering_server_name(datacenter, trust_domain)}};
}
LeafRequest service_leaf(const std::string& trust_domain, const std::string& datacenter,
                         const std::string& service) {
  return {{SpiffeId::Role::service, trust_domain, datacenter, service}, {}};
}
LeafRequest api_gateway_leaf(const std::string& trust_domain, const std::string& datacenter,
                             const std::string& gateway_namespace, const std::string& gateway) {
  return {{SpiffeId::Role::api_gateway, trust_domain, datacenter, gateway, gateway_namespace}, {}};
}
LeafRequest mesh_gateway_leaf(const std::string& trust_domain, const std::string& datacenter) {
  return {{SpiffeId::Role::mesh_gateway, trust_domain, datacenter},
          {mesh_gateway_sni(datacenter, trust_domain)}};
}

Result<std::string> session_key(const Root& root, const std::string& gateway) {
  // Signed under an empty key, tokens would be anybody's to make.
  if (root.key_pem.empty())
    return fail(Errc::corrupt, "session key of Gateway {}: root {} has no private key", gateway,
                root.id);
  const std::string text = "session " + gateway;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (!HMAC(EVP_sha256(), root.key_pem.data(), static_cast<int>(root.key_pem.size()),
            reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size))
    return fail(x509::openssl_error("session key of Gateway " + gateway));
  return net::to_base64({reinterpret_cast<const char*>(digest.data()), size});
}

Result<std::string> session_keys(const model::CertificateAuthority& authority,
                                 const std::string& gateway, WallTime now) {
  std::string keys;
  for (bool active : {true, false}) {
    for (auto root = authority.roots.rbegin(); root != authority.roots.rend(); ++root) {
      if (root->active != active || root->not_after <= now)
        continue;
      auto key = session_key(*root, gateway);
      if (!key)
        return fail(key.error());
      keys += *key + '\n';
    }
    if (keys.empty())
      return fail(Errc::unavailable,
                  "session key of Gateway {}: the authority has no valid active root", gateway);
  }
  return keys;
}

WallTime renew_at(WallTime not_before, WallTime not_after) {
  return not_before + (not_after - not_before) * 2 / 3;
}
bool renewal_due(const Leaf& leaf, WallTime now) {
  return now >= renew_at(leaf.not_before, leaf.not_after);
}

Result<CertificateFacts> read_certificate(std::string_view pem) {
  auto certificate = x509::read_certificate(pem);
  if (!certificate)
    return fail(certificate.error());
  auto* x = certificate->get();
  CertificateFacts facts{.not_before = x509::to_wall(X509_get0_notBefore(x)),
                         .not_after = x509::to_wall(X509_get0_notAfter(x)),
                         .authority = X509_check_ca(x) == 1};
  char name[256] = {};
  if (X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name, sizeof name) > 0)
    facts.subject = name;
  if (const auto* serial = X509_get0_serialNumber(x))
    facts.serial = x509::colon_hex(serial->data, static_cast<std::size_t>(serial->length));
  if (const auto* id = X509_get0_subject_key_id(x))
    facts.key_id = x509::colon_hex(ASN1_STRING_get0_data(id),
                                   static_cast<std::size_t>(ASN1_STRING_length(id)));
  std::unique_ptr<GENERAL_NAMES, x509::Deleter<GENERAL_NAMES_free>> names{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x, NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
    if (type != GEN_URI && type != GEN_DNS)
      continue;
    std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                     static_cast<std::size_t>(ASN1_STRING_length(value)));
    (type == GEN_URI ? facts.uris : facts.dns_names).push_back(std::move(text));
  }
  return facts;
}

} // namespace strait::peering
