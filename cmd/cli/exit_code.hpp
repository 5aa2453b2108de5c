#pragma once

#include <string_view>

namespace strait::cli {

/// What `strait` ends with: part of its interface, never renumbered (docs/guides/cli.md).
enum class ExitCode : int {
  ok = 0,
  failed = 1,      ///< Refused, or something went wrong.
  usage = 2,       ///< The command line is wrong.
  not_found = 3,   ///< What was named does not exist.
  unreachable = 4, ///< No agent answers.
  invalid = 5,     ///< The documents or entries given are wrong; nothing was changed.
};

inline constexpr std::string_view exit_codes_text =
    "Exit codes: 0 done, 1 refused or failed, 2 wrong use, 3 not found, 4 the agent cannot be "
    "reached, 5 the input is not valid.";

} // namespace strait::cli
