#include "cmd/cli/commands.hpp"
#include "cmd/cli/listing.hpp"

#include <algorithm>
#include <array>

namespace strait::cli {

namespace {

using json::Node;

/// The worst of the checks, as Consul aggregates them; without checks: passing.
std::string worst_status(const Node& entry) {
  constexpr std::array order{"passing", "warning", "critical", "maintenance"};
  std::size_t worst = 0;
  for (const auto& check : json::items(json::find(&entry, "Checks"))) {
    auto status = json::text_at(check, "Status");
    auto found = std::find(order.begin(), order.end(), status);
    if (found != order.end())
      worst = std::max(worst, static_cast<std::size_t>(found - order.begin()));
  }
  return order[worst];
}

/// What the checks that do not pass say.
std::string complaints(const Node& entry) {
  std::string out;
  for (const auto& check : json::items(json::find(&entry, "Checks"))) {
    if (json::text_at(check, "Status") == "passing")
      continue;
    auto output = json::text_at(check, "Output");
    out += (out.empty() ? "" : "; ") + json::text_at(check, "CheckID") +
           (output.empty() ? "" : ": " + output);
  }
  return out;
}

ExitCode run_health(const Arguments& arguments, Context& context) {
  auto name = arguments.value("SERVICE");
  auto target = with_parameter("/v1/health/service/" + net::percent_encode(name), "peer",
                               arguments.value("peer"));
  bool passing = arguments.flag("passing");
  if (passing)
    target = with_parameter(target, "passing", "true");
  return show_listing(
      arguments, context,
      {.target = target,
       .header = {"NODE", "ID", "ADDRESS", "STATUS", "CHECKS"},
       .cells = [](const Node& entry) -> std::vector<std::string> {
         auto address = json::text_at(entry, "Service.Address");
         if (address.empty())
           address = json::text_at(entry, "Node.Address");
         if (auto port = json::text_at(entry, "Service.Port"); !port.empty())
           address += ":" + port;
         return {json::text_at(entry, "Node.Node"), json::text_at(entry, "Service.ID"), address,
                 worst_status(entry), complaints(entry)};
       },
       .empty = "Service " + name + " has no" + (passing ? " passing" : "") + " instance.",
       .empty_code = ExitCode::not_found},
      arguments.flag("watch"));
}

} // namespace

Command health_command() {
  return {
      .path = "health",
      .summary = "The instances of a service with their health",
      .examples = {"strait health web", "strait health web --passing -o json",
                   "strait health api --peer dc2 --watch"},
      .positionals = {{"SERVICE", "The service", true, {}}},
      .options = {{.name = "passing", .help = "Only instances all of whose checks pass"},
                  {.name = "peer", .placeholder = "PEER", .help = "As imported from this peer"},
                  output_option({"table", "json"}),
                  {.name = "watch", .letter = 'w', .help = "Show it again after every change"}},
      .run = run_health,
  };
}

} // namespace strait::cli
