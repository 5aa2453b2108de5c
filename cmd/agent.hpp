#pragma once

#include "cmd/agent_options.hpp"

namespace strait::cmd {

/// Runs an agent until SIGINT or SIGTERM. Returns the exit code: 0, or 1 if it could not start,
/// with the reason on standard error. Starts threads; call it from a process that has none yet.
int run_agent(const AgentOptions& options);

} // namespace strait::cmd
