#include "gateway/resolve/plan.hpp"

#include "gateway/resolve/listener_checks.hpp"

#include <algorithm>
#include <charconv>

namespace strait::gateway::resolve {

namespace {

using model::Condition;
using model::ConditionType;
using model::Kind;
using model::Name;
using model::Reason;

/// A condition that says yes, or the problem.
Condition condition(ConditionType type, Reason fine, const std::optional<Problem>& problem,
                    std::int64_t generation) {
  return {.type = type,
          .status = !problem,
          .reason = problem ? problem->reason : fine,
          .message = problem ? problem->message : "",
          .observed_generation = generation};
}

const Condition& find(const std::vector<Condition>& conditions, ConditionType type) {
  return *std::find_if(conditions.begin(), conditions.end(),
                       [&](auto& it) { return it.type == type; });
}

ListenerPlan planned(const model::Listener& spec, ListenerFindings found,
                     const model::ReferencePolicy& policy, std::int64_t generation) {
  ListenerPlan plan;
  plan.spec = spec;
  plan.kinds = found.supported_kinds;
  // One bad certificate takes no other's hosts away, unless the class asks for all or nothing.
  bool some = !found.certificates.empty() &&
              policy.listener_readiness == model::ListenerReadiness::independent;
  plan.programmed = !found.accepted && !found.conflicted && (!found.refs || some);
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
  conditions.push_back(
      condition(ConditionType::programmed, Reason::programmed, not_programmed, generation));
  if (found.overlapping) {
    auto overlapping = condition(ConditionType::overlapping_tls_config,
                                 Reason::overlapping_hostnames, found.overlapping, generation);
    overlapping.status = true; // Never written as False (Gateway API).
    conditions.push_back(std::move(overlapping));
  }
  if (plan.programmed) {
    Listener config;
    config.name = spec.name;
    config.port = found.port;
    config.protocol = *protocol_of(spec.protocol);
    config.hostname = lower(spec.hostname);
    if (config.protocol == Protocol::https)
      config.tls = std::move(found.tls);
    plan.config = std::make_shared<const Listener>(std::move(config));
    plan.certificates = std::move(found.certificates);
  }
  return plan;
}

/// Whether nothing at all is wrong with a listener.
bool clean(const ListenerPlan& listener) {
  return std::all_of(listener.conditions.begin(), listener.conditions.end(),
                     [](auto& it) { return it.status == (it.type != ConditionType::conflicted); });
}

/// Adds the listener for gateways of peered datacenters, if the Gateway asks for one.
std::optional<Problem> plan_peering(const model::Gateway& gateway, std::int32_t port_offset,
                                    GatewayPlan& plan) {
  auto annotation = gateway.meta.annotations.find(peering_port_annotation);
  if (annotation == gateway.meta.annotations.end())
    return {};
  auto wrong = [&](const std::string& message) {
    return Problem{Reason::listeners_not_valid,
                   fmt::format("metadata.annotations[{}]: {}", peering_port_annotation, message)};
  };
  auto asked = peering_listener_of(gateway);
  auto bound = asked ? container_port(asked->port, port_offset) : std::nullopt;
  if (!bound)
    return wrong(fmt::format("\"{}\": expected a port of 1..65535", annotation->second));
  for (auto& listener : plan.listeners)
    if (listener.config && listener.config->port == *bound)
      return wrong(fmt::format("port {} is that of listener {}", asked->port, listener.spec.name));
  auto listener = *asked;
  listener.port = *bound;
  plan.peering = std::make_shared<const Listener>(std::move(listener));
  return {};
}

/// Why the Gateway as a whole is not carried out.
std::optional<Problem> refusal(const model::Gateway& gateway, const ResolvedClass& gateway_class) {
  if (!gateway_class.accepted)
    return Problem{Reason::invalid_parameters,
                   fmt::format("GatewayClass {} is not accepted", gateway_class.name)};
  if (!gateway.unsupported.empty())
    return Problem{Reason::invalid,
                   fmt::format("{} is not supported", gateway.unsupported.front().path)};
  if (!gateway.addresses.empty())
    return Problem{Reason::unsupported_address, "spec.addresses is not supported"};
  return {};
}

/// The Gateway's own conditions, after its listeners'.
void conclude(const model::Gateway& gateway, const ResolvedClass& gateway_class,
              const std::optional<Problem>& peering, GatewayPlan& plan) {
  auto is_accepted = [](auto& it) { return find(it.conditions, ConditionType::accepted).status; };
  auto is_programmed = [](auto& it) { return it.programmed; };
  auto& listeners = plan.listeners;
  bool any_accepted = std::any_of(listeners.begin(), listeners.end(), is_accepted);
  bool any_programmed = std::any_of(listeners.begin(), listeners.end(), is_programmed);
  bool all = !peering && std::all_of(listeners.begin(), listeners.end(), clean);
  auto refused = refusal(gateway, gateway_class);
  bool accepted = !refused && (any_accepted || listeners.empty());
  bool whole = plan.policy.listener_readiness == model::ListenerReadiness::all_or_nothing;
  plan.serves = accepted && any_programmed && (all || !whole);

  auto generation = gateway.meta.generation;
  auto& conditions = plan.status.conditions;
  auto problem = refused   ? refused
                 : peering ? peering
                 : all     ? std::nullopt
                           : std::optional{Problem{Reason::listeners_not_valid,
                                               "see the conditions of its listeners"}};
  conditions.push_back(condition(ConditionType::accepted, Reason::accepted, problem, generation));
  conditions.back().status = accepted;
  std::optional<Problem> silent;
  if (!plan.serves)
    silent = Problem{Reason::invalid, whole && any_programmed && !refused
                                          ? "nothing is served until every listener is in order"
                                          : "nothing is served"};
  conditions.push_back(
      condition(ConditionType::programmed, Reason::programmed, silent, generation));
  if (gateway_class.controller == model::consul_controller) {
    std::optional<Problem> unready;
    if (refused)
      unready =
          Problem{refused->reason == Reason::unsupported_address ? Reason::address_not_assigned
                                                                 : Reason::listeners_not_ready,
                  refused->message};
    else if (!plan.serves || !all)
      unready = Problem{Reason::listeners_not_valid, problem ? problem->message : silent->message};
    conditions.push_back(condition(ConditionType::ready, Reason::ready, unready, generation));
  }
  for (auto& listener : listeners) {
    // It would serve, but the Gateway does not: no condition may claim otherwise.
    if (listener.programmed && !plan.serves)
      for (auto& it : listener.conditions)
        if (it.type == ConditionType::programmed)
          it = condition(ConditionType::programmed, Reason::programmed,
                         Problem{Reason::pending, "the gateway serves nothing"}, generation);
    plan.status.listeners.push_back({listener.spec.name, 0, listener.kinds, listener.conditions});
  }
}

} // namespace

std::shared_ptr<const Listener> peering_listener_of(const model::Gateway& gateway) {
  auto annotation = gateway.meta.annotations.find(peering_port_annotation);
  if (annotation == gateway.meta.annotations.end())
    return nullptr;
  auto& text = annotation->second;
  std::uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0)
    return nullptr;
  Listener listener{.name = peering_listener, .port = port, .protocol = Protocol::peering};
  listener.tls.certificates = {"mesh-gateway"};
  return std::make_shared<const Listener>(std::move(listener));
}

