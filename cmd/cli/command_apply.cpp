#include "cmd/cli/apply_results.hpp"
#include "cmd/cli/commands.hpp"
#include "cmd/cli/validation.hpp"

#include <ostream>

namespace strait::cli {

namespace {

ExitCode run_apply(const Arguments& arguments, Context& context) {
  auto inputs = read_inputs(arguments.values("filename"), context);
  if (!inputs)
    return report(inputs.error(), context);
  // All of them first: one bad file, and nothing of any is sent.
  auto found = validate(*inputs);
  for (const auto& warning : found.warnings)
    context.err << "warning: " << warning << "\n";
  if (!found.errors.empty()) {
    for (const auto& error : found.errors)
      context.err << "error: " << error << "\n";
    return report({ExitCode::invalid, "nothing was applied"}, context);
  }
  auto connection = Connection::open(arguments, context);
  if (!connection)
    return report(connection.error(), context);
  bool dry_run = arguments.flag("dry-run");
  std::string target = "/strait/v1/apply";
  if (dry_run)
    target += "?dry-run";
  return send_documents(*connection, context,
                        {.target = target,
                         .note = dry_run ? " (dry run)" : "",
                         .json = arguments.value("output") == "json"},
                        *inputs);
}

} // namespace

Command apply_command() {
  auto files = file_option();
  files.required = true;
  return {
      .path = "apply",
      .summary = "Create or change objects from files",
      .details = "Every document of every file is checked first; if one is wrong, nothing is "
                 "changed.",
      .examples = {"strait apply -f gateway.yaml -f routes.yaml", "strait apply -f manifests/",
                   "strait apply -f - <route.yaml", "strait apply --dry-run -f route.yaml"},
      .options = {std::move(files),
                  {.name = "dry-run", .help = "Let the agent check everything and change nothing"},
                  output_option({"table", "json"})},
      .run = run_apply,
  };
}

} // namespace strait::cli
