#include "cmd/cli/commands.hpp"
#include "cmd/cli/json.hpp"
#include "cmd/cli/listing.hpp"
#include "cmd/cli/table.hpp"

#include <ostream>

namespace strait::cli {

namespace {

using json::Node;

/// "http:8080/HTTP(2)" of each listener: the number is that of the routes attached.
std::string listeners_of(const Node& gateway) {
  std::string out;
  for (const auto& listener : json::items(json::find(&gateway, "listeners"))) {
    out += (out.empty() ? "" : ",") + json::text_at(listener, "name") + ":" +
           json::text_at(listener, "port") + "/" + json::text_at(listener, "protocol") + "(" +
           std::to_string(json::number_at(listener, "attachedRoutes")) + ")";
  }
  return out;
}

/// Whether the gateway is programmed, or the reason why not.
std::string programmed(const Node& gateway) {
  for (const auto& condition : json::items(json::find(&gateway, "conditions")))
    if (json::text_at(condition, "type") == "Programmed")
      return json::text_at(condition, "status") == "True" ? "True"
                                                          : json::text_at(condition, "reason");
  return "Unknown";
}

/// One row for each proxy; a gateway without one has a row that says so.
void add_rows(Table& table, const Node& gateway) {
  auto ns = json::text_at(gateway, "namespace");
  auto name = (ns.empty() ? "" : ns + "/") + json::text_at(gateway, "name");
  auto epoch = json::text_at(gateway, "epoch");
  std::vector<std::string> head{name, programmed(gateway), listeners_of(gateway), epoch};
  auto add = [&](std::vector<std::string> rest) {
    auto cells = head;
    cells.insert(cells.end(), rest.begin(), rest.end());
    table.row(std::move(cells));
  };
  const auto& proxies = json::items(json::find(&gateway, "proxies"));
  auto fed_at = json::text_at(gateway, "fedAt");
  if (proxies.empty())
    add({"", "", fed_at.empty() ? "no proxy serves it" : "fed by the replica at " + fed_at});
  for (const auto& proxy : proxies) {
    auto served = json::text_at(proxy, "servedEpoch");
    auto errors = json::joined(json::find(&proxy, "errors"), "; ");
    add({json::text_at(proxy, "id"), served,
         !errors.empty()   ? errors
         : served == epoch ? "in step"
                           : "behind"});
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
  const auto& gateways = json::items(json::find(&*parsed, "gateways"));
  if (name.empty() && gateways.empty()) {
    context.err << "There is no gateway.\n";
    return ExitCode::ok;
  }
  Table table{context.out,
              {"GATEWAY", "PROGRAMMED", "LISTENERS", "EPOCH", "PROXY", "SERVES", "STATE"}};
  if (!name.empty())
    add_rows(table, *parsed);
  for (const auto& gateway : gateways)
    add_rows(table, gateway);
  return ExitCode::ok;
}

} // namespace

Command gateway_status_command() {
  return {
      .path = "gateway status",
      .summary = "Which configuration each gateway has, and which one its proxies serve",
      .details = "LISTENERS names each with the number of its routes. EPOCH counts the "
                 "configurations of the gateway; a proxy is in step when every worker of it "
                 "serves the newest one. Of several replicas, one feeds all gateways: the "
                 "others say where it is.",
      .examples = {"strait gateway status", "strait gateway status edge -n infra",
                   "strait gateway status -o json"},
      .positionals = {{"NAME", "One gateway; without it all of them", false, {}}},
      .options = {namespace_option(), output_option({"table", "json"})},
      .run = run_status,
  };
}

} // namespace strait::cli
