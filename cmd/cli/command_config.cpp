#include "cmd/cli/commands.hpp"
#include "cmd/cli/input.hpp"
#include "cmd/cli/listing.hpp"
#include "kubernetes/config_entry.hpp"

#include <ostream>

namespace strait::cli {

namespace {

const std::vector<std::string> kinds{"exported-services", "service-intentions", "service-resolver"};

Option kind_option() {
  return {.name = "kind",
          .placeholder = "KIND",
          .help = "The kind of entry",
          .choices = kinds,
          .required = true};
}
Option name_option() {
  return {.name = "name", .placeholder = "NAME", .help = "The entry", .required = true};
}
Option cas_option() {
  return {.name = "cas",
          .placeholder = "INDEX",
          .help = "Only if the entry's ModifyIndex is still this; 0: only if there is none"};
}

std::string path_of(const Arguments& arguments) {
  return "/v1/config/" + net::percent_encode(arguments.value("kind")) + "/" +
         net::percent_encode(arguments.value("name"));
}

Outcome<std::string> with_cas(std::string target, const Arguments& arguments) {
  if (!arguments.given("cas"))
    return target;
  auto index = number("--cas", arguments.value("cas"), 0, UINT64_MAX);
  if (!index)
    return tl::unexpected{Failure{ExitCode::usage, index.error().detail}};
  return with_parameter(std::move(target), "cas", std::to_string(*index));
}

/// The entry as JSON; YAML is read too.
Outcome<std::string> entry_json(const Input& input) {
  auto parsed = kubernetes::parse_yaml(input.text, input.source);
  auto refuse = [](std::string text) {
    return tl::unexpected{Failure{ExitCode::invalid, std::move(text)}};
  };
  if (!parsed.errors.empty())
    return refuse(parsed.errors.front().detail);
  if (parsed.documents.size() != 1)
    return refuse(fmt::format("{}: expected one config entry, found {}", input.source,
                              parsed.documents.size()));
  if (json::find(&parsed.documents.front(), "apiVersion"))
    return refuse(input.source + ": this is an object with apiVersion: strait apply -f " +
                  input.source);
  auto json = kubernetes::write_json(parsed.documents.front(), 0);
  if (auto checked = kubernetes::decode_config_entry(json); !checked)
    return refuse(input.source + ": " + checked.error().detail);
  return json;
}

/// `done` where the agent says true, and the failed comparison where it says false.
ExitCode tell(Context& context, const net::HttpResponse& answer, const std::string& done) {
  if (answer.body.starts_with("false"))
    return report({ExitCode::failed, "--cas: the entry has changed meanwhile: nothing was done"},
                  context);
  context.out << done << "\n";
  return ExitCode::ok;
}

ExitCode run_write(const Arguments& arguments, Context& context) {
  auto input = read_input(arguments.value("FILE"), context);
  if (!input)
    return report(input.error(), context);
  auto json = entry_json(*input);
  if (!json)
    return report(json.error(), context);
  auto target = with_cas("/v1/config", arguments);
  auto connection = Connection::open(arguments, context);
  if (!target || !connection)
    return report(target ? connection.error() : target.error(), context);
  auto entry = kubernetes::parse_json(*json, input->source);
  auto answer = connection->put(*target, *json, ExitCode::invalid);
  if (!answer)
    return report(answer.error(), context);
  return tell(context, *answer,
              "Config entry written: " + json::text_at(*entry, "kind") + "/" +
                  json::text_at(*entry, "name"));
}

ExitCode run_read(const Arguments& arguments, Context& context) {
  auto connection = Connection::open(arguments, context);
  if (!connection)
    return report(connection.error(), context);
  auto answer = connection->get(path_of(arguments));
  if (!answer)
    return report(answer.error(), context);
  auto entry = parse_answer(*answer);
  if (!entry)
    return report(entry.error(), context);
  context.out << (arguments.value("output") == "yaml" ? kubernetes::write_yaml(*entry)
                                                      : kubernetes::write_json(*entry) + "\n");
  return ExitCode::ok;
}

ExitCode run_list(const Arguments& arguments, Context& context) {
  auto kind = arguments.value("kind");
  return show_listing(arguments, context,
                      {.target = "/v1/config/" + net::percent_encode(kind),
                       .header = {"KIND", "NAME", "INDEX"},
                       .cells = [](const json::Node& item) -> std::vector<std::string> {
                         return {json::text_at(item, "Kind"), json::text_at(item, "Name"),
                                 json::text_at(item, "ModifyIndex")};
                       },
                       .empty = "There is no entry of kind " + kind + "."});
}

ExitCode run_delete(const Arguments& arguments, Context& context) {
  auto target = with_cas(path_of(arguments), arguments);
  auto connection = Connection::open(arguments, context);
  if (!target || !connection)
    return report(target ? connection.error() : target.error(), context);
  auto answer = connection->del(*target);
  if (!answer)
    return report(answer.error(), context);
  return tell(context, *answer,
              "Config entry deleted: " + arguments.value("kind") + "/" + arguments.value("name"));
}

} // namespace

std::vector<Command> config_commands() {
  return {
      {.path = "config write",
       .summary = "Create or replace a config entry",
       .details = "The entry is Consul's, as JSON or YAML: Kind, Name and what the kind has.",
       .examples = {"strait config write exports.json", "strait config write - <intentions.yaml",
                    "strait config write --cas 0 exports.json   # only if there is none"},
       .positionals = {{"FILE", "The entry's file, or - for standard input", true, {}}},
       .options = {cas_option()},
       .run = run_write},
      {.path = "config read",
       .summary = "Show one config entry",
       .examples = {"strait config read --kind exported-services --name default",
                    "strait config read --kind service-resolver --name api -o yaml"},
       .options = {kind_option(), name_option(), output_option({"json", "yaml"}, "json")},
       .run = run_read},
      {.path = "config list",
       .summary = "List the config entries of a kind",
       .examples = {"strait config list --kind service-intentions",
                    "strait config list --kind exported-services -o json"},
       .options = {kind_option(), output_option({"table", "json"})},
       .run = run_list},
      {.path = "config delete",
       .summary = "Delete a config entry",
       .examples = {"strait config delete --kind service-intentions --name api",
                    "strait config delete --kind exported-services --name default --cas 42"},
       .options = {kind_option(), name_option(), cas_option()},
       .run = run_delete},
  };
}

} // namespace strait::cli
