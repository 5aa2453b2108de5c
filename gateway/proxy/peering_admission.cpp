#include "gateway/proxy/peering_admission.hpp"

#include "net/http1_names.hpp"

namespace strait::gateway::proxy {

namespace {

constexpr std::string_view scheme = "spiffe://";

std::string_view trust_domain_of(std::string_view spiffe_id) {
  spiffe_id.remove_prefix(scheme.size());
  return spiffe_id.substr(0, spiffe_id.find('/'));
}

} // namespace

bool names_caller(std::string_view pattern, std::string_view spiffe_id) {
  if (!pattern.ends_with("/*"))
    return pattern == spiffe_id;
  pattern.remove_suffix(1);
  return spiffe_id.starts_with(pattern) && spiffe_id.size() > pattern.size() &&
         spiffe_id.find('/', pattern.size()) == std::string_view::npos;
}

Admission admit(const std::vector<std::string>& uris, std::string_view trust_domain,
                const std::vector<PeeringExport::Caller>& callers) {
  // A SPIFFE certificate carries exactly one URI name (SPIFFE X509-SVID §2).
  if (uris.size() != 1 || !uris.front().starts_with(scheme) ||
      !net::http1::equal_ignoring_case(trust_domain_of(uris.front()), trust_domain))
    return Admission::foreign_identity;
  for (const auto& caller : callers)
    if (names_caller(caller.spiffe_id, uris.front()))
      return caller.allow ? Admission::accepted : Admission::denied;
  return Admission::denied;
}

} // namespace strait::gateway::proxy
