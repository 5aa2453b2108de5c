#pragma once

#include "cmd/cli/command.hpp"

#include <variant>

namespace strait::cli {

/// A command with its arguments, ready to run.
struct Invocation {
  const Command* command = nullptr;
  Arguments arguments;
};

/// Nothing to run: help was asked for (ok), or the command line is wrong (usage).
struct Message {
  ExitCode code = ExitCode::ok;
  std::string text;
};

/// Long options may have one dash, as Consul's commands write them ("-http-addr=…").
std::variant<Invocation, Message> parse(const std::vector<Command>& commands,
                                        const std::vector<Group>& groups,
                                        std::vector<std::string> arguments);

} // namespace strait::cli
