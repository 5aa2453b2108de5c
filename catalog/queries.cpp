#include "catalog/queries.hpp"

#include <algorithm>

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

std::map<std::string, std::set<std::string>> services_with_tags(const View& view) {
  std::map<std::string, std::set<std::string>> all;
  auto it = view.services.lower_bound(ServiceKey{});
  for (; it != view.services.end() && it->first.peer.empty(); ++it) {
    auto& tags = all[it->first.service];
    for (auto& item : it->second.instances) {
      auto& instance = *view.find<model::ServiceInstance>(item.first);
      tags.insert(instance.tags.begin(), instance.tags.end());
    }
  }
  return all;
}

std::vector<RecordPtr<model::Node>> nodes(const View& view, const std::string& peer) {
  std::vector<RecordPtr<model::Node>> all;
  auto& table = view.table<model::Node>();
  for (auto it = table.lower_bound(model::Name{peer, ""});
       it != table.end() && it->first.ns == peer; ++it)
    all.push_back(it->second);
  return all;
}

namespace {

constexpr std::string_view servers_own_service = "consul"; // Never leaves its datacenter.

/// Whether a service has an instance of the kind that peers may call: a wildcard means no other.
bool is_typical(const View& view, const ServiceEntry& entry) {
  for (auto& item : entry.instances)
    if (view.find<model::ServiceInstance>(item.first)->service_kind.empty())
      return true;
  return false;
}

bool names(const std::vector<std::string>& peers, const std::string& peer) {
  return std::find(peers.begin(), peers.end(), peer) != peers.end();
}

template <class Visit>
void each_export(const View& view, Visit&& visit) {
  for (auto& item : view.table<model::ExportedServices>())
    for (auto& entry : item.second->value.services)
      visit(entry);
}

} // namespace

std::vector<std::string> exported_to(const View& view, const std::string& peer) {
  std::set<std::string> all;
  bool every = false;
  each_export(view, [&](const model::ExportedServices::Entry& entry) {
    if (!names(entry.peers, peer))
      return;
    if (entry.service == "*")
      every = true;
    else
      all.insert(entry.service);
  });
  if (every) {
    auto it = view.services.lower_bound(ServiceKey{});
    for (; it != view.services.end() && it->first.peer.empty(); ++it)
      if (is_typical(view, it->second))
        all.insert(it->first.service);
  }
  all.erase(std::string{servers_own_service});
  return {all.begin(), all.end()};
}

std::vector<std::string> exported_peers(const View& view, const std::string& service) {
  std::set<std::string> peers;
  if (service == servers_own_service)
    return {};
  auto* entry = view.services.find(ServiceKey{"", service});
  bool typical = entry && is_typical(view, *entry);
  each_export(view, [&](const model::ExportedServices::Entry& exported) {
    if (exported.service == service || (exported.service == "*" && typical))
      peers.insert(exported.peers.begin(), exported.peers.end());
  });
  return {peers.begin(), peers.end()};
}

bool is_exported(const View& view, const std::string& service, const std::string& peer) {
  return names(exported_peers(view, service), peer);
}

Decision intention(const View& view, const Call& call) {
  for (auto& destination : {call.destination, std::string{"*"}}) {
    auto* entry = view.find<model::ServiceIntentions>({"", destination});
    if (!entry)
      continue;
    for (auto& name : {call.source, std::string{"*"}})
      for (auto& source : entry->sources)
        if (source.name == name && source.peer == call.source_peer)
          return source.allow ? Decision::allow : Decision::deny;
  }
  return Decision::undecided;
}

} // namespace strait::catalog
