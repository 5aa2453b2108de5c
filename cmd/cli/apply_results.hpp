#pragma once

#include "cmd/cli/input.hpp"

namespace strait::cli {

struct SendOptions {
  std::string target; ///< "/strait/v1/apply"
  std::string note;   ///< Behind each line: " (dry run)".
  bool json = false;
};

/// Sends each input to the agent and writes what became of each object: "HTTPRoute default/web
/// created". Stops at the first input that is refused, and says which were sent before.
ExitCode send_documents(Connection& connection, Context& context, const SendOptions& options,
                        const std::vector<Input>& inputs);

} // namespace strait::cli
