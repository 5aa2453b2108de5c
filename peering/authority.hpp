#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "catalog/model/peering.hpp"
#include "peering/names.hpp"

#include <string>
#include <vector>

/// The datacenter's built-in certificate authority: EC P-256, SHA-256. All functions are pure but
/// for the random numbers of keys and serials, and may be called on any thread.
namespace strait::peering {

struct AuthorityOptions {
  Millis root_life = std::chrono::hours{24 * 3652}; ///< 10 years.
  Millis leaf_life = std::chrono::hours{72};
  /// Certificates begin this much before now, for clocks that differ.
  Millis backdate = std::chrono::minutes{1};
  std::size_t roots_max = 8; ///< Trusted at one time; a rotation beyond it is refused.
};

/// A new authority with one active root. Errc::invalid: not a trust domain ("<uuid>.consul").
Result<model::CertificateAuthority> make_authority(const std::string& trust_domain, WallTime now,
                                                   const AuthorityOptions& options = {});

/// A new root signs from now on. The old ones stay trusted until they expire; roots that have
/// expired are dropped.
Result<model::CertificateAuthority> rotate(model::CertificateAuthority authority, WallTime now,
                                           const AuthorityOptions& options = {});

/// What to trust: every root that has not expired, the active one first.
std::vector<std::string> trusted_roots(const model::CertificateAuthority& authority, WallTime now);

struct Leaf {
  /// The leaf, then each valid root as signed by the one before it (cross-signed intermediates), so
  /// that whoever trusts only an old root accepts it during the overlap.
  std::string chain_pem;
  std::string key_pem;
  WallTime not_before{}, not_after{};
  std::string spiffe_id;
  friend bool operator==(const Leaf&, const Leaf&) = default;
};

struct LeafRequest {
  SpiffeId id; ///< Of the authority's trust domain.
  std::vector<std::string> dns_names;
};
/// Errc::invalid: an identity of another trust domain. Errc::unavailable: no active root is valid.
Result<Leaf> issue(const model::CertificateAuthority& authority, const LeafRequest& request,
                   WallTime now, const AuthorityOptions& options = {});
/// DNS `server.<dc>.peering.<td>`: what the agent shows to peers that dial it.
LeafRequest server_leaf(const std::string& trust_domain, const std::string& datacenter);
LeafRequest service_leaf(const std::string& trust_domain, const std::string& datacenter,
                         const std::string& service);
/// What the process of a Gateway shows to its agent: it gets that Gateway's configuration only.
LeafRequest api_gateway_leaf(const std::string& trust_domain, const std::string& datacenter,
                             const std::string& gateway_namespace, const std::string& gateway);
LeafRequest mesh_gateway_leaf(const std::string& trust_domain, const std::string& datacenter);

/// What proxies of a Gateway ("namespace/name") sign session tokens with, derived from a root's
/// private key: the same in every agent that shares the authority, and telling nothing of the key.
/// Base64 of 32 bytes. Errc::corrupt: the root has no key.
Result<std::string> session_key(const model::CertificateAuthority::Root& root,
                                const std::string& gateway);
/// One a line, of every root that has not expired: the active one's first, with which to sign, then
/// the former ones', the newest first, so that a rotation ends no session. Errc::unavailable: no
/// active root is valid.
Result<std::string> session_keys(const model::CertificateAuthority& authority,
                                 const std::string& gateway, WallTime now);

/// Two thirds of its life: when to ask for the next one.
WallTime renew_at(WallTime not_before, WallTime not_after);
bool renewal_due(const Leaf& leaf, WallTime now);

/// What somebody else's certificate says (the first of the PEM).
struct CertificateFacts {
  std::string subject; ///< Common name.
  std::string serial;  ///< Hexadecimal with colons, lower case.
  std::string key_id;  ///< Subject key identifier, likewise.
  std::vector<std::string> uris, dns_names;
  WallTime not_before{}, not_after{};
  bool authority = false;
};
Result<CertificateFacts> read_certificate(std::string_view pem);

} // namespace strait::peering
