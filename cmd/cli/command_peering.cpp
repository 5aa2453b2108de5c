#include "cmd/cli/commands.hpp"
#include "cmd/cli/input.hpp"
#include "cmd/cli/listing.hpp"
#include "peering/peering_client.hpp"

#include <ostream>
#include <thread>

namespace strait::cli {

namespace {

using json::Node;

constexpr Millis poll_interval{200};

Option name_option() {
  return {.name = "name",
          .placeholder = "PEER",
          .help = "What this datacenter calls the peer",
          .required = true};
}
Option meta_option() {
  return {.name = "meta",
          .placeholder = "KEY=VALUE",
          .help = "Kept with the peering; may be given again",
          .repeatable = true};
}

Option grpc_option() {
  return {.name = "grpc-addr",
          .placeholder = "HOST:PORT",
          .help = "Ask the agent's gRPC API there (port 8502) instead of its HTTP API"};
}

ExitCode report_call(const Error& error, const std::string& address, Context& context) {
  if (error.code == Errc::unavailable)
    return report({ExitCode::unreachable,
                   fmt::format("no agent can be reached by gRPC at {}: {}", address, error.detail)},
                  context);
  return report(
      {error.code == Errc::not_found ? ExitCode::not_found : ExitCode::failed, error.detail},
      context);
}

model::StringMap meta_of(const Arguments& arguments) {
  model::StringMap out;
  for (const auto& pair : arguments.values("meta")) {
    auto equals = std::min(pair.find('='), pair.size());
    out[pair.substr(0, equals)] = pair.substr(std::min(equals + 1, pair.size()));
  }
  return out;
}

std::string path_of(const Arguments& arguments) {
  return "/v1/peering/" + net::percent_encode(arguments.value("name"));
}

/// "a,b" and repeated options alike.
std::vector<std::string> split(const std::vector<std::string>& values) {
  std::vector<std::string> out;
  for (std::string_view rest : values) {
    while (!rest.empty()) {
      auto comma = std::min(rest.find(','), rest.size());
      if (comma > 0)
        out.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return out;
}

std::string service_count(const Node& peering, std::string_view path) {
  return std::to_string(json::items(json::at(peering, path)).size());
}

ExitCode generate_token_by_grpc(const Arguments& arguments, Context& context) {
  auto address = arguments.value("grpc-addr");
  peering::PeeringClient client{{.address = address}};
  auto token = client.generate_token(
      {.peer_name = arguments.value("name"),
       .meta = meta_of(arguments),
       .server_external_addresses = split(arguments.values("server-external-addresses"))});
  if (!token)
    return report_call(token.error(), address, context);
  context.out << (arguments.value("output") == "json"
                      ? json::Object{}.text("PeeringToken", *token).to_string()
                      : *token)
              << "\n";
  return ExitCode::ok;
}

ExitCode run_generate_token(const Arguments& arguments, Context& context) {
  if (arguments.given("grpc-addr"))
    return generate_token_by_grpc(arguments, context);
  auto connection = Connection::open(arguments, context);
  if (!connection)
    return report(connection.error(), context);
  json::Object body;
  body.text("PeerName", arguments.value("name"))
      .texts("ServerExternalAddresses", split(arguments.values("server-external-addresses")))
      .pairs("Meta", arguments.values("meta"));
  auto answer = connection->post("/v1/peering/token", body.to_string());
  if (!answer)
    return report(answer.error(), context);
  if (arguments.value("output") == "json") {
    context.out << answer->body << "\n";
    return ExitCode::ok;
  }
  auto parsed = parse_answer(*answer);
  if (!parsed)
    return report(parsed.error(), context);
  context.out << json::text_at(*parsed, "PeeringToken") << "\n";
  return ExitCode::ok;
}

/// Asks until the peering is ACTIVE or the time is over.
ExitCode wait_until_active(Connection& connection, Context& context, const Arguments& arguments,
                           Millis at_most) {
  auto until = now_instant() + at_most;
  Progress progress{context, "waiting for the peering to become ACTIVE"};
  while (true) {
    auto answer = connection.get(path_of(arguments));
    if (!answer)
      return report(answer.error(), context);
    auto peering = parse_answer(*answer);
    if (!peering)
      return report(peering.error(), context);
    auto state = json::text_at(*peering, "State");
    if (state == "ACTIVE")
      return ExitCode::ok;
    if (now_instant() >= until) {
      auto error = json::text_at(*peering, "StreamStatus.LastError");
      return report({ExitCode::failed, "the peering is " + state + " after " +
                                           arguments.value("wait") + ", not ACTIVE" +
                                           (error.empty() ? "" : ": " + error)},
                    context);
    }
    std::this_thread::sleep_for(poll_interval);
  }
}

ExitCode establish(const Arguments& arguments, Context& context, Connection& connection,
                   const std::string& token) {
  if (auto address = arguments.value("grpc-addr"); !address.empty()) {
    peering::PeeringClient client{{.address = address}};
    auto done = client.establish(
        {.peer_name = arguments.value("name"), .peering_token = token, .meta = meta_of(arguments)});
    return done ? ExitCode::ok : report_call(done.error(), address, context);
  }
  json::Object body;
  body.text("PeerName", arguments.value("name"))
      .text("PeeringToken", token)
      .pairs("Meta", arguments.values("meta"));
  auto answer = connection.post("/v1/peering/establish", body.to_string());
  return answer ? ExitCode::ok : report(answer.error(), context);
}

ExitCode run_establish(const Arguments& arguments, Context& context) {
  auto token = arguments.value("peering-token");
  if (token == "-" || token.starts_with("@")) {
    auto input = read_input(token == "-" ? token : token.substr(1), context);
    if (!input)
      return report(input.error(), context);
    token = input->text.substr(0, input->text.find_last_not_of(" \r\n\t") + 1);
  }
  Millis wait{};
  if (arguments.given("wait")) {
    auto parsed = duration_ms("--wait", arguments.value("wait"));
    if (!parsed)
      return report({ExitCode::usage, parsed.error().detail}, context);
    wait = Millis{*parsed};
  }
  auto connection = Connection::open(arguments, context);
  if (!connection)
    return report(connection.error(), context);
  if (auto code = establish(arguments, context, *connection, token); code != ExitCode::ok)
    return code;
  if (wait > Millis{0})
    if (auto code = wait_until_active(*connection, context, arguments, wait); code != ExitCode::ok)
      return code;
  context.out << "Peering with " << arguments.value("name")
              << (wait > Millis{0} ? " is ACTIVE\n" : " established\n");
  return ExitCode::ok;
}

ExitCode run_list(const Arguments& arguments, Context& context) {
  bool wide = arguments.value("output") == "wide";
  std::vector<std::string> header{"NAME",     "STATE",    "DATACENTER",
                                  "IMPORTED", "EXPORTED", "HEARTBEAT"};
  if (wide)
    header.insert(header.end(), {"LAG", "ID", "ERROR"});
  return show_listing(
      arguments, context,
      {.target = "/v1/peerings",
       .header = header,
       .cells = [wide](const Node& item) -> std::vector<std::string> {
         std::vector<std::string> out{json::text_at(item, "Name"),
                                      json::text_at(item, "State"),
                                      json::text_at(item, "Remote.Datacenter"),
                                      service_count(item, "StreamStatus.ImportedServices"),
                                      service_count(item, "StreamStatus.ExportedServices"),
                                      json::text_at(item, "StreamStatus.LastHeartbeat")};
         if (wide) {
           out.push_back(std::to_string(json::number_at(item, "StreamStatus.LagRevisions")));
           out.push_back(json::text_at(item, "ID"));
           out.push_back(json::text_at(item, "StreamStatus.LastError"));
         }
         return out;
       },
       .empty = "There is no peering. strait peering generate-token --help tells how to make one."},
      arguments.flag("watch"));
}

void write_peering(std::ostream& out, const Node& peering) {
  auto line = [&](std::string_view label, const std::string& text) {
    if (!text.empty())
      out << fmt::format("{:<20}{}\n", std::string{label} + ":", text);
  };
  line("Name", json::text_at(peering, "Name"));
  line("ID", json::text_at(peering, "ID"));
  line("State", json::text_at(peering, "State"));
  line("Datacenter", json::text_at(peering, "Remote.Datacenter"));
  line("Last error", json::text_at(peering, "StreamStatus.LastError"));
  if (const auto* meta = json::at(peering, "Meta"))
    if (const auto* map = std::get_if<Node::Map>(&meta->value))
      for (const auto& member : *map)
        line("Meta " + member.key, json::text(&member.value));
  line("Peer's ID", json::text_at(peering, "PeerID"));
  line("Peer's server name", json::text_at(peering, "PeerServerName"));
  line("Peer's addresses", json::joined(json::at(peering, "PeerServerAddresses"), ", "));
  line("Imported services", json::joined(json::at(peering, "StreamStatus.ImportedServices"), ", "));
  line("Exported services", json::joined(json::at(peering, "StreamStatus.ExportedServices"), ", "));
  line("Lag in revisions", std::to_string(json::number_at(peering, "StreamStatus.LagRevisions")));
  line("Last heartbeat", json::text_at(peering, "StreamStatus.LastHeartbeat"));
  line("Last received", json::text_at(peering, "StreamStatus.LastReceive"));
  line("Last sent", json::text_at(peering, "StreamStatus.LastSend"));
}

ExitCode run_read(const Arguments& arguments, Context& context) {
  auto connection = Connection::open(arguments, context);
  if (!connection)
    return report(connection.error(), context);
  auto answer = connection->get(path_of(arguments));
  if (!answer)
    return report(answer.error(), context);
  if (arguments.value("output") == "json") {
    context.out << answer->body << "\n";
    return ExitCode::ok;
  }
  auto peering = parse_answer(*answer);
  if (!peering)
    return report(peering.error(), context);
  write_peering(context.out, *peering);
  return ExitCode::ok;
}

ExitCode run_delete(const Arguments& arguments, Context& context) {
  auto connection = Connection::open(arguments, context);
  if (!connection)
    return report(connection.error(), context);
  if (auto answer = connection->del(path_of(arguments)); !answer)
    return report(answer.error(), context);
  context.out << "Peering with " << arguments.value("name") << " is being deleted\n";
  return ExitCode::ok;
}

} // namespace

std::vector<Command> peering_commands() {
  return {
      {.path = "peering generate-token",
       .summary = "Make a token with which another datacenter can become a peer of this one",
       .details = "The token is a secret and works once. Whoever has it runs `strait peering "
                  "establish` in the other datacenter.",
       .examples = {"strait peering generate-token --name dc2 >token",
                    "strait peering generate-token --name dc2 "
                    "--server-external-addresses 192.0.2.7:8503"},
       .options = {name_option(),
                   {.name = "server-external-addresses",
                    .placeholder = "HOST:PORT,…",
                    .help = "Where the peer reaches this datacenter, if not at the agents' own "
                            "addresses",
                    .repeatable = true},
                   meta_option(),
                   grpc_option(),
                   output_option({"table", "json"})},
       .run = run_generate_token},
      {.path = "peering establish",
       .summary = "Become a peer of the datacenter that made a token",
       .examples = {"strait peering establish --name dc1 --peering-token @token",
                    "strait peering establish --name dc1 --peering-token - --wait 30s <token"},
       .options = {name_option(),
                   {.name = "peering-token",
                    .placeholder = "TOKEN",
                    .help = "The token, @FILE that holds it, or - for standard input",
                    .required = true},
                   {.name = "wait",
                    .placeholder = "TIME",
                    .help = "Wait until the peering is ACTIVE, but no longer than this"},
                   meta_option(),
                   grpc_option()},
       .run = run_establish},
      {.path = "peering list",
       .summary = "All peerings with their state",
       .examples = {"strait peering list", "strait peering list -o wide   # and why one fails",
                    "strait peering list -o json"},
       .options = {output_option({"table", "wide", "json"}),
                   {.name = "watch", .letter = 'w', .help = "Show it again after every change"}},
       .run = run_list},
      {.path = "peering read",
       .summary = "Everything about one peering",
       .examples = {"strait peering read --name dc2", "strait peering read --name dc2 -o json"},
       .options = {name_option(), output_option({"table", "json"})},
       .run = run_read},
      {.path = "peering delete",
       .summary = "End a peering: what was imported through it goes away on both sides",
       .examples = {"strait peering delete --name dc2"},
       .options = {name_option()},
       .run = run_delete},
  };
}

} // namespace strait::cli
