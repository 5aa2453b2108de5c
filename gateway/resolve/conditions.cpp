#include "gateway/resolve/conditions.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

model::Condition condition(model::ConditionType type, model::Reason fine,
                           const std::optional<Problem>& problem, std::int64_t generation) {
  return {.type = type,
          .status = !problem,
          .reason = problem ? problem->reason : fine,
          .message = problem ? problem->message : "",
          .observed_generation = generation};
}

const model::Condition& find(const std::vector<model::Condition>& conditions,
                             model::ConditionType type) {
  return *std::find_if(conditions.begin(), conditions.end(),
                       [&](auto& it) { return it.type == type; });
}

} // namespace strait::gateway::resolve
