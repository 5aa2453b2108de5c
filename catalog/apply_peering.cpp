#include "catalog/change.hpp"

#include <algorithm>

/// Peerings, and what comes through them.
namespace strait::catalog {

namespace {

using model::PeeringState;

bool is_leaving(const model::Peering& peering) {
  return peering.state == PeeringState::deleting || peering.state == PeeringState::terminated;
}

/// Nothing is imported through a peering that is not there or is on its way out: it would stay
/// behind for ever.
const model::Peering* importing(Change& change, const std::string& peer) {
  auto* peering = change.view().find<model::Peering>({"", peer});
  if (!peering)
    change.refuse(Errc::not_found, "Peering {}: does not exist, nothing can be imported from it",
                  peer);
  else if (is_leaving(*peering))
    change.refuse(Errc::conflict, "Peering {}: is {}, nothing can be imported from it", peer,
                  model::to_string(peering->state));
  return change.refused() ? nullptr : peering;
}

std::vector<model::Name> instance_names(const View& view, const ServiceKey& service) {
  std::vector<model::Name> names;
  if (auto* entry = view.services.find(service))
    for (auto& item : entry->instances)
      names.push_back(item.first);
  return names;
}

/// Checks of the owner that are not among the kept ones go away.
void keep_only(Change& change, const model::Name& owner, const std::set<std::string>& kept) {
  for (auto& id : checks_of(change.view(), owner))
    if (!kept.count(id))
      change.erase<model::HealthCheck>({owner.ns, id});
}

void put_imported(Change& change, const CommandLimits& limits, const Import& command,
                  const Import::Instance& given, std::set<model::Name>& kept,
                  std::map<std::string, std::set<std::string>>& node_checks) {
  auto node = given.node;
  auto instance = given.instance;
  node.peer = instance.peer = command.peer;
  instance.node = node.name;
  if (instance.id.empty())
    instance.id = instance.service;
  if (instance.service != command.service)
    return change.refuse(Errc::invalid, "import of {} from {}: instance {} is of service '{}'",
                         command.service, command.peer, instance.id, instance.service);
  if (!check_name(change, limits, "Node", node.name))
    return;
  auto scope = node_scope(node.peer, node.name);
  model::Name name{scope, instance.id};
  kept.insert(name);
  auto& of_node = node_checks[node.name];
  std::set<std::string> of_instance;
  auto tags = instance.tags;
  change.put(std::move(node));
  change.put(std::move(instance));
  for (auto check : given.checks) {
    check.peer = command.peer;
    check.node = given.node.name;
    // A check comes with the instance that it is sent with, or is one of the node.
    if (!check.service_id.empty() && check.service_id != name.name)
      return change.refuse(Errc::invalid,
                           "import of {} from {}: check {} is of service ID '{}', expected '{}'",
                           command.service, command.peer, check.id, check.service_id, name.name);
    if (!check.service_id.empty()) {
      check.service_name = command.service;
      check.service_tags = tags;
    }
    if (check.output.size() > limits.check_output_bytes_max)
      check.output.resize(limits.check_output_bytes_max);
    (check.service_id.empty() ? of_node : of_instance).insert(check.id);
    change.put(std::move(check));
  }
  keep_only(change, name, of_instance);
}

/// An imported node that has no service left goes away.
void remove_if_bare(Change& change, const model::Name& node) {
  if (instances_on(change.view(), node).empty())
    remove_node(change, node);
}

/// Removes one imported instance; says which node it was on.
void remove_imported(Change& change, const model::Name& name, std::set<model::Name>& nodes) {
  if (auto* instance = change.view().find<model::ServiceInstance>(name))
    nodes.insert({instance->peer, instance->node});
  remove_instance(change, name);
}

} // namespace

void apply(Change& change, const CommandLimits& limits, const Import& command, WallTime) {
  if (command.instances.size() > limits.instances_per_import_max)
    return change.refuse(Errc::exhausted, "import of {} from {}: has {} instances, at most {}",
                         command.service, command.peer, command.instances.size(),
                         limits.instances_per_import_max);
  if (!importing(change, command.peer) ||
      !check_name(change, limits, "service of the import", command.service))
    return;
  std::set<model::Name> kept, nodes;
  std::map<std::string, std::set<std::string>> node_checks;
  for (auto& given : command.instances)
    put_imported(change, limits, command, given, kept, node_checks);
  for (auto& [node, checks] : node_checks)
    keep_only(change, {node_scope(command.peer, node), ""}, checks);
  for (auto& name : instance_names(change.view(), {command.peer, command.service}))
    if (!kept.count(name))
      remove_imported(change, name, nodes);
  for (auto& node : nodes)
    remove_if_bare(change, node);
}

void apply(Change& change, const CommandLimits&, const ImportList& command, WallTime) {
  if (!importing(change, command.peer))
    return;
  std::set<std::string> listed{command.services.begin(), command.services.end()};
  std::vector<ServiceKey> gone;
  auto& services = change.view().services;
  for (auto it = services.lower_bound(ServiceKey{command.peer, ""});
       it != services.end() && it->first.peer == command.peer; ++it)
    if (!listed.count(it->first.service))
      gone.push_back(it->first);
  std::set<model::Name> nodes;
  for (auto& service : gone)
    for (auto& name : instance_names(change.view(), service))
      remove_imported(change, name, nodes);
  for (auto& node : nodes)
    remove_if_bare(change, node);
}

void apply(Change& change, const CommandLimits&, const ImportTrust& command, WallTime) {
  auto* stored = importing(change, command.bundle.peer);
  if (!stored)
    return;
  auto peering = *stored;
  change.put(command.bundle);
  if (peering.dials()) { // It goes on trusting the peer's servers after the peer's root changed.
    peering.peer_ca_pems = command.bundle.root_pems;
    change.put(std::move(peering));
  }
}

void apply(Change& change, const CommandLimits& limits, const WritePeering& command, WallTime) {
  auto peering = command.peering;
  auto key = model::key_of(peering);
  if (!check_name(change, limits, "Peering: name", peering.name))
    return;
  auto stored = change.view().record<model::Peering>(key.name);
  require(change, key, command.cas, stored ? stored->modified : 0);
  auto secret_key = model::key_of(model::PeeringSecrets{.peering = peering.name});
  auto stored_secrets = change.view().record<model::PeeringSecrets>(secret_key.name);
  require(change, secret_key, command.secrets_cas, stored_secrets ? stored_secrets->modified : 0);
  if (stored && stored->value.state == PeeringState::deleting)
    change.refuse(Errc::conflict, "Peering {}: cannot write to peering that is marked for deletion",
                  peering.name);
  if (stored && stored->value.state != PeeringState::undefined &&
      stored->value.dials() != peering.dials() && !is_leaving(peering))
    change.refuse(Errc::invalid, "Peering {}: Cannot switch peering dialing mode from {} to {}",
                  peering.name, stored->value.dials(), peering.dials());
  if (change.refused())
    return;
  if (peering.id.empty())
    peering.id = stored ? stored->value.id : derive_uid(key, change.revision());
  if (is_leaving(peering)) {
    change.erase<model::PeeringSecrets>(key.name);
  } else if (command.secrets) {
    auto secrets = *command.secrets;
    secrets.peering = peering.name;
    change.put(std::move(secrets));
  }
  change.put(std::move(peering));
}

void apply(Change& change, const CommandLimits&, const ReportPeering& command, WallTime) {
  auto* stored = change.view().find<model::Peering>({"", command.name});
  if (!stored)
    return change.refuse(Errc::not_found, "Peering {}: does not exist", command.name);
  auto peering = *stored;
  if (command.state && *command.state != peering.state && peering.state == PeeringState::deleting)
    return change.refuse(Errc::conflict,
                         "Peering {}: cannot write to peering that is marked for deletion",
                         command.name);
  if (command.state)
    peering.state = *command.state;
  if (command.status)
    peering.status = *command.status;
  if (command.server_addresses)
    peering.peer_server_addresses = *command.server_addresses;
  if (command.imported)
    std::tie(peering.imported_store_id, peering.imported_revision) = *command.imported;
  if (peering.state == PeeringState::terminated)
    change.erase<model::PeeringSecrets>({"", command.name});
  change.put(std::move(peering));
}

void apply(Change& change, const CommandLimits&, const ForgetPeering& command, WallTime) {
  std::vector<model::Name> nodes;
  auto& table = change.view().table<model::Node>();
  for (auto it = table.lower_bound(model::Name{command.name, ""});
       it != table.end() && it->first.ns == command.name; ++it)
    nodes.push_back(it->first);
  if (command.name.empty())
    return change.refuse(Errc::invalid, "Peering: name: must not be empty");
  for (auto& node : nodes)
    remove_node(change, node);
  change.erase<model::TrustBundle>({"", command.name});
  change.erase<model::PeeringSecrets>({"", command.name});
  auto* stored = change.view().find<model::Peering>({"", command.name});
  if (!stored)
    return; // Deleting what is not there is a success.
  if (!command.keep_record) {
    change.erase<model::Peering>({"", command.name});
    return;
  }
  auto peering = *stored;
  peering.state = PeeringState::terminated;
  peering.status.imported.clear();
  peering.status.exported.clear();
  peering.imported_store_id.clear(); // What it spoke of has just been removed.
  peering.imported_revision = 0;
  change.put(std::move(peering));
}

} // namespace strait::catalog
