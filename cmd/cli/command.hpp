#pragma once

#include "cmd/cli/arguments.hpp"
#include "cmd/cli/exit_code.hpp"

#include <functional>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

namespace strait::cmd {
struct AgentOptions;
}

namespace strait::cli {

/// What a command works with, lent by main() or by a test.
struct Context {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  std::function<std::string(const std::string&)> environment; ///< Empty: not set.
  bool terminal = false; ///< Errors go to a terminal: progress is worth showing.
  std::function<int(const cmd::AgentOptions&)> run_agent;
};

/// One option of a command: "--name VALUE", or a flag where there is no placeholder.
struct Option {
  std::string name;          ///< Without dashes: "output".
  char letter = 0;           ///< 'o', for "-o".
  std::string placeholder{}; ///< "FILE"; empty: a flag.
  std::string help{};
  std::string fallback{}; ///< What it is when not given.
  std::vector<std::string> choices{};
  bool repeatable = false;
  bool required = false;
};

struct Positional {
  std::string name; ///< "KIND"
  std::string help;
  bool required = true;
  std::vector<std::string> choices{}; ///< Offered by completion, not demanded.
};

/// One command of `strait`, as a table entry: parsing, help and completion all read it.
struct Command {
  std::string path; ///< "peering list"
  std::string summary;
  std::string details{}; ///< What the summary does not say, for --help.
  std::vector<std::string> examples;
  std::vector<Positional> positionals{};
  std::vector<Option> options{};
  std::function<ExitCode(const Arguments&, Context&)> run;
  bool talks_to_agent = true; ///< Takes --http-addr and --token.
};

/// What a group of commands ("peering") is for.
struct Group {
  std::string name;
  std::string summary;
};

/// Options that more than one command has.
Option output_option(std::vector<std::string> formats, std::string fallback = "table");
Option namespace_option();
Option file_option();

/// Options of every command that talks to an agent.
std::span<const Option> connection_options();

} // namespace strait::cli
