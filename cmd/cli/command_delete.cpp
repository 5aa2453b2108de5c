#include "cmd/cli/apply_results.hpp"
#include "cmd/cli/commands.hpp"
#include "cmd/cli/object_kind.hpp"
#include "cmd/cli/validation.hpp"

#include <ostream>

namespace strait::cli {

namespace {

ExitCode delete_files(const Arguments& arguments, Context& context) {
  auto inputs = read_inputs(arguments.values("filename"), context);
  if (!inputs)
    return report(inputs.error(), context);
  auto connection = Connection::open(arguments, context);
  if (!connection)
    return report(connection.error(), context);
  return send_documents(
      *connection, context,
      {.target = "/strait/v1/delete", .note = "", .json = arguments.value("output") == "json"},
      *inputs);
}

ExitCode run_delete(const Arguments& arguments, Context& context) {
  auto name = arguments.value("NAME");
  if (arguments.given("filename")) {
    if (arguments.given("KIND"))
      return report({ExitCode::usage, "delete: say either -f FILE or KIND NAME"}, context);
    return delete_files(arguments, context);
  }
  if (name.empty())
    return report({ExitCode::usage, "delete: say what: KIND NAME, or -f FILE"}, context);
  auto kind = object_kind(arguments.value("KIND"));
  if (!kind)
    return report(kind.error(), context);
  auto connection = Connection::open(arguments, context);
  if (!connection)
    return report(connection.error(), context);
  auto ns = kind->namespaced ? arguments.value("namespace") : "";
  auto shown = to_string(model::ObjectKey{kind->kind, {ns, name}});
  auto answer = connection->del(objects_path(*kind, ns, name));
  bool missing = !answer && answer.error().code == ExitCode::not_found;
  if (!answer && !(missing && arguments.flag("ignore-not-found")))
    return report(answer.error(), context);
  if (arguments.value("output") == "json")
    context.out << (missing ? "{\"results\":[]}" : answer->body) << "\n";
  else
    context.out << shown << (missing ? " was not there" : " deleted") << "\n";
  return ExitCode::ok;
}

} // namespace

Command delete_command() {
  return {
      .path = "delete",
      .summary = "Delete objects, by name or by the files that made them",
      .examples = {"strait delete httproute web", "strait delete gateway edge -n infra",
                   "strait delete -f routes.yaml"},
      .positionals = {{"KIND", "What it is: httproute, gateway, …", false, object_kind_names()},
                      {"NAME", "Which one", false, {}}},
      .options = {file_option(),
                  namespace_option(),
                  {.name = "ignore-not-found", .help = "Deleting what is not there succeeds"},
                  output_option({"table", "json"})},
      .run = run_delete,
  };
}

} // namespace strait::cli
