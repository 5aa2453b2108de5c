#pragma once

#include "gateway/resolve/resolve.hpp"

namespace strait::gateway::resolve {

/// A Service with a BackendTLSPolicy is spoken to by TLS (Gateway API BackendTLSPolicy).

/// The policy that counts for a Service's port: one that names the port beats one for every port;
/// of several the oldest, then by namespace and name. Null: cleartext. Whoever asks depends on
/// every BackendTLSPolicy of the Service's namespace.
const model::BackendTlsPolicy* backend_tls_policy_of(const View& view, const model::Name& service,
                                                     const std::string& port_name);

/// Certificate authorities that ConfigMaps hold ("ca.crt").
struct CaCertificates {
  std::vector<std::string> pems;  ///< Of those that are in order.
  std::optional<Problem> problem; ///< The first that is not.
};
/// Who refers to them, and the reasons of the condition that tells.
struct CaReferrer {
  std::string_view group, kind, ns;
  model::Reason invalid_kind;
};
CaCertificates ca_certificates(const View& view, const CaReferrer& from,
                               const std::vector<model::ClientValidation::CaRef>& refs,
                               Topics& depends);

/// What one policy comes to.
struct BackendTlsFindings {
  std::optional<BackendTls> tls;   ///< None: what it targets must not be reached.
  std::optional<Problem> accepted; ///< Why it is not.
  std::optional<Problem> refs;     ///< The first authority that cannot be used.
};
/// `depends` gets the ConfigMaps that were looked at.
BackendTlsFindings check_backend_tls(const View& view, const model::BackendTlsPolicy& policy,
                                     Topics& depends);

/// How the policy fares with one Service that it targets: as check_backend_tls says, or Conflicted
/// where another policy has precedence for every port that it targets.
std::vector<model::Condition>
backend_tls_conditions(const View& view, const model::BackendTlsPolicy& policy, Topics& depends);

} // namespace strait::gateway::resolve
