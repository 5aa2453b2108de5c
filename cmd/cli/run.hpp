#pragma once

#include "cmd/cli/command.hpp"

namespace strait::cli {

/// The whole of `strait` but the process around it: parses `arguments` (without the program's
/// name), runs what they ask for and returns the code to exit with. Help goes to `out` and is no
/// failure; wrong use goes to `err`. One thread.
int run(std::vector<std::string> arguments, Context& context);

} // namespace strait::cli
