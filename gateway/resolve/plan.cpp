#include "gateway/resolve/plan.hpp"

#include "gateway/resolve/backend_tls.hpp"
#include "gateway/resolve/conditions.hpp"
#include "gateway/resolve/gateway_addresses.hpp"
#include "gateway/resolve/gateway_policy.hpp"
#include "gateway/resolve/listener_plan.hpp"
#include "gateway/resolve/listener_sets.hpp"
#include "gateway/resolve/resolve_class.hpp"

#include <algorithm>
#include <charconv>

namespace strait::gateway::resolve {

namespace {

using model::ConditionType;
using model::Kind;
using model::Name;
using model::Reason;

constexpr auto see_listeners = "see the conditions of its listeners";

/// What is wrong with a Gateway besides its listeners, one problem per aspect.
struct GatewayFindings {
  std::optional<Problem> refused;     ///< It is not carried out at all.
  std::optional<Problem> peering;     ///< Its peering listener.
  std::optional<Problem> unreachable; ///< Its addresses.
  std::optional<Problem> refs;        ///< What its spec.tls refers to.
};

/// Makes what the Gateway asks for in GatewayClassConfigs, over the class' own.
std::optional<Problem> parameters(const View& view, const model::Gateway& gateway,
                                  ResolvedClass& gateway_class) {
  auto& ref = gateway.infrastructure.parameters;
  if (!ref)
    return {};
  return apply_parameters(view, *ref, "spec.infrastructure.parametersRef", gateway_class);
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
    if (listener.config && listener.config->port == *bound &&
        listener.config->protocol != Protocol::udp)
      return wrong(
          fmt::format("port {} is that of listener {}", asked->port, listener.entry.spec.name));
  auto listener = *asked;
  listener.port = *bound;
  plan.peering = std::make_shared<const Listener>(std::move(listener));
  return {};
}

/// What TLS backends are shown of the Gateway.
std::optional<Problem> plan_backend_client(const View& view, const model::Gateway& gateway,
                                           GatewayPlan& plan) {
  auto& ref = gateway.tls.backend_client_certificate;
  if (!ref)
    return {};
  auto found = certificate_of(view,
                              {"Gateway", gateway.meta.name.ns,
                               Reason::invalid_client_certificate_ref, Reason::ref_not_permitted},
                              *ref, plan.depends);
  if (!found)
    return Problem{found.error().reason,
                   "spec.tls.backend.clientCertificateRef: " + found.error().message};
  auto& pair = **found;
  plan.backend_client = std::make_shared<const Certificate>(
      Certificate{backend_client_certificate, pair.chain_pem, pair.key_pem});
  return {};
}

/// Whether clients without a good certificate are let in somewhere.
bool insecure(const model::GatewayTls& tls) {
  auto falls_back = [](auto& it) { return it && it->insecure_fallback; };
  return falls_back(tls.frontend) ||
         std::any_of(tls.frontend_per_port.begin(), tls.frontend_per_port.end(),
                     [&](auto& it) { return falls_back(it.second); });
}

/// The Gateway's own conditions, after its listeners'.
void conclude(const model::Gateway& gateway, const ResolvedClass& gateway_class,
              const GatewayFindings& found, GatewayPlan& plan) {
  std::vector<const ListenerPlan*> own;
  for (auto& it : plan.listeners)
    if (!it.entry.set)
      own.push_back(&it);
  auto is_accepted = [](auto* it) { return find(it->conditions, ConditionType::accepted).status; };
  auto is_resolved = [](auto* it) {
    return find(it->conditions, ConditionType::resolved_refs).status;
  };
  bool any_accepted = std::any_of(own.begin(), own.end(), is_accepted);
  bool any_programmed = std::any_of(plan.listeners.begin(), plan.listeners.end(),
                                    [](auto& it) { return it.programmed; });
  bool all =
      !found.peering && std::all_of(own.begin(), own.end(), [](auto* it) { return clean(*it); });
  auto& refused = found.refused;
  bool accepted = !refused && (any_accepted || own.empty());
  bool whole = plan.policy.listener_readiness == model::ListenerReadiness::all_or_nothing;
  plan.programmed = accepted && any_programmed && (all || !whole);
  // Listeners that are independent may be none: what serves none of them is ready all the same.
  plan.serves = plan.programmed || !whole;

  auto generation = gateway.meta.generation;
  auto& conditions = plan.status.conditions;
  auto problem = refused         ? refused
                 : found.peering ? found.peering
                 : all           ? std::nullopt
                       : std::optional{Problem{Reason::listeners_not_valid, see_listeners}};
  conditions.push_back(condition(ConditionType::accepted, Reason::accepted, problem, generation));
  conditions.back().status = accepted;
  std::optional<Problem> silent;
  if (!plan.programmed)
    silent = Problem{Reason::invalid, whole && any_programmed && !refused
                                          ? "nothing is served until every listener is in order"
                                          : "nothing is served"};
  else
    silent = found.unreachable;
  conditions.push_back(
      condition(ConditionType::programmed, Reason::programmed, silent, generation));
  auto refs = found.refs;
  if (!refs && !std::all_of(own.begin(), own.end(), is_resolved))
    refs = Problem{Reason::listeners_not_resolved, see_listeners};
  conditions.push_back(
      condition(ConditionType::resolved_refs, Reason::resolved_refs, refs, generation));
  if (insecure(gateway.tls))
    conditions.push_back({.type = ConditionType::insecure_frontend,
                          .status = true,
                          .reason = Reason::configuration_changed,
                          .message = "spec.tls.frontend: AllowInsecureFallback lets clients in "
                                     "that show no valid certificate",
                          .observed_generation = generation});
  if (gateway_class.controller == model::consul_controller) {
    std::optional<Problem> unready;
    if (refused)
      unready =
          Problem{refused->reason == Reason::unsupported_address ? Reason::address_not_assigned
                                                                 : Reason::listeners_not_ready,
                  refused->message};
    else if (!plan.programmed || !all)
      unready = Problem{Reason::listeners_not_valid, problem ? problem->message : silent->message};
    else if (found.unreachable)
      unready = Problem{Reason::address_not_assigned, found.unreachable->message};
    conditions.push_back(condition(ConditionType::ready, Reason::ready, unready, generation));
  }
}

/// A gateway's pod answers GET /ready there (specification B2): no listener can have it.
constexpr std::uint16_t pod_ready_port = 20'000;

void keep_ready_port(ListenerFindings& found, const model::Listener& spec) {
  if (found.port == pod_ready_port && spec.protocol != "UDP" && !found.accepted)
    found.accepted =
        Problem{Reason::port_unavailable,
                fmt::format("port {}: gateways' pods tell there whether they are ready; expected "
                            "another",
                            spec.port)};
}

/// Why the Gateway as a whole is not carried out.
std::optional<Problem> refusal(const model::Gateway& gateway, const ResolvedClass& gateway_class) {
  if (!gateway_class.accepted)
    return Problem{Reason::invalid_parameters,
                   fmt::format("GatewayClass {} is not accepted", gateway_class.name)};
  if (auto* broken = broken_outside(gateway.unsupported))
    return Problem{Reason::invalid, to_string(*broken)};
  return {};
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
  auto &a = entry.spec, &b = other.entry.spec;
  return name == other.name && entry.set == other.entry.set && a.name == b.name &&
         a.port == b.port && a.hostname == b.hostname && a.allowed == b.allowed &&
         kinds == other.kinds && programmed == other.programmed && jwt == other.jwt;
}

PlanStatuses statuses_of(const GatewayPlan& plan, const std::vector<std::int32_t>& attached) {
  PlanStatuses statuses;
  statuses.gateway = plan.status;
  for (auto& set : plan.sets) {
    auto& status = statuses.sets[{Kind::listener_set, set.name}];
    status.object = {Kind::listener_set, set.name};
    status.conditions = set.conditions;
    if (find(set.conditions, ConditionType::accepted).status)
      ++statuses.gateway.attached_listener_sets;
  }
  for (std::size_t i = 0; i < plan.listeners.size(); ++i) {
    auto& it = plan.listeners[i];
    auto& of =
        it.entry.set ? statuses.sets.at({Kind::listener_set, *it.entry.set}) : statuses.gateway;
    of.listeners.push_back({it.entry.spec.name, attached[i], it.kinds, it.conditions});
  }
  return statuses;
}

PlanResources resources_of(const GatewayPlan& plan) {
  PlanResources resources;
  for (auto& listener : plan.listeners)
    if (listener.programmed) {
      resources.listeners = resources.listeners.with(listener.name, listener.config);
      for (auto& it : listener.certificates)
        resources.certificates = resources.certificates.with(it->id, it);
    }
  if (plan.backend_client)
    resources.certificates =
        resources.certificates.with(plan.backend_client->id, plan.backend_client);
  return resources;
}

GatewayPlan plan_gateway(const View& view, const Name& name, const Settings& settings) {
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
  plan.controller = gateway_class->controller;
  GatewayFindings found;
  found.refused = refusal(*gateway, *gateway_class);
  if (auto problem = parameters(view, *gateway, *gateway_class); problem && !found.refused)
    found.refused = std::move(problem);
  plan.policy = gateway_class->policy;
  plan.depends.insert(gateway_class->depends.begin(), gateway_class->depends.end());
  auto addresses = addresses_of(view, *gateway, settings, plan.depends);
  if (!found.refused)
    found.refused = addresses.unsupported;
  found.unreachable = addresses.missing;
  plan.status.addresses = addresses.assigned;

  auto sets = find_listener_sets(view, *gateway, plan.depends);
  plan.selects_namespaces = sets.selects_namespaces;
  auto entries = entries_of(*gateway, sets);
  auto findings = check_listeners(view, *gateway, entries, *gateway_class, plan.depends);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (settings.kubernetes)
      keep_ready_port(findings[i], entries[i].spec);
    plan.selects_namespaces |= entries[i].spec.allowed.from == model::FromNamespaces::selector;
    auto& listener = plan.listeners.emplace_back(
        listener_plan(std::move(entries[i]), std::move(findings[i]), plan.policy, addresses.bind));
    if (!listener.entry.set)
      listener.jwt = jwt_of_listener(view, name, listener.entry.spec.name, plan.depends);
  }
  found.peering = plan_peering(*gateway, gateway_class->map_privileged_container_ports, plan);
  found.refs = plan_backend_client(view, *gateway, plan);
  conclude(*gateway, *gateway_class, found, plan);
  bool accepted = find(plan.status.conditions, ConditionType::accepted).status;
  for (auto& set : sets.sets)
    plan.sets.push_back(conclude_set(set, accepted, plan.listeners));
  if (!plan.programmed) {
    for (auto& listener : plan.listeners)
      silence(listener);
    plan.peering = nullptr;
  }
  if (plan.selects_namespaces)
    plan.depends.insert({Kind::namespace_, {}});
  return plan;
}

} // namespace strait::gateway::resolve
