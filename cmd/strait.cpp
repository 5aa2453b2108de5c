// strait: the agent and the commands that talk to one.
#include "cmd/agent.hpp"
#include "cmd/cli/run.hpp"

#include <cstdlib>
#include <exception>
#include <iostream>
#include <unistd.h>

int main(int count, char** arguments) {
  using namespace strait;
  std::ios::sync_with_stdio(false);
  cli::Context context{
      .in = std::cin,
      .out = std::cout,
      .err = std::cerr,
      .environment =
          [](const std::string& name) {
            const char* value = std::getenv(name.c_str());
            return std::string{value ? value : ""};
          },
      .terminal = ::isatty(STDERR_FILENO) == 1,
      .run_agent = [](const cmd::AgentOptions& options) { return cmd::run_agent(options); },
  };
  try {
    int code = cli::run({arguments + 1, arguments + count}, context);
    std::cout << std::flush;
    // Threads of gRPC may still end a stream of an agent that is done: its globals stay alive.
    std::_Exit(code);
  } catch (const std::exception& error) { // Memory, or a bug: there is nobody else to tell.
    std::cerr << "strait: " << error.what() << "\n";
    return static_cast<int>(cli::ExitCode::failed);
  }
}
