#include "base/ascii.hpp"
#include "gateway/resolve/listener_checks.hpp"
#include "gateway/resolve/plan.hpp"
#include "gateway/resolve/references.hpp"
#include "gateway/snapshot/snapshot.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

namespace {

using model::ConditionType;
using model::FromNamespaces;
using model::Reason;

bool allows_namespace(const View& view, const ListenerPlan& listener, const std::string& ns) {
  auto& allowed = listener.entry.spec.allowed;
  switch (allowed.from) {
  case FromNamespaces::all:
    return true;
  case FromNamespaces::none:
    return false;
  case FromNamespaces::same:
    return ns == listener.entry.ns;
  case FromNamespaces::selector: {
    auto* found = view.find<model::Namespace>({"", ns});
    return found && model::matches(allowed.selector, found->meta.labels);
  }
  }
  return false;
}

bool allows_kind(const ListenerPlan& listener, model::Kind kind) {
  return std::any_of(listener.kinds.begin(), listener.kinds.end(),
                     [&](auto& it) { return it.kind == to_string(kind); });
}

/// Whether the listener stands in the object that the parentRef names.
bool stands_in(const ListenerPlan& listener, const model::ParentRef& parent) {
  auto& set = listener.entry.set;
  return set ? parent.kind == "ListenerSet" && set->ns == parent.ns && set->name == parent.name
             : parent.kind == "Gateway";
}

/// Routes whose hostnames are matched with a listener's.
bool has_hostnames(model::Kind kind) {
  return kind == model::Kind::http_route || kind == model::Kind::grpc_route ||
         kind == model::Kind::tls_route;
}

/// What the parentRef comes to before the route's own references are looked at.
std::optional<Problem> select(const View& view, const GatewayPlan& plan, const ResolvedRoute& route,
                              const model::ParentRef& parent, Attachment& attachment) {
  bool named = false, allowed = false;
  for (std::size_t i = 0; i < plan.listeners.size(); ++i) {
    auto& listener = plan.listeners[i];
    auto& spec = listener.entry.spec;
    if (!stands_in(listener, parent) ||
        (!parent.section_name.empty() && parent.section_name != spec.name) ||
        (parent.port && *parent.port != spec.port))
      continue;
    named = true;
    if (!allows_kind(listener, route.route.kind) ||
        !allows_namespace(view, listener, route.route.name.ns))
      continue;
    allowed = true;
    HostnameIntersection hostnames{true, {}};
    if (has_hostnames(route.route.kind))
      hostnames = intersect(spec.hostname, route.hostnames);
    if (!hostnames.matches)
      continue;
    attachment.listeners.push_back(i);
    attachment.hostnames.push_back(std::move(hostnames.hostnames));
  }
  if (!attachment.listeners.empty())
    return {};
  if (!named) {
    auto name = parent.section_name.empty() ? std::string{} : " the name " + parent.section_name;
    auto port = parent.port ? fmt::format(" port {}", *parent.port) : std::string{};
    return Problem{Reason::no_matching_parent,
                   name.empty() && port.empty()
                       ? fmt::format("{} {} has no listener", parent.kind, parent.name)
                       : fmt::format("no listener has{}{}{}", name,
                                     !name.empty() && !port.empty() ? " and" : "", port)};
  }
  if (!allowed)
    return Problem{Reason::not_allowed_by_listeners,
                   fmt::format("no listener allows {}s of namespace {}",
                               to_string(route.route.kind), route.route.name.ns)};
  return Problem{Reason::no_matching_listener_hostname,
                 "no listener's hostname has one in common with the route's"};
}

} // namespace

HostnameIntersection intersect(const std::string& listener_hostname,
                               const std::vector<std::string>& route) {
  auto listener = ascii_lower(listener_hostname);
  if (route.empty())
    return {true, listener.empty() ? std::vector<std::string>{} : std::vector{listener}};
  HostnameIntersection result;
  for (auto& hostname : route)
    if (hostname_covers(listener, hostname))
      result.hostnames.push_back(hostname);
    else if (hostname_covers(hostname, listener))
      result.hostnames.push_back(listener);
  std::sort(result.hostnames.begin(), result.hostnames.end());
  result.hostnames.erase(std::unique(result.hostnames.begin(), result.hostnames.end()),
                         result.hostnames.end());
  result.matches = !result.hostnames.empty();
  return result;
}

Attachment attach(const View& view, const GatewayPlan& plan, const ResolvedRoute& route,
                  const model::ParentRef& parent) {
  Attachment attachment;
  auto problem = select(view, plan, route, parent, attachment);
  if (!problem && route.refused)
    problem = route.refused;
  if (!problem && route.unresolved &&
      plan.policy.invalid_backends == model::InvalidBackends::detach_route)
    problem = route.unresolved; // Specification B11: the listener rejects the route.
  attachment.accepted = !problem;
  if (problem) {
    attachment.listeners.clear();
    attachment.hostnames.clear();
  }
  attachment.conditions.push_back({.type = ConditionType::accepted,
                                   .status = !problem,
                                   .reason = problem ? problem->reason : Reason::accepted,
                                   .message = problem ? problem->message : "",
                                   .observed_generation = route.generation});
  auto& refs = route.unresolved;
  attachment.conditions.push_back({.type = ConditionType::resolved_refs,
                                   .status = !refs,
                                   .reason = refs ? refs->reason : Reason::resolved_refs,
                                   .message = refs ? refs->message : "",
                                   .observed_generation = route.generation});
  return attachment;
}

} // namespace strait::gateway::resolve
