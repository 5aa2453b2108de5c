#include "gateway/resolve/gateway_policy.hpp"

#include "gateway/resolve/conditions.hpp"
#include "gateway/resolve/failover.hpp"
#include "gateway/resolve/jwt.hpp"
#include "gateway/resolve/references.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

namespace {

using model::ConditionType;
using model::GatewayPolicy;
using model::Kind;
using model::Name;
using model::Reason;

Name target_of(const GatewayPolicy& policy) {
  return {policy.target_ns.empty() ? policy.meta.name.ns : policy.target_ns, policy.target_name};
}

/// Why the policy means no listener of ours, whatever it asks of requests. Who may say what a
/// Gateway of another namespace does, a ReferenceGrant there tells.
std::optional<Problem> target_problem(const View& view, const GatewayPolicy& policy,
                                      Topics& depends) {
  if (policy.target_group != gateway_group || policy.target_kind != "Gateway")
    return Problem{Reason::missing_listener_reference,
                   fmt::format("spec.targetRef: kind {} of group \"{}\": expected Gateway",
                               policy.target_kind, policy.target_group)};
  auto target = target_of(policy);
  auto& ns = policy.meta.name.ns;
  if (target.ns != ns) {
    depends.insert({Kind::reference_grant, {target.ns, ""}});
    if (!permitted(view, {api_group(Kind::gateway_policy), "GatewayPolicy", ns},
                   {gateway_group, "Gateway", target.ns, target.name}))
      return Problem{Reason::ref_not_permitted,
                     fmt::format("no ReferenceGrant in namespace {} lets GatewayPolicies of "
                                 "namespace {} refer to Gateway {}",
                                 target.ns, ns, target.name)};
  }
  return {};
}

bool targets(const GatewayPolicy& policy, const Name& gateway, const std::string& listener) {
  return target_of(policy) == gateway &&
         (policy.target_section.empty() || policy.target_section == listener);
}

/// The policy that counts for a listener.
const GatewayPolicy* policy_of(const View& view, const Name& gateway, const std::string& listener,
                               Topics& depends) {
  const GatewayPolicy* first = nullptr;
  for (auto& [name, record] : view.table<GatewayPolicy>()) {
    auto& policy = record->value;
    if (!targets(policy, gateway, listener) || target_problem(view, policy, depends))
      continue;
    if (!first || std::tie(policy.meta.created, policy.meta.name) <
                      std::tie(first->meta.created, first->meta.name))
      first = &policy;
  }
  return first;
}

/// Nobody passes a requirement that is not whole.
Jwt none_passes(const std::string& why) {
  Jwt jwt;
  jwt.providers.push_back({.name = why, .locations = {Jwt::Location{}}});
  return jwt;
}

std::optional<Jwt> requirement(const View& view, const GatewayPolicy& policy,
                               const std::optional<model::JwtRequirement>& from, Topics& depends) {
  if (!from)
    return {};
  if (!policy.unsupported.empty())
    return none_passes(to_string(policy.unsupported.front()));
  auto jwt = jwt_of(view, policy.meta.name.ns, *from, depends);
  return jwt ? std::move(*jwt) : none_passes(jwt.error().message);
}

/// The first provider that a requirement names and that is not there.
std::optional<Problem> provider_problem(const View& view, const std::string& ns, Topics& depends,
                                        const std::optional<model::JwtRequirement>& from) {
  if (!from)
    return {};
  auto jwt = jwt_of(view, ns, *from, depends);
  if (jwt)
    return {};
  return Problem{Reason::missing_jwt_provider_reference, jwt.error().message};
}

/// A requirement holds without its key sets too: `keys` speaks of no more than what it refers to.
std::vector<model::Condition> conditions_of(const std::optional<Problem>& refused,
                                            const std::optional<Problem>& refs,
                                            const std::optional<Problem>& keys,
                                            std::int64_t generation) {
  auto accepted = refused;
  if (!accepted && refs)
    accepted = Problem{Reason::references_not_valid, refs->message};
  return {condition(ConditionType::accepted, Reason::accepted, accepted, generation),
          condition(ConditionType::resolved_refs, Reason::resolved_refs, refs ? refs : keys,
                    generation)};
}

std::optional<Problem> unsupported(const std::vector<model::Unsupported>& fields) {
  if (fields.empty())
    return {};
  return Problem{Reason::invalid, to_string(fields.front())};
}

ResolvedPolicy resolve(const View& view, const GatewayPolicy& policy) {
  ResolvedPolicy resolved;
  auto& depends = resolved.depends;
  auto refs = target_problem(view, policy, depends);
  auto target = target_of(policy);
  depends.insert({Kind::gateway, target});
  auto* gateway = view.find<model::Gateway>(target);
  bool there = gateway && (policy.target_section.empty() ||
                           std::any_of(gateway->listeners.begin(), gateway->listeners.end(),
                                       [&](auto& it) { return it.name == policy.target_section; }));
  if (!refs && !there)
    refs = Problem{Reason::missing_listener_reference,
                   fmt::format("spec.targetRef: Gateway {} has no listener \"{}\"",
                               to_string(target), policy.target_section)};
  std::optional<Problem> keys;
  for (auto* from : {&policy.override_jwt, &policy.default_jwt}) {
    if (auto problem = provider_problem(view, policy.meta.name.ns, depends, *from);
        problem && !refs)
      refs = std::move(problem);
    if (*from && !keys)
      keys = key_set_problem(view, policy.meta.name.ns, **from, depends);
  }
  auto refused = unsupported(policy.unsupported);
  if (!refused && !gateway && policy.target_kind == "Gateway")
    refused = Problem{Reason::target_not_found,
                      fmt::format("spec.targetRef: Gateway {} does not exist", to_string(target))};
  depends.insert({Kind::gateway_policy, {}});
  if (!refused && !refs && gateway) {
    // Overtaken everywhere by another policy, it has no effect.
    const GatewayPolicy* winner = nullptr;
    bool wins = false;
    for (auto& listener : gateway->listeners)
      if (targets(policy, target, listener.name)) {
        winner = policy_of(view, target, listener.name, depends);
        wins |= winner && winner->meta.name == policy.meta.name;
      }
    if (!wins && winner)
      refused =
          Problem{Reason::conflicted, fmt::format("GatewayPolicy {} targets the same listener",
                                                  to_string(winner->meta.name))};
  }
  resolved.status.conditions = conditions_of(refused, refs, keys, policy.meta.generation);
  return resolved;
}

ResolvedPolicy resolve(const View& view, const model::RouteAuthFilter& filter) {
  ResolvedPolicy resolved;
  auto refs = provider_problem(view, filter.meta.name.ns, resolved.depends, filter.jwt);
  std::optional<Problem> keys;
  if (filter.jwt)
    keys = key_set_problem(view, filter.meta.name.ns, *filter.jwt, resolved.depends);
  resolved.status.conditions =
      conditions_of(unsupported(filter.unsupported), refs, keys, filter.meta.generation);
  return resolved;
}

} // namespace

