#include "gateway/resolve/bind.hpp"

#include "gateway/resolve/references.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

namespace {

/// What a GatewayPolicy of the listener asks of requests to a rule.
void require(const ListenerJwt& jwt, HttpRule& rule) {
  if (jwt.override_jwt)
    rule.jwt = {*jwt.override_jwt};
  else if (jwt.default_jwt && rule.jwt.empty())
    rule.jwt = {*jwt.default_jwt};
}

std::shared_ptr<const BoundRoute> as_served(const ResolvedRoute& route,
                                            const std::vector<std::string>& hostnames,
                                            const ListenerPlan& listener) {
  BoundRoute bound;
  bound.id = to_string(route.route);
  bound.created = route.created;
  bound.route = route.content;
  if (auto* http = std::get_if<HttpRoute>(&bound.route)) {
    http->hostnames = hostnames;
    for (auto& rule : http->rules)
      require(listener.jwt, rule);
  } else if (auto* tls = std::get_if<TlsRoute>(&bound.route)) {
    tls->hostnames = hostnames;
  }
  return std::make_shared<const BoundRoute>(std::move(bound));
}

/// Whether the parentRef names the Gateway, or a ListenerSet of it.
bool names(const model::ParentRef& parent, const GatewayPlan& plan) {
  if (parent.group != gateway_group)
    return false;
  model::Name name{parent.ns, parent.name};
  if (parent.kind == "ListenerSet")
    return std::any_of(plan.sets.begin(), plan.sets.end(),
                       [&](auto& it) { return it.name == name; });
  return parent.kind == "Gateway" && name == plan.status.object.name;
}

} // namespace

bool falls_back(const GatewayPlan& plan, const ResolvedRoute& route,
                const ResolvedRoute* last_good) {
  return last_good && plan.policy.invalid_backends == model::InvalidBackends::keep_last_good &&
         route.unresolved && !route.not_permitted &&
         std::includes(route.granted.begin(), route.granted.end(), last_good->granted.begin(),
                       last_good->granted.end());
}

BoundRoutes bind_route(const View& view, const GatewayPlan& plan, const ResolvedRoute& route,
                       const ResolvedRoute* last_good) {
  BoundRoutes bound;
  if (!plan.ours)
    return bound;
  bool bridged = falls_back(plan, route, last_good);
  auto& served = bridged ? *last_good : route;
  for (auto& parent : route.parents) {
    if (!names(parent, plan))
      continue;
    auto attachment = attach(view, plan, route, parent);
    bound.attached.insert(attachment.listeners.begin(), attachment.listeners.end());
    // The whole route as of its last good generation, hostnames too; not where it may not be now.
    auto serving =
        bridged && attachment.accepted ? attach(view, plan, *last_good, parent) : attachment;
    auto& through = bound.serving.emplace_back();
    for (std::size_t i = 0; i < serving.listeners.size(); ++i)
      if (auto& listener = plan.listeners[serving.listeners[i]]; listener.programmed) {
        through.insert(serving.listeners[i]);
        bound.by_listener.try_emplace(serving.listeners[i],
                                      as_served(served, serving.hostnames[i], listener));
      }
    if (bridged && attachment.accepted)
      attachment.conditions.push_back(
          {.type = model::ConditionType::partially_invalid,
           .status = true,
           .reason = model::Reason::unsupported_value,
           .message = fmt::format("Fall Back to generation {}", last_good->generation),
           .observed_generation = last_good->generation});
    bound.parents.push_back({parent, plan.controller, std::move(attachment.conditions)});
  }
  return bound;
}

} // namespace strait::gateway::resolve
