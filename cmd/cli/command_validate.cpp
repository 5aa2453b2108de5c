#include "cmd/cli/commands.hpp"
#include "cmd/cli/json.hpp"
#include "cmd/cli/validation.hpp"

#include <ostream>

namespace strait::cli {

namespace {

kubernetes::Node list_of(const std::vector<std::string>& texts) {
  kubernetes::Node::List list;
  for (const auto& text : texts)
    list.push_back({text, {}});
  return {std::move(list), {}};
}

ExitCode run_validate(const Arguments& arguments, Context& context) {
  auto inputs = read_inputs(arguments.values("filename"), context);
  if (!inputs)
    return report(inputs.error(), context);
  auto found = validate(*inputs);
  auto code = found.errors.empty() ? ExitCode::ok : ExitCode::invalid;
  if (arguments.value("output") == "json") {
    kubernetes::Node::Map map{
        {"objects", {static_cast<std::int64_t>(found.objects), {}}},
        {"errors", list_of(found.errors)},
        {"warnings", list_of(found.warnings)},
    };
    context.out << kubernetes::write_json({std::move(map), {}}) << "\n";
    return code;
  }
  for (const auto& warning : found.warnings)
    context.err << "warning: " << warning << "\n";
  for (const auto& error : found.errors)
    context.err << "error: " << error << "\n";
  context.out << fmt::format("{}: {} object(s) in {} file(s), {} error(s), {} warning(s)\n",
                             code == ExitCode::ok ? "valid" : "not valid", found.objects,
                             inputs->size(), found.errors.size(), found.warnings.size());
  return code;
}

} // namespace

Command validate_command() {
  auto files = file_option();
  files.required = true;
  return {
      .path = "validate",
      .summary = "Check files of objects without an agent: syntax, fields, values",
      .details = "Finds what `strait apply` would refuse. References between objects are the "
                 "agent's to judge: `strait apply --dry-run`.",
      .examples = {"strait validate -f route.yaml", "strait validate -f manifests/ -o json",
                   "helm template ./chart | strait validate -f -"},
      .options = {std::move(files), output_option({"table", "json"})},
      .run = run_validate,
      .talks_to_agent = false,
  };
}

} // namespace strait::cli