ListenerJwt jwt_of_listener(const View& view, const Name& gateway, const std::string& listener,
                            Topics& depends) {
  ListenerJwt jwt;
  depends.insert({Kind::gateway_policy, {}});
  if (auto* policy = policy_of(view, gateway, listener, depends)) {
    jwt.override_jwt = requirement(view, *policy, policy->override_jwt, depends);
    jwt.default_jwt = requirement(view, *policy, policy->default_jwt, depends);
  }
  return jwt;
}

std::optional<ResolvedPolicy> resolve_policy(const View& view, const model::ObjectKey& key) {
  std::optional<ResolvedPolicy> resolved;
  if (key.kind == Kind::gateway_policy) {
    if (auto* policy = view.find<GatewayPolicy>(key.name))
      resolved = resolve(view, *policy);
  } else if (key.kind == Kind::route_auth_filter) {
    if (auto* filter = view.find<model::RouteAuthFilter>(key.name))
      resolved = resolve(view, *filter);
  } else if (key.kind == Kind::jwt_provider) {
    if (auto* provider = view.find<model::JwtProvider>(key.name))
      resolved = resolve_provider(view, *provider);
  } else if (key.kind == Kind::service_resolver) {
    if (auto* resolver = view.find<model::ServiceResolver>(key.name))
      resolved = resolve_failover(view, *resolver);
  }
  if (resolved)
    resolved->status.object = key;
  return resolved;
}

} // namespace strait::gateway::resolve
