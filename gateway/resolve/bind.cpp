#include "gateway/resolve/bind.hpp"

#include "gateway/resolve/references.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

namespace {

std::shared_ptr<const BoundRoute> as_served(const ResolvedRoute& route,
                                            const std::vector<std::string>& hostnames) {
  BoundRoute bound;
  bound.id = to_string(route.route);
  bound.created = route.created;
  bound.route = route.content;
  if (auto* http = std::get_if<HttpRoute>(&bound.route))
    http->hostnames = hostnames;
  return std::make_shared<const BoundRoute>(std::move(bound));
}

bool names(const model::ParentRef& parent, const model::Name& gateway) {
  return parent.group == gateway_group && parent.kind == "Gateway" && parent.ns == gateway.ns &&
         parent.name == gateway.name;
}

} // namespace

bool falls_back(const GatewayPlan& plan, const ResolvedRoute& route,
                const ResolvedRoute* last_good) {
  return last_good && plan.policy.invalid_backends == model::InvalidBackends::keep_last_good &&
         route.unresolved && !route.not_permitted &&
         std::includes(route.granted.begin(), route.granted.end(), last_good->granted.begin(),
                       last_good->granted.end());
}

BoundRoutes bind_route(const View& view, const model::Name& gateway, const GatewayPlan& plan,
                       const ResolvedRoute& route, const ResolvedRoute* last_good) {
  BoundRoutes bound;
  if (!plan.ours)
    return bound;
  bool bridged = falls_back(plan, route, last_good);
  auto& served = bridged ? *last_good : route;
  for (auto& parent : route.parents) {
    if (!names(parent, gateway))
      continue;
    auto attachment = attach(view, plan, route, parent);
    bound.attached.insert(attachment.listeners.begin(), attachment.listeners.end());
    // The whole route as of its last good generation, hostnames too; not where it may not be now.
    auto serving =
        bridged && attachment.accepted ? attach(view, plan, *last_good, parent) : attachment;
    for (std::size_t i = 0; i < serving.listeners.size(); ++i)
      if (plan.listeners[serving.listeners[i]].programmed)
        bound.by_listener.try_emplace(serving.listeners[i],
                                      as_served(served, serving.hostnames[i]));
    if (bridged && attachment.accepted)
      attachment.conditions.push_back(
          {.type = model::ConditionType::partially_invalid,
           .status = true,
           .reason = model::Reason::unsupported_value,
           .message = fmt::format("Fall Back to generation {}, until the control plane restarts",
                                  last_good->generation),
           .observed_generation = last_good->generation});
    bound.parents.push_back({parent, plan.controller, std::move(attachment.conditions)});
  }
  return bound;
}

} // namespace strait::gateway::resolve
