#include "gateway/resolve/backend_tls.hpp"

#include "gateway/resolve/references.hpp"
#include "net/tls_certificate.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

namespace {

using model::BackendTlsPolicy;
using model::Kind;
using model::Name;
using model::Reason;

bool names(const BackendTlsPolicy::Target& target, const std::string& service) {
  return target.group.empty() && target.kind == "Service" && target.name == service;
}

bool older(const BackendTlsPolicy& a, const BackendTlsPolicy& b) {
  return std::tie(a.meta.created, a.meta.name) < std::tie(b.meta.created, b.meta.name);
}

/// The policy that has precedence for exactly this target.
const BackendTlsPolicy* first_for(const View& view, const Name& service,
                                  const std::string& section) {
  const BackendTlsPolicy* first = nullptr;
  auto& policies = view.table<BackendTlsPolicy>();
  for (auto it = policies.lower_bound(Name{service.ns, ""});
       it != policies.end() && it->first.ns == service.ns; ++it) {
    auto& policy = it->second->value;
    bool targets = std::any_of(policy.targets.begin(), policy.targets.end(), [&](auto& target) {
      return names(target, service.name) && target.section_name == section;
    });
    if (targets && (!first || older(policy, *first)))
      first = &policy;
  }
  return first;
}

} // namespace

const BackendTlsPolicy* backend_tls_policy_of(const View& view, const Name& service,
                                              const std::string& port_name) {
  if (!port_name.empty())
    if (auto* of_port = first_for(view, service, port_name))
      return of_port;
  return first_for(view, service, "");
}

CaCertificates ca_certificates(const View& view, const CaReferrer& from,
                               const std::vector<model::ClientValidation::CaRef>& refs,
                               Topics& depends) {
  CaCertificates found;
  auto add = [&](const model::ClientValidation::CaRef& ref) -> std::optional<Problem> {
    if ((!ref.group.empty() && ref.group != "core") || ref.kind != "ConfigMap")
      return Problem{from.invalid_kind,
                     fmt::format("caCertificateRef {}: kind {} of group \"{}\": expected ConfigMap",
                                 ref.name, ref.kind, ref.group)};
    Name name{ref.ns.empty() ? std::string{from.ns} : ref.ns, ref.name};
    if (name.ns != from.ns) {
      // Before existence: nobody may probe for names in another namespace.
      depends.insert({Kind::reference_grant, {name.ns, ""}});
      if (!permitted(view, {from.group, from.kind, from.ns}, {"", "ConfigMap", name.ns, name.name}))
        return Problem{Reason::ref_not_permitted,
                       fmt::format("no ReferenceGrant in namespace {} lets {}s of namespace {} "
                                   "refer to ConfigMap {}",
                                   name.ns, from.kind, from.ns, name.name)};
    }
    depends.insert({Kind::config_map, name});
    auto invalid = [&](std::string_view message) {
      return Problem{Reason::invalid_ca_certificate_ref,
                     fmt::format("ConfigMap {}: {}", to_string(name), message)};
    };
    auto* map = view.find<model::ConfigMap>(name);
    if (!map)
      return invalid("it does not exist");
    auto bundle = map->data.find("ca.crt");
    if (bundle == map->data.end())
      return invalid("expected data ca.crt");
    if (auto store = net::trust_store(bundle->second); !store)
      return invalid("ca.crt: " + store.error().detail);
    found.pems.push_back(bundle->second);
    return {};
  };
  for (auto& ref : refs)
    if (auto problem = add(ref); problem && !found.problem)
      found.problem = std::move(problem);
  return found;
}

BackendTlsFindings check_backend_tls(const View& view, const BackendTlsPolicy& policy,
                                     Topics& depends) {
  BackendTlsFindings findings;
  auto& meta = policy.meta;
  BackendTls tls;
  tls.sni = policy.hostname;
  for (auto& it : policy.subject_alt_names)
    (it.type == BackendTlsPolicy::SubjectAltName::Type::uri ? tls.uris : tls.dns_names)
        .push_back(it.value);
  if (!policy.unsupported.empty())
    findings.accepted = Problem{Reason::invalid, to_string(policy.unsupported.front())};
  else if (!policy.options.empty())
    findings.accepted = Problem{Reason::invalid, fmt::format("spec.options: {} is not supported",
                                                             policy.options.begin()->first)};
  if (policy.well_known_ca == "System") {
    tls.system_ca = true;
  } else if (!policy.well_known_ca.empty()) {
    findings.accepted =
        Problem{Reason::invalid, fmt::format("spec.validation.wellKnownCACertificates: \"{}\": "
                                             "expected System",
                                             policy.well_known_ca)};
  } else {
    auto found = ca_certificates(view,
                                 {api_group(Kind::backend_tls_policy), "BackendTLSPolicy",
                                  meta.name.ns, Reason::invalid_kind},
                                 policy.ca_refs, depends);
    findings.refs = std::move(found.problem);
    tls.ca_pems = std::move(found.pems);
    if (tls.ca_pems.empty() && !findings.accepted)
      findings.accepted = Problem{Reason::no_valid_ca_certificate,
                                  "spec.validation.caCertificateRefs: none can be used"};
  }
  if (!findings.accepted)
    findings.tls = std::move(tls);
  return findings;
}

std::vector<model::Condition>
backend_tls_conditions(const View& view, const BackendTlsPolicy& policy, Topics& depends) {
  auto findings = check_backend_tls(view, policy, depends);
  auto& name = policy.meta.name;
  const BackendTlsPolicy* winner = nullptr;
  bool wins = std::any_of(policy.targets.begin(), policy.targets.end(), [&](auto& target) {
    auto* first = first_for(view, {name.ns, target.name}, target.section_name);
    if (first && first->meta.name != name)
      winner = first;
    return first && first->meta.name == name;
  });
  if (!wins && winner)
    findings.accepted = Problem{
        Reason::conflicted, fmt::format("BackendTLSPolicy {} has precedence for what it targets",
                                        to_string(winner->meta.name))};
  auto condition = [&](model::ConditionType type, Reason fine, auto& problem) {
    return model::Condition{.type = type,
                            .status = !problem,
                            .reason = problem ? problem->reason : fine,
                            .message = problem ? problem->message : "",
                            .observed_generation = policy.meta.generation};
  };
  return {condition(model::ConditionType::accepted, Reason::accepted, findings.accepted),
          condition(model::ConditionType::resolved_refs, Reason::resolved_refs, findings.refs)};
}

} // namespace strait::gateway::resolve
