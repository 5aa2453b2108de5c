#pragma once

#include "cmd/cli/connection.hpp"

namespace strait::cli {

/// One text given by -f.
struct Input {
  std::string source; ///< The file's path, or "stdin".
  std::string text;
};

inline constexpr std::size_t input_bytes_max = 64u << 20; ///< Of all that one command reads.
inline constexpr std::size_t input_files_max = 20'000;

/// Files, directories (their *.yaml, *.yml and *.json, by name, not deeper) and "-" for standard
/// input, in the order given.
Outcome<std::vector<Input>> read_inputs(const std::vector<std::string>& paths, Context& context);
Outcome<Input> read_input(const std::string& path, Context& context);

} // namespace strait::cli
