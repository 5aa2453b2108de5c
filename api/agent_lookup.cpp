#include "api/agent_lookup.hpp"

namespace strait::api {

namespace {

model::Name instance_name(const AgentIdentity& self, const std::string& id) {
  return model::key_of(model::ServiceInstance{.node = self.node_name, .id = id}).name;
}
model::Name check_name(const AgentIdentity& self, const std::string& id) {
  return model::key_of(model::HealthCheck{.node = self.node_name, .id = id}).name;
}

/// Records whose keys begin with the own node's scope.
template <class T>
std::vector<catalog::RecordPtr<T>> in_scope(const catalog::View& view, const std::string& scope) {
  std::vector<catalog::RecordPtr<T>> found;
  auto& table = view.table<T>();
  for (auto it = table.lower_bound(model::Name{scope, ""});
       it != table.end() && it->first.ns == scope; ++it)
    found.push_back(it->second);
  return found;
}

} // namespace

catalog::RecordPtr<model::ServiceInstance> own_service(const Surroundings& at,
                                                       const std::string& id) {
  return id == server_service ? nullptr
                              : at.view->record<model::ServiceInstance>(instance_name(at.self, id));
}

catalog::RecordPtr<model::HealthCheck> own_check(const Surroundings& at, const std::string& id) {
  return id == liveness_check ? nullptr
                              : at.view->record<model::HealthCheck>(check_name(at.self, id));
}

std::vector<catalog::RecordPtr<model::ServiceInstance>> own_services(const Surroundings& at) {
  auto found = in_scope<model::ServiceInstance>(*at.view, instance_name(at.self, "").ns);
  std::erase_if(found, [](auto& it) { return it->value.id == server_service; });
  return found;
}

std::vector<catalog::RecordPtr<model::HealthCheck>> own_checks(const Surroundings& at) {
  auto found = in_scope<model::HealthCheck>(*at.view, check_name(at.self, "").ns);
  std::erase_if(found, [](auto& it) { return it->value.id == liveness_check; });
  return found;
}

catalog::InstanceHealth own_health(const Surroundings& at,
                                   catalog::RecordPtr<model::ServiceInstance> instance) {
  catalog::InstanceHealth health;
  for (bool of_node : {true, false})
    for (auto& check : own_checks(at))
      if (of_node ? check->value.service_id.empty()
                  : check->value.service_id == instance->value.id) {
        health.overall = model::worse(health.overall, check->value.status);
        health.checks.push_back(check);
      }
  health.node = at.view->record<model::Node>({"", at.self.node_name});
  health.instance = std::move(instance);
  return health;
}

model::Node own_node(const AgentIdentity& self) {
  return {.name = self.node_name,
          .id = self.node_id,
          .address = self.advertise_address,
          .datacenter = self.datacenter,
          .tagged_addresses = {{"lan", self.advertise_address},
                               {"lan_ipv4", self.advertise_address},
                               {"wan", self.advertise_address},
                               {"wan_ipv4", self.advertise_address}},
          .meta = {{"consul-network-segment", ""}, {"consul-version", self.version}}};
}

} // namespace strait::api
