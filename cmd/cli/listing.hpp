#pragma once

#include "cmd/cli/connection.hpp"
#include "cmd/cli/json.hpp"

namespace strait::cli {

/// How the answer to one GET becomes a table.
struct Listing {
  std::string target;
  std::vector<std::string> header;
  /// The cells of one item; empty: it is not shown.
  std::function<std::vector<std::string>(const json::Node& item)> cells;
  std::string empty; ///< Said, on the error stream, of an empty list.
  ExitCode empty_code = ExitCode::ok;
};

/// Shows it as --output asks (json: the agent's own answer), with --watch again after each change.
ExitCode show_listing(const Arguments& arguments, Context& context, const Listing& listing,
                      bool watch = false);

/// Parses the answer, or reports why not.
Outcome<json::Node> parse_answer(const net::HttpResponse& answer);

} // namespace strait::cli
