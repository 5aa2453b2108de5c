#include "cmd/cli/commands.hpp"
#include "cmd/cli/listing.hpp"
#include "cmd/cli/table.hpp"

#include <ostream>

namespace strait::cli {

namespace {

using json::Node;

Option peer_option(std::string help) {
  return {.name = "peer", .placeholder = "PEER", .help = std::move(help)};
}

/// Imported services are listed by an endpoint of their own, as Consul has it.
ExitCode imported_services(const Arguments& arguments, Context& context, const std::string& peer) {
  return show_listing(arguments, context,
                      {.target = "/v1/imported-services",
                       .header = {"SERVICE", "PEER"},
                       .cells = [&](const Node& item) -> std::vector<std::string> {
                         auto from = json::text_at(item, "SourcePeer");
                         if (from != peer)
                           return {};
                         return {json::text_at(item, "Service"), from};
                       },
                       .empty = "No service is imported from peer " + peer + "."});
}

ExitCode run_services(const Arguments& arguments, Context& context) {
  if (auto peer = arguments.value("peer"); !peer.empty())
    return imported_services(arguments, context, peer);
  auto connection = Connection::open(arguments, context);
  if (!connection)
    return report(connection.error(), context);
  return show_answer(*connection, context, "/v1/catalog/services", arguments.flag("watch"),
                     [&](const net::HttpResponse& answer) {
                       if (arguments.value("output") == "json") {
                         context.out << answer.body << "\n";
                         return ExitCode::ok;
                       }
                       Table table{context.out, {"SERVICE", "TAGS"}};
                       auto read = json::for_each_member(
                           answer.body,
                           [&](const std::string& name, std::string_view tags) -> Status {
                             auto list = kubernetes::parse_json(tags, "the answer");
                             if (!list)
                               return fail(list.error());
                             table.row({name, json::joined(&*list)});
                             return {};
                           });
                       return read ? ExitCode::ok : report(bad_answer(read.error()), context);
                     });
}

ExitCode run_nodes(const Arguments& arguments, Context& context) {
  return show_listing(
      arguments, context,
      {.target = with_parameter("/v1/catalog/nodes", "peer", arguments.value("peer")),
       .header = {"NODE", "ADDRESS", "DATACENTER", "PEER", "ID"},
       .cells = [](const Node& item) -> std::vector<std::string> {
         return {json::text_at(item, "Node"), json::text_at(item, "Address"),
                 json::text_at(item, "Datacenter"), json::text_at(item, "PeerName"),
                 json::text_at(item, "ID")};
       },
       .empty = "There is no node."},
      arguments.flag("watch"));
}

ExitCode run_service(const Arguments& arguments, Context& context) {
  auto name = arguments.value("NAME");
  auto peer = arguments.value("peer");
  auto target = "/v1/catalog/service/" + net::percent_encode(name);
  target = with_parameter(target, "peer", peer);
  for (const auto& tag : arguments.values("tag"))
    target = with_parameter(target, "tag", tag);
  return show_listing(
      arguments, context,
      {.target = target,
       .header = {"NODE", "ID", "ADDRESS", "PORT", "TAGS"},
       .cells = [](const Node& item) -> std::vector<std::string> {
         auto address = json::text_at(item, "ServiceAddress");
         return {json::text_at(item, "Node"), json::text_at(item, "ServiceID"),
                 address.empty() ? json::text_at(item, "Address") : address,
                 json::text_at(item, "ServicePort"), json::joined(json::at(item, "ServiceTags"))};
       },
       .empty = "Service " + name + (peer.empty() ? "" : " of peer " + peer) + " has no instance.",
       .empty_code = ExitCode::not_found},
      arguments.flag("watch"));
}

ExitCode run_datacenters(const Arguments& arguments, Context& context) {
  return show_listing(
      arguments, context,
      {.target = "/v1/catalog/datacenters",
       .header = {"DATACENTER"},
       .cells = [](const Node& item) -> std::vector<std::string> { return {json::text(&item)}; },
       .empty = "There is no datacenter."});
}

} // namespace

std::vector<Command> catalog_commands() {
  Option watch{.name = "watch", .letter = 'w', .help = "Show it again after every change"};
  Option tag{.name = "tag",
             .placeholder = "TAG",
             .help = "Only instances with this tag; may be given again",
             .repeatable = true};
  return {
      {.path = "catalog services",
       .summary = "The names of all services, with their tags",
       .examples = {"strait catalog services", "strait catalog services --peer dc2",
                    "strait catalog services -o json | jq keys"},
       .options = {peer_option("Those imported from this peer"), output_option({"table", "json"}),
                   watch},
       .run = run_services},
      {.path = "catalog nodes",
       .summary = "The nodes that services run on",
       .examples = {"strait catalog nodes", "strait catalog nodes --peer dc2 -o json"},
       .options = {peer_option("Those imported from this peer"), output_option({"table", "json"}),
                   watch},
       .run = run_nodes},
      {.path = "catalog service",
       .summary = "The instances of one service, healthy or not",
       .examples = {"strait catalog service web", "strait catalog service web --tag v2",
                    "strait catalog service api --peer dc2 -o json"},
       .positionals = {{"NAME", "The service", true, {}}},
       .options = {peer_option("As imported from this peer"), tag, output_option({"table", "json"}),
                   watch},
       .run = run_service},
      {.path = "catalog datacenters",
       .summary = "The datacenters that this agent answers for",
       .details = "Peered datacenters are not among them: strait peering list.",
       .examples = {"strait catalog datacenters", "strait catalog datacenters -o json"},
       .options = {output_option({"table", "json"})},
       .run = run_datacenters},
  };
}

} // namespace strait::cli
