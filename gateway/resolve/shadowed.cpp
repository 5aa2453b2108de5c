#include "gateway/resolve/shadowed.hpp"

namespace strait::gateway::resolve {

void add_shadowed(const GatewayPlan& plan, const ShadowIndex& index, const ResolvedRoute& route,
                  const std::vector<std::set<std::size_t>>& serving,
                  std::vector<model::ParentStatus>& parents) {
  auto id = to_string(route.route);
  for (std::size_t i = 0; i < parents.size(); ++i) {
    std::string message;
    for (auto listener : serving[i]) {
      auto& name = plan.listeners[listener].name;
      for (auto& it : index.shadowed(binding_key(name, id)))
        message +=
            fmt::format("{}listener {}: spec.rules[{}] is hidden by spec.rules[{}] of {}",
                        message.empty() ? "" : "; ", name, it.rule, it.winner_rule, it.winner);
    }
    if (!message.empty())
      parents[i].conditions.push_back({.type = model::ConditionType::shadowed,
                                       .status = true,
                                       .reason = model::Reason::hidden_by_another_rule,
                                       .message = std::move(message),
                                       .observed_generation = route.generation});
  }
}

model::ObjectKey route_of_binding(std::string_view binding) {
  auto id = binding.substr(binding.find('/') + 1); // "HTTPRoute NS/NAME"
  auto space = id.find(' ');
  auto name = id.substr(space + 1);
  auto slash = name.find('/');
  return {model::kind_from(id.substr(0, space)).value(),
          {std::string{name.substr(0, slash)}, std::string{name.substr(slash + 1)}}};
}

} // namespace strait::gateway::resolve
