#pragma once

#include "cmd/cli/input.hpp"

namespace strait::cli {

/// What reading the documents of some inputs says of them, without any agent.
struct Validation {
  std::size_t objects = 0;
  std::vector<std::string> errors;   ///< "web.yaml:12:3: HTTPRoute default/web: …"
  std::vector<std::string> warnings; ///< Fields that are known and not implemented.
};
Validation validate(const std::vector<Input>& inputs);

} // namespace strait::cli
