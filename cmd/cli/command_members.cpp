#include "cmd/cli/commands.hpp"
#include "cmd/cli/listing.hpp"

namespace strait::cli {

namespace {

/// Serf's numbers for the state of a member.
std::string status_name(const json::Node& member) {
  switch (json::number_at(member, "Status")) {
  case 1:
    return "alive";
  case 2:
    return "leaving";
  case 3:
    return "left";
  case 4:
    return "failed";
  default:
    return "unknown";
  }
}

/// The tag is VERSION:REVISION, as Consul has it.
std::string version_of(const std::string& build) { return build.substr(0, build.find(':')); }

ExitCode run_members(const Arguments& arguments, Context& context) {
  return show_listing(arguments, context,
                      {.target = "/v1/agent/members",
                       .header = {"NODE", "ADDRESS", "STATUS", "DATACENTER", "BUILD"},
                       .cells = [](const json::Node& item) -> std::vector<std::string> {
                         return {json::text_at(item, "Name"), json::text_at(item, "Addr"),
                                 status_name(item), json::text_at(item, "Tags.dc"),
                                 version_of(json::text_at(item, "Tags.build"))};
                       },
                       .empty = "There is no member."});
}

} // namespace

Command members_command() {
  return {
      .path = "members",
      .summary = "The agents of this datacenter",
      .examples = {"strait members", "strait members -o json"},
      .options = {output_option({"table", "json"})},
      .run = run_members,
  };
}

} // namespace strait::cli
