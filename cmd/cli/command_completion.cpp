#include "cmd/cli/commands.hpp"
#include "cmd/cli/completion.hpp"

#include <ostream>

namespace strait::cli {

namespace {

ExitCode run_completion(const Arguments& arguments, Context& context) {
  auto shell = arguments.value("SHELL");
  auto script = completion_script(shell, commands());
  if (script.empty()) {
    context.err << "strait completion: there are bash, zsh and fish, not \"" << shell << "\"\n";
    return ExitCode::usage;
  }
  context.out << script;
  return ExitCode::ok;
}

} // namespace

Command completion_command() {
  return {
      .path = "completion",
      .summary = "A script that completes strait's commands in a shell",
      .examples = {"source <(strait completion bash)", "source <(strait completion zsh)",
                   "strait completion fish >~/.config/fish/completions/strait.fish"},
      .positionals = {{"SHELL", "bash, zsh or fish", true, {"bash", "zsh", "fish"}}},
      .run = run_completion,
      .talks_to_agent = false,
  };
}

} // namespace strait::cli
