#include "cmd/cli/commands.hpp"
#include "cmd/cli/object_columns.hpp"
#include "cmd/cli/object_kind.hpp"
#include "cmd/cli/table.hpp"

#include <ostream>

namespace strait::cli {

namespace {

/// The objects of an answer: the items of a `kind: List`, or the one that it is.
Status for_each_object(std::string_view body, const std::function<Status(std::string_view)>& each) {
  auto items = json::member(body, "items");
  return items ? json::for_each_item(*items, each) : each(body);
}

bool is_empty_list(std::string_view body) {
  auto items = json::member(body, "items");
  bool any = !items;
  if (items) // One is enough to know.
    (void)json::for_each_item(*items, [&](std::string_view) -> Status {
      any = true;
      return fail(Errc::exhausted, "not empty");
    });
  return !any;
}

Status write_table(std::ostream& out, const ColumnOptions& options, std::string_view body) {
  auto columns = columns_of(options);
  std::vector<std::string> header;
  for (const auto& column : columns)
    header.push_back(column.header);
  Table table{out, std::move(header)};
  return for_each_object(body, [&](std::string_view text) -> Status {
    auto object = kubernetes::parse_json(text, "the answer");
    if (!object)
      return fail(object.error());
    std::vector<std::string> cells;
    for (const auto& column : columns)
      cells.push_back(column.cell(*object));
    table.row(std::move(cells));
    return {};
  });
}

ExitCode run_get(const Arguments& arguments, Context& context) {
  auto kind = object_kind(arguments.value("KIND"));
  if (!kind)
    return report(kind.error(), context);
  auto connection = Connection::open(arguments, context);
  if (!connection)
    return report(connection.error(), context);
  auto name = arguments.value("NAME");
  auto everywhere = arguments.flag("all-namespaces");
  if (everywhere && !name.empty())
    return report({ExitCode::usage, "get: -A lists every namespace, a name is in one: say -n"},
                  context);
  auto ns = everywhere ? "" : arguments.value("namespace");
  auto output = arguments.value("output");
  auto target =
      with_parameter(objects_path(*kind, ns, name), "format", output == "yaml" ? "yaml" : "json");
  return show_answer(
      *connection, context, target, arguments.flag("watch"), [&](const net::HttpResponse& answer) {
        if (output == "yaml" || output == "json") {
          context.out << answer.body << (answer.body.ends_with('\n') ? "" : "\n");
          return ExitCode::ok;
        }
        if (is_empty_list(answer.body)) {
          context.err << "There is no " << to_string(kind->kind)
                      << (everywhere || !kind->namespaced ? "" : " in namespace " + ns) << ".\n";
          return ExitCode::ok;
        }
        auto written = write_table(context.out,
                                   {.kind = kind->kind,
                                    .with_namespace = everywhere && kind->namespaced,
                                    .wide = output == "wide",
                                    .now = now_wall()},
                                   answer.body);
        return written ? ExitCode::ok : report(bad_answer(written.error()), context);
      });
}

} // namespace

Command get_command() {
  return {
      .path = "get",
      .summary = "Show objects: gateways, routes and what they refer to, with their status",
      .details = "KIND is an API kind in any case, plural or short: HTTPRoute, gateways, svc, "
                 "exported-services.",
      .examples = {"strait get httproute -o wide             # with parents and what is wrong",
                   "strait get gateway edge -o yaml", "strait get services -A",
                   "strait get httproute --watch              # again after every change"},
      .positionals = {{"KIND", "What to show", true, object_kind_names()},
                      {"NAME", "One object; without it all of the namespace", false, {}}},
      .options = {namespace_option(),
                  {.name = "all-namespaces", .letter = 'A', .help = "Of every namespace"},
                  output_option({"table", "wide", "yaml", "json"}),
                  {.name = "watch", .letter = 'w', .help = "Show it again after every change"}},
      .run = run_get,
  };
}

} // namespace strait::cli