bool ListenerPlan::attaches_like(const ListenerPlan& other) const {
  return spec.name == other.spec.name && spec.port == other.spec.port &&
         spec.hostname == other.spec.hostname && spec.allowed == other.spec.allowed &&
         kinds == other.kinds && programmed == other.programmed;
}

GatewayPlan plan_gateway(const View& view, const model::Name& name, const Settings&) {
  GatewayPlan plan;
  plan.depends.insert({Kind::gateway, name});
  plan.status.object = {Kind::gateway, name};
  auto* gateway = view.find<model::Gateway>(name);
  if (!gateway)
    return plan;
  plan.depends.insert({Kind::gateway_class, {"", gateway->class_name}});
  auto gateway_class = resolve_class(view, gateway->class_name);
  if (!gateway_class) {
    // Nobody's yet: not ours to serve, but whoever wrote it should learn why nothing happens.
    plan.status.conditions.push_back(
        condition(ConditionType::accepted, Reason::accepted,
                  Problem{Reason::pending,
                          fmt::format("spec.gatewayClassName: GatewayClass {} does not exist",
                                      gateway->class_name)},
                  gateway->meta.generation));
    return plan;
  }
  if (!gateway_class->ours)
    return plan;
  plan.ours = true;
  plan.policy = gateway_class->policy;
  plan.controller = gateway_class->controller;
  plan.depends.insert(gateway_class->depends.begin(), gateway_class->depends.end());
  auto findings = check_listeners(view, *gateway, *gateway_class, plan.depends);
  for (std::size_t i = 0; i < findings.size(); ++i) {
    auto& spec = gateway->listeners[i];
    plan.listeners.push_back(
        planned(spec, std::move(findings[i]), plan.policy, gateway->meta.generation));
    plan.selects_namespaces |= spec.allowed.from == model::FromNamespaces::selector;
  }
  auto peering = plan_peering(*gateway, gateway_class->map_privileged_container_ports, plan);
  conclude(*gateway, *gateway_class, peering, plan);
  if (plan.selects_namespaces)
    plan.depends.insert({Kind::namespace_, {}});
  return plan;
}

} // namespace strait::gateway::resolve
