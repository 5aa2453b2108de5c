#include "catalog/view.hpp"
#include "catalog/view_writer.hpp"

namespace strait::catalog {

namespace {

void add_checks(const View& view, const model::Name& owner, InstanceHealth& health) {
  auto it = view.checks.lower_bound(std::pair{owner, std::string{}});
  for (; it != view.checks.end() && it->first.first == owner; ++it) {
    auto check = view.record<model::HealthCheck>({owner.ns, it->first.second});
    health.overall = model::worse(health.overall, check->value.status);
    health.checks.push_back(std::move(check));
  }
}

} // namespace

std::vector<InstanceHealth> instances_of(const View& view, const ServiceKey& service) {
  std::vector<InstanceHealth> all;
  auto* entry = view.services.find(service);
  if (!entry)
    return all;
  all.reserve(entry->instances.size());
  for (auto& item : entry->instances) {
    InstanceHealth health;
    health.instance = view.record<model::ServiceInstance>(item.first);
    auto& instance = health.instance->value;
    health.node = view.record<model::Node>({instance.peer, instance.node});
    add_checks(view, {item.first.ns, ""}, health);
    if (!item.first.name.empty())
      add_checks(view, item.first, health);
    all.push_back(std::move(health));
  }
  return all;
}

Revision service_index(const View& view, const ServiceKey& service) {
  auto* entry = view.services.find(service);
  return entry && !entry->instances.empty() ? entry->modified : view.extinction;
}

} // namespace strait::catalog
