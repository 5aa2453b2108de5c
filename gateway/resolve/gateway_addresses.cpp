#include "gateway/resolve/gateway_addresses.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

namespace {

using model::Kind;
using model::Reason;

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
  if (settings.kubernetes) {
    auto& own = gateway.meta.name;
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
    addresses.missing =
        Problem{Reason::address_not_assigned, fmt::format("Service {} has no address yet",
                                                          model::deployed_name(gateway.meta.name))};
  return addresses;
}

} // namespace strait::gateway::resolve
