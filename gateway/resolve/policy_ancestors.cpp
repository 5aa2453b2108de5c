#include "gateway/resolve/policy_ancestors.hpp"

#include "gateway/resolve/backend_tls.hpp"
#include "gateway/resolve/references.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

namespace {

using model::BackendTlsPolicy;
using model::Kind;
using model::Name;

/// Whether a cluster of the target's Service is in use; with a sectionName, the one of that port.
bool reaches(const View& view, const BackendTlsPolicy::Target& target, const Name& service,
             const ClustersWith& clusters, Topics& depends) {
  auto ids = clusters(cluster_prefix(service));
  std::erase_if(ids, [](auto& id) { return id.ends_with("/udp"); });
  if (ids.empty() || target.section_name.empty())
    return !ids.empty();
  depends.insert({Kind::service, service});
  auto* found = view.find<model::Service>(service);
  return found && std::any_of(found->ports.begin(), found->ports.end(), [&](auto& port) {
           auto id = cluster_prefix(service) + std::to_string(port.port);
           return port.name == target.section_name &&
                  std::find(ids.begin(), ids.end(), id) != ids.end();
         });
}

} // namespace

std::string cluster_prefix(const Name& service) {
  return "service/" + service.ns + "/" + service.name + "/";
}

std::optional<Name> service_of_cluster(const std::string& id) {
  constexpr std::string_view kind = "service/";
  if (!id.starts_with(kind))
    return {};
  auto name = id.find('/', kind.size());
  auto port = name == std::string::npos ? name : id.find('/', name + 1);
  if (port == std::string::npos)
    return {};
  return Name{id.substr(kind.size(), name - kind.size()), id.substr(name + 1, port - name - 1)};
}

std::vector<model::ParentStatus> ancestor_status(const View& view, const GatewayPlan& plan,
                                                 const BackendTlsPolicy& policy,
                                                 const ClustersWith& clusters, Topics& depends) {
  bool reached = std::any_of(policy.targets.begin(), policy.targets.end(), [&](auto& target) {
    return target.group.empty() && target.kind == "Service" &&
           reaches(view, target, {policy.meta.name.ns, target.name}, clusters, depends);
  });
  if (!plan.ours || !reached)
    return {};
  auto& gateway = plan.status.object.name;
  model::ParentRef ancestor{.group = std::string{gateway_group},
                            .kind = "Gateway",
                            .ns = gateway.ns,
                            .name = gateway.name};
  return {{std::move(ancestor), plan.controller, backend_tls_conditions(view, policy, depends)}};
}

} // namespace strait::gateway::resolve
