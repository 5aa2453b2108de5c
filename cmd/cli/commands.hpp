#pragma once

#include "cmd/cli/command.hpp"

/// The commands of `strait`. Each file command_NAME.cpp defines those it is named for.
namespace strait::cli {

Command agent_command();
Command apply_command();
Command delete_command();
Command get_command();
Command validate_command();
std::vector<Command> catalog_commands();
Command health_command();
std::vector<Command> peering_commands();
std::vector<Command> config_commands();
Command gateway_status_command();
std::vector<Command> install_commands();
Command uninstall_command();
Command members_command();
Command version_command();
Command completion_command();

/// All of them, in the order that --help shows.
const std::vector<Command>& commands();
const std::vector<Group>& groups();

} // namespace strait::cli
