#include "catalog/change.hpp"

#include <algorithm>

/// Nodes, service instances and checks of this datacenter: Consul's rules for catalog/register and
/// catalog/deregister, with its messages where clients match on them.
namespace strait::catalog {

namespace {

bool is_uuid(std::string_view text) {
  if (text.size() != 36)
    return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !std::isxdigit(static_cast<unsigned char>(text[i])))
      return false;
  }
  return true;
}

/// The keys (owner, x) of an index, in order of x.
template <class Index>
std::vector<std::string> second_of(const Index& index, const model::Name& owner) {
  std::vector<std::string> found;
  auto it = index.lower_bound(std::pair{owner, std::string{}});
  for (; it != index.end() && it->first.first == owner; ++it)
    found.push_back(it->first.second);
  return found;
}

/// What is said of the service in its checks follows the service.
void follow(model::HealthCheck& check, const model::ServiceInstance& instance) {
  check.service_name = instance.service;
  check.service_tags = instance.tags;
}

void put_node(Change& change, const Register& command) {
  auto node = command.node;
  auto* stored = change.view().find<model::Node>({"", node.name});
  if (stored && command.skip_node_update)
    return;
  if (stored && node.id.empty())
    node.id = stored->id;
  change.put(std::move(node));
}

void put_instance(Change& change, const Register& command, model::ServiceInstance instance) {
  instance.node = command.node.name;
  if (instance.id.empty())
    instance.id = instance.service;
  model::Name name{node_scope("", instance.node), instance.id};
  for (auto& id : checks_of(change.view(), name)) {
    auto check = *change.view().find<model::HealthCheck>({name.ns, id});
    follow(check, instance);
    change.put(std::move(check));
  }
  change.put(std::move(instance));
}

void put_check(Change& change, const CommandLimits& limits, const Register& command,
               model::HealthCheck check) {
  if (check.node.empty())
    check.node = command.node.name;
  if (check.node != command.node.name)
    return change.refuse(Errc::invalid, "check '{}': is of node '{}', expected '{}'", check.id,
                         check.node, command.node.name);
  if (check.id.empty())
    check.id = check.name;
  if (!check_name(change, limits, "CheckID", check.id))
    return;
  if (!check.service_id.empty()) {
    auto* instance = change.view().find<model::ServiceInstance>(owner_of(check));
    if (!instance)
      return change.refuse(Errc::invalid, "Unknown service ID '{}' for check ID '{}'",
                           check.service_id, check.id);
    follow(check, *instance);
  }
  if (check.output.size() > limits.check_output_bytes_max)
    check.output.resize(limits.check_output_bytes_max);
  change.put(std::move(check));
}

/// Consul's checks of the request itself, in its order.
bool valid(Change& change, const CommandLimits& limits, const Register& command) {
  auto imported = [](auto& it) { return !it.peer.empty(); };
  if (command.node.name.empty())
    change.refuse(Errc::invalid, "Must provide node");
  else if (!command.node.id.empty() && !is_uuid(command.node.id))
    change.refuse(Errc::invalid, "Bad node ID: {}: must be a UUID", command.node.id);
  else if (command.node.address.empty() && !command.skip_node_update)
    change.refuse(Errc::invalid, "Must provide address if SkipNodeUpdate is not set");
  else if (imported(command.node) || (command.instance && imported(*command.instance)) ||
           std::any_of(command.checks.begin(), command.checks.end(), imported))
    change.refuse(Errc::invalid, "cannot register requests with PeerName in them");
  else if (command.checks.size() > limits.checks_per_register_max)
    change.refuse(Errc::exhausted, "Checks: has {} checks, at most {} may be registered at once",
                  command.checks.size(), limits.checks_per_register_max);
  else
    check_name(change, limits, "Node", command.node.name);
  if (change.refused() || !command.instance)
    return !change.refused();
  auto& instance = *command.instance;
  if (instance.service.empty() && !instance.id.empty())
    change.refuse(Errc::invalid,
                  "Must provide service name (Service.Service) when service ID is provided");
  else if (instance.service.empty())
    change.refuse(Errc::invalid, "Must provide service name (Service.Service)");
  else if (instance.address == "0.0.0.0" || instance.address == "::" || instance.address == "[::]")
    change.refuse(Errc::invalid, "Invalid service address");
  else
    check_name(change, limits, "Service.Service", instance.service);
  return !change.refused();
}

} // namespace

std::vector<std::string> checks_of(const View& view, const model::Name& owner) {
  return second_of(view.checks, owner);
}
std::vector<std::string> instances_on(const View& view, const model::Name& node) {
  return second_of(view.node_instances, node);
}

void remove_instance(Change& change, const model::Name& instance) {
  for (auto& id : checks_of(change.view(), instance))
    change.erase<model::HealthCheck>({instance.ns, id});
  change.erase<model::ServiceInstance>(instance);
}

void remove_node(Change& change, const model::Name& node) {
  auto scope = node_scope(node.ns, node.name);
  for (auto& id : instances_on(change.view(), node))
    remove_instance(change, {scope, id});
  for (auto& id : checks_of(change.view(), {scope, ""}))
    change.erase<model::HealthCheck>({scope, id});
  change.erase<model::Node>(node);
}

void apply(Change& change, const CommandLimits& limits, const Register& command, WallTime) {
  if (!valid(change, limits, command))
    return;
  put_node(change, command);
  if (command.instance)
    put_instance(change, command, *command.instance);
  for (auto& check : command.checks)
    put_check(change, limits, command, check);
}

void apply(Change& change, const CommandLimits&, const Deregister& command, WallTime) {
  if (command.node.empty())
    return change.refuse(Errc::invalid, "Must provide node");
  auto scope = node_scope("", command.node);
  // As in Consul, taking away what is not there is a success that changes nothing.
  if (!command.instance_id.empty())
    remove_instance(change, {scope, command.instance_id});
  else if (!command.check_id.empty())
    change.erase<model::HealthCheck>({scope, command.check_id});
  else
    remove_node(change, {"", command.node});
}

void apply(Change& change, const CommandLimits& limits, const ReportCheck& command, WallTime) {
  auto* stored =
      change.view().find<model::HealthCheck>({node_scope("", command.node), command.check_id});
  if (!stored)
    return change.refuse(Errc::not_found, "Unknown check ID '{}' on node '{}'", command.check_id,
                         command.node);
  auto check = *stored;
  check.status = command.status;
  check.output = command.output.substr(0, limits.check_output_bytes_max);
  change.put(std::move(check));
}

} // namespace strait::catalog
