#include "catalog/queries.hpp"
#include "gateway/resolve/resolve.hpp"

namespace strait::gateway::resolve {

namespace {

using model::Kind;

/// The callers of one service through one peering, in Consul's order of precedence: an exact
/// destination before "*", then an exact source before "*". Who is not named is not let in.
std::vector<PeeringExport::Caller> callers_of(const View& view, const std::string& service,
                                              const model::Peering& peering,
                                              const std::string& trust_domain) {
  std::vector<PeeringExport::Caller> callers;
  for (auto& destination : {service, std::string{"*"}}) {
    auto* intentions = view.find<model::ServiceIntentions>({"", destination});
    if (!intentions)
      continue;
    for (bool exact : {true, false})
      for (auto& source : intentions->sources)
        if (source.peer == peering.name && (source.name != "*") == exact)
          callers.push_back({fmt::format("spiffe://{}/ns/default/dc/{}/svc/{}", trust_domain,
                                         peering.remote_datacenter, source.name),
                             source.allow});
  }
  return callers;
}

} // namespace

ResolvedExports resolve_exports(const View& view) {
  ResolvedExports resolved;
  resolved.depends = {{Kind::exported_services, {}},
                      {Kind::service_intentions, {}},
                      {Kind::peering, {}},
                      {Kind::trust_bundle, {}},
                      {Kind::certificate_authority, {}}};
  auto* authority = view.find<model::CertificateAuthority>({"", "connect"});
  if (!authority)
    return resolved;
  for (auto& [name, record] : view.table<model::Peering>()) {
    auto& peering = record->value;
    if (peering.state == model::PeeringState::deleting ||
        peering.state == model::PeeringState::terminated)
      continue;
    auto* bundle = view.find<model::TrustBundle>({"", peering.name});
    if (!bundle)
      continue;
    resolved.trust = resolved.trust.with(
        peering.name, std::make_shared<const PeeringTrust>(
                          PeeringTrust{peering.name, bundle->trust_domain, bundle->root_pems}));
    for (auto& service : catalog::exported_to(view, peering.name)) {
      PeeringExport entry;
      entry.sni = fmt::format("{}.default.default.{}.external.{}", service, peering.name,
                              authority->trust_domain);
      entry.cluster = "exported/" + service;
      entry.peer = peering.name;
      entry.callers = callers_of(view, service, peering, bundle->trust_domain);
      resolved.clusters.insert(entry.cluster);
      auto sni = entry.sni;
      resolved.exports =
          resolved.exports.with(sni, std::make_shared<const PeeringExport>(std::move(entry)));
    }
  }
  // "*" follows the services as they come.
  for (auto& [name, record] : view.table<model::ExportedServices>())
    for (auto& entry : record->value.services)
      if (entry.service == "*")
        resolved.depends.insert({Kind::service_instance, {"", ""}});
  return resolved;
}

} // namespace strait::gateway::resolve
