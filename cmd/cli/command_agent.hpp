#pragma once

#include "cmd/agent_options.hpp"
#include "cmd/cli/arguments.hpp"

namespace strait::cli {

/// What `strait agent` was asked for. Errors name the option.
Result<cmd::AgentOptions> agent_options(const Arguments& arguments);

} // namespace strait::cli
