#include "gateway/resolve/bind.hpp"

#include "base/overload.hpp"
#include "gateway/resolve/references.hpp"

namespace strait::gateway::resolve {

namespace {

std::shared_ptr<const BoundRoute> as_served(const ResolvedRoute& route,
                                            const ResolvedRoute& content,
                                            const std::vector<std::string>& hostnames) {
  BoundRoute bound;
  bound.id = to_string(route.route);
  bound.created = route.created;
  bound.route = content.content;
  if (auto* http = std::get_if<HttpRoute>(&bound.route))
    http->hostnames = hostnames;
  return std::make_shared<const BoundRoute>(std::move(bound));
}

bool names(const model::ParentRef& parent, const model::Name& gateway) {
  return parent.group == gateway_group && parent.kind == "Gateway" && parent.ns == gateway.ns &&
         parent.name == gateway.name;
}

} // namespace

bool falls_back(const GatewayPlan& plan, const ResolvedRoute& route) {
  return plan.policy.invalid_backends == model::InvalidBackends::keep_last_good &&
         route.unresolved && !route.not_permitted;
}

BoundRoutes bind_route(const View& view, const model::Name& gateway, const GatewayPlan& plan,
                       const ResolvedRoute& route, const ResolvedRoute* last_good) {
  BoundRoutes bound;
  if (!plan.ours)
    return bound;
  bool bridged = last_good && falls_back(plan, route);
  for (auto& parent : route.parents) {
    if (!names(parent, gateway))
      continue;
    auto attachment = attach(view, plan, route, parent);
    for (std::size_t i = 0; i < attachment.listeners.size(); ++i)
      bound.by_listener.try_emplace(
          attachment.listeners[i],
          as_served(route, bridged ? *last_good : route, attachment.hostnames[i]));
    if (bridged)
      attachment.conditions.push_back(
          {.type = model::ConditionType::partially_invalid,
           .status = true,
           .reason = model::Reason::unsupported_value,
           .message = "Fall Back: served as of generation " + std::to_string(last_good->generation),
           .observed_generation = route.generation});
    bound.parents.push_back({parent, plan.controller, std::move(attachment.conditions)});
  }
  return bound;
}

} // namespace strait::gateway::resolve
