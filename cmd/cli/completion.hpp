#pragma once

#include "cmd/cli/command.hpp"

namespace strait::cli {

/// The script for "bash", "zsh" or "fish", made from the table of commands; empty for any other.
std::string completion_script(const std::string& shell, const std::vector<Command>& commands);

} // namespace strait::cli
