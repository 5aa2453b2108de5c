#include "cmd/cli/run.hpp"

#include "cmd/cli/commands.hpp"
#include "cmd/cli/parser.hpp"

#include <iostream>

namespace strait::cli {

int run(std::vector<std::string> arguments, Context& context) {
  auto code = ExitCode::ok;
  auto parsed = parse(commands(), groups(), std::move(arguments));
  if (const auto* message = std::get_if<Message>(&parsed)) {
    (message->code == ExitCode::ok ? context.out : context.err) << message->text;
    code = message->code;
  } else {
    const auto& invocation = std::get<Invocation>(parsed);
    code = invocation.command->run(invocation.arguments, context);
  }
  context.out.flush();
  if (!context.out && code == ExitCode::ok) {
    context.err << "strait: the output could not be written\n";
    return static_cast<int>(ExitCode::failed);
  }
  return static_cast<int>(code);
}

} // namespace strait::cli
