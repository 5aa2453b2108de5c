#include "cmd/cli/commands.hpp"
#include "cmd/cli/json.hpp"
#include "cmd/cli/listing.hpp"
#include "cmd/cli/table.hpp"

#include <ostream>

namespace strait::cli {

namespace {

using json::Node;

/// One row for each proxy; a gateway without one has a row that says so.
void add_rows(Table& table, const Node& gateway) {
  auto ns = json::text_at(gateway, "namespace");
  auto name = (ns.empty() ? "" : ns + "/") + json::text_at(gateway, "name");
  auto epoch = json::text_at(gateway, "epoch");
  const auto& proxies = json::items(json::find(&gateway, "proxies"));
  if (proxies.empty())
    table.row({name, epoch, "", "", "no proxy serves it", ""});
  for (const auto& proxy : proxies) {
    auto served = json::text_at(proxy, "served");
    auto errors = json::joined(json::find(&proxy, "errors"), "; ");
    table.row({name, epoch, json::text_at(proxy, "id"), served,
               !errors.empty()   ? "errors"
               : served == epoch ? "in step"
                                 : "behind",
               errors});
  }
}

ExitCode run_status(const Arguments& arguments, Context& context) {
  auto name = arguments.value("NAME");
  auto connection = Connection::open(arguments, context);
  if (!connection)
    return report(connection.error(), context);
  std::string target = "/strait/v1/gateways";
  if (!name.empty())
    target +=
        "/" + net::percent_encode(arguments.value("namespace")) + "/" + net::percent_encode(name);
  auto answer = connection->get(target);
  if (!answer)
    return report(answer.error(), context);
  if (arguments.value("output") == "json") {
    context.out << answer->body << "\n";
    return ExitCode::ok;
  }
  auto parsed = parse_answer(*answer);
  if (!parsed)
    return report(parsed.error(), context);
  if (name.empty() && json::items(&*parsed).empty()) {
    context.err << "There is no gateway.\n";
    return ExitCode::ok;
  }
  Table table{context.out, {"GATEWAY", "EPOCH", "PROXY", "SERVES", "STATE", "ERRORS"}};
  if (name.empty())
    for (const auto& gateway : json::items(&*parsed))
      add_rows(table, gateway);
  else
    add_rows(table, *parsed);
  return ExitCode::ok;
}

} // namespace

Command gateway_status_command() {
  return {
      .path = "gateway status",
      .summary = "Which configuration each gateway has, and which one its proxies serve",
      .details = "EPOCH counts the configurations of the gateway. A proxy is in step when every "
                 "worker of it serves the newest one.",
      .examples = {"strait gateway status", "strait gateway status edge -n infra",
                   "strait gateway status -o json"},
      .positionals = {{"NAME", "One gateway; without it all of them", false, {}}},
      .options = {namespace_option(), output_option({"table", "json"})},
      .run = run_status,
  };
}

} // namespace strait::cli
