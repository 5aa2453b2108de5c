#pragma once

#include "gateway/resolve/resolve.hpp"

namespace strait::gateway::resolve {

/// Applies the GatewayClassConfig that `ref`, of the field `path`, names over what the class says
/// so far. A problem if it names none.
std::optional<Problem> apply_parameters(const View& view, const model::ParametersRef& ref,
                                        std::string_view path, ResolvedClass& gateway_class);

} // namespace strait::gateway::resolve
