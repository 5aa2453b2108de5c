#include "gateway/resolve/listener_plan.hpp"

#include "base/ascii.hpp"
#include "gateway/resolve/conditions.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

namespace {

using model::ConditionType;
using model::Reason;

std::shared_ptr<const Listener> config_of(const std::string& name, const model::Listener& spec,
                                          ListenerFindings& found, const std::string& bind) {
  Listener config;
  config.name = name;
  config.address = bind;
  config.port = found.port;
  config.public_port = found.port == spec.port ? std::uint16_t{0} : spec.port;
  config.protocol = *protocol_of(spec.protocol);
  config.hostname = ascii_lower(spec.hostname);
  config.passthrough = found.passthrough;
  config.clients = std::move(found.clients);
  if (config.protocol == Protocol::https ||
      (config.protocol == Protocol::tls && !config.passthrough))
    config.tls = std::move(found.tls);
  return std::make_shared<const Listener>(std::move(config));
}

} // namespace

ListenerPlan listener_plan(ListenerEntry entry, ListenerFindings found,
                           const model::ReferencePolicy& policy, const std::string& bind) {
  ListenerPlan plan;
  plan.entry = std::move(entry);
  plan.name = config_name(plan.entry);
  plan.kinds = found.supported_kinds;
  // One bad certificate takes no other's hosts away, unless the class asks for all or nothing.
  bool some = !found.certificates.empty() &&
              policy.listener_readiness == model::ListenerReadiness::independent;
  plan.programmed = !found.accepted && !found.conflicted && (!found.refs || some);
  auto generation = plan.entry.generation;
  auto& conditions = plan.conditions;
  auto& rejected = found.accepted ? found.accepted : found.conflicted;
  conditions.push_back(condition(ConditionType::accepted, Reason::accepted, rejected, generation));
  auto conflicted =
      condition(ConditionType::conflicted, Reason::no_conflicts, found.conflicted, generation);
  conflicted.status = found.conflicted.has_value();
  conditions.push_back(std::move(conflicted));
  auto& refs = found.refs ? found.refs : found.kinds;
  conditions.push_back(
      condition(ConditionType::resolved_refs, Reason::resolved_refs, refs, generation));
  std::optional<Problem> not_programmed;
  if (!plan.programmed)
    not_programmed = Problem{Reason::invalid, "see the other conditions"};
  if (plan.entry.set && found.conflicted)
    not_programmed = found.conflicted; // All three with one reason (Gateway API ListenerSet).
  conditions.push_back(
      condition(ConditionType::programmed, Reason::programmed, not_programmed, generation));
  if (found.overlapping) {
    auto overlapping = condition(ConditionType::overlapping_tls_config,
                                 Reason::overlapping_hostnames, found.overlapping, generation);
    overlapping.status = true; // Never written as False (Gateway API).
    conditions.push_back(std::move(overlapping));
  }
  if (plan.programmed) {
    plan.config = config_of(plan.name, plan.entry.spec, found, bind);
    plan.certificates = std::move(found.certificates);
  }
  return plan;
}

bool clean(const ListenerPlan& listener) {
  return std::all_of(listener.conditions.begin(), listener.conditions.end(), [](auto& it) {
    return it.type == ConditionType::overlapping_tls_config ||
           it.status == (it.type != ConditionType::conflicted);
  });
}

void silence(ListenerPlan& listener) {
  if (!listener.programmed)
    return;
  for (auto& it : listener.conditions)
    if (it.type == ConditionType::programmed)
      it = condition(ConditionType::programmed, Reason::programmed,
                     Problem{Reason::pending, "the gateway serves nothing"},
                     listener.entry.generation);
  listener.programmed = false;
  listener.config = nullptr;
  listener.certificates.clear();
}

} // namespace strait::gateway::resolve
