#include "gateway/resolve/gateway_addresses.hpp"

#include <algorithm>
#include <set>

namespace strait::gateway::resolve {

namespace {

using model::Kind;
using model::Reason;

/// The Gateway's own parameters, or else those of its class. Null: none, or they do not exist.
const model::GatewayClassConfig* parameters_of(const View& view, const model::Gateway& gateway,
                                               Topics& depends) {
  depends.insert({Kind::gateway_class, {"", gateway.class_name}});
  auto* its_class = view.find<model::GatewayClass>({"", gateway.class_name});
  auto ref = gateway.infrastructure.parameters;
  if (!ref && its_class)
    ref = its_class->parameters;
  if (!ref)
    return nullptr;
  depends.insert({Kind::gateway_class_config, {"", ref->name}});
  return view.find<model::GatewayClassConfig>({"", ref->name});
}

/// What Kubernetes gave the Service.
std::vector<std::string> of_service(const View& view, const model::Name& name, Topics& depends) {
  depends.insert({Kind::service, name});
  auto* service = view.find<model::Service>(name);
  if (!service)
    return {};
  if (service->type == "LoadBalancer")
    return service->ingress;
  if (service->cluster_ip.empty() || service->cluster_ip == "None")
    return {};
  return {service->cluster_ip};
}

/// Of the Gateway's pods that have not ended, or of the nodes that they run on.
std::vector<std::string> of_pods(const View& view, const model::Name& gateway, bool of_nodes,
                                 Topics& depends) {
  depends.insert({Kind::pod, {gateway.ns, ""}});
  const auto label = model::gateway_label_value(gateway);
  std::set<std::string> found;
  auto& pods = view.table<model::Pod>();
  for (auto it = pods.lower_bound(model::Name{gateway.ns, ""});
       it != pods.end() && it->first.ns == gateway.ns; ++it) {
    auto& pod = it->second->value;
    auto its = pod.meta.labels.find(std::string{model::gateway_name_label});
    const bool ended = pod.phase == "Succeeded" || pod.phase == "Failed";
    auto& address = of_nodes ? pod.host_ip : pod.ip;
    if (its != pod.meta.labels.end() && its->second == label && !ended && !address.empty())
      found.insert(address);
  }
  std::vector<std::string> addresses{found.begin(), found.end()};
  addresses.resize(std::min(addresses.size(), addresses_max));
  return addresses;
}

} // namespace

GatewayAddresses addresses_of(const View& view, const model::Gateway& gateway,
                              const Settings& settings, Topics& depends) {
  GatewayAddresses addresses;
  std::vector<std::string> asked;
  for (auto& it : gateway.addresses) {
    if (it.type != "IPAddress" && it.type != "Hostname" && !addresses.unsupported)
      addresses.unsupported =
          Problem{Reason::unsupported_address,
                  fmt::format("spec.addresses: type {}: expected IPAddress or Hostname", it.type)};
    if (!it.value.empty())
      asked.push_back(it.value);
  }
  std::vector<std::string> given;
  auto& own = gateway.meta.name;
  auto* config = settings.kubernetes ? parameters_of(view, gateway, depends) : nullptr;
  const bool of_nodes = config && config->service_type == "NodePort";
  const bool of_pods_alone = of_nodes || (config && config->service_type.empty());
  if (of_pods_alone) {
    given = of_pods(view, own, of_nodes, depends);
  } else if (settings.kubernetes) {
    given = of_service(view, {own.ns, model::deployed_name(own)}, depends);
  } else if (!settings.bind_address.empty()) {
    given = {settings.bind_address};
  } else if (!asked.empty()) {
    given = {asked.front()};
    addresses.bind = asked.front();
  }
  if (asked.empty())
    addresses.assigned = given;
  for (auto& it : asked)
    if (std::find(given.begin(), given.end(), it) != given.end())
      addresses.assigned.push_back(it);
    else if (!addresses.missing)
      addresses.missing = Problem{Reason::address_not_usable,
                                  fmt::format("spec.addresses: {} is not the gateway's", it)};
  if (!addresses.missing && settings.kubernetes && addresses.assigned.empty())
    addresses.missing = Problem{
        Reason::address_not_assigned,
        of_pods_alone ? std::string{"no pod of the gateway has an address yet"}
                      : fmt::format("Service {} has no address yet", model::deployed_name(own))};
  return addresses;
}

} // namespace strait::gateway::resolve
