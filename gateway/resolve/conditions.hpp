#pragma once

#include "gateway/resolve/resolve.hpp"

namespace strait::gateway::resolve {

/// A condition that says yes, or the problem.
model::Condition condition(model::ConditionType type, model::Reason fine,
                           const std::optional<Problem>& problem, std::int64_t generation);

/// The condition of that type, which must be there.
const model::Condition& find(const std::vector<model::Condition>& conditions,
                             model::ConditionType type);

} // namespace strait::gateway::resolve
