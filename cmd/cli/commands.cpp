#include "cmd/cli/commands.hpp"

namespace strait::cli {

namespace {

std::vector<Command> make_commands() {
  std::vector<Command> out{agent_command(), apply_command(), delete_command(), get_command(),
                           validate_command()};
  auto add = [&](std::vector<Command> several) {
    for (auto& command : several)
      out.push_back(std::move(command));
  };
  add(catalog_commands());
  out.push_back(health_command());
  add(peering_commands());
  add(config_commands());
  add(install_commands());
  add({gateway_status_command(), members_command(), version_command(), completion_command()});
  return out;
}

} // namespace

const std::vector<Command>& commands() {
  static const auto all = make_commands();
  return all;
}

const std::vector<Group>& groups() {
  static const std::vector<Group> all{
      {"catalog", "What is registered: services, nodes, datacenters"},
      {"peering", "Datacenters that exchange services with this one"},
      {"config", "Consul's config entries: exported services and intentions"},
      {"gateway", "Gateways and the proxies that serve them"},
  };
  return all;
}

} // namespace strait::cli
