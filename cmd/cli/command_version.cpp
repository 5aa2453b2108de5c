#include "cmd/cli/commands.hpp"
#include "cmd/cli/json.hpp"
#include "cmd/cli/version.hpp"

#include <ostream>

namespace strait::cli {

namespace {

ExitCode run_version(const Arguments& arguments, Context& context) {
  auto version = this_version();
  if (arguments.value("format") == "json") {
    using kubernetes::Node;
    Node::Map map{{"Version", {std::string{version.version}, {}}},
                  {"Revision", {std::string{version.revision}, {}}},
                  {"Prerelease", {std::string{version.prerelease}, {}}},
                  {"BuildDate", {std::string{version.build_date}, {}}}};
    context.out << kubernetes::write_json({std::move(map), {}}) << "\n";
    return ExitCode::ok;
  }
  context.out << "Strait v" << version.version << (version.prerelease.empty() ? "" : "-")
              << version.prerelease << "\nRevision " << version.revision << "\nBuild date "
              << version.build_date << "\n";
  return ExitCode::ok;
}

} // namespace

Command version_command() {
  return {
      .path = "version",
      .summary = "The version of this program",
      .examples = {"strait version", "strait version --format json"},
      .options = {{"format", 0, "FORMAT", "How to write it", "pretty", {"pretty", "json"}}},
      .run = run_version,
      .talks_to_agent = false,
  };
}

} // namespace strait::cli
