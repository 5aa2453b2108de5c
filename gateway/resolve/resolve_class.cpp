#include "gateway/resolve/resolve_class.hpp"

#include "gateway/resolve/features.hpp"
#include "gateway/resolve/references.hpp"

namespace strait::gateway::resolve {

namespace {

using model::ConditionType;
using model::Kind;
using model::Reason;

model::ReferencePolicy defaults_of(std::string_view controller) {
  if (controller == model::consul_controller)
    return {model::InvalidBackends::detach_route, model::CertificateRefReason::consul,
            model::ListenerReadiness::all_or_nothing};
  return {};
}

void override_with(model::ReferencePolicy& policy, const model::ReferencePolicyOverride& from) {
  policy.invalid_backends = from.invalid_backends.value_or(policy.invalid_backends);
  policy.certificate_ref_reason =
      from.certificate_ref_reason.value_or(policy.certificate_ref_reason);
  policy.listener_readiness = from.listener_readiness.value_or(policy.listener_readiness);
}

} // namespace

std::optional<Problem> apply_parameters(const View& view, const model::ParametersRef& ref,
                                        std::string_view path, ResolvedClass& gateway_class) {
  if (ref.kind != "GatewayClassConfig" || !is_consul_group(ref.group))
    return Problem{Reason::invalid_parameters,
                   fmt::format("{}: kind {} of group \"{}\": expected GatewayClassConfig of "
                               "consul.hashicorp.com",
                               path, ref.kind, ref.group)};
  model::Name name{"", ref.name};
  gateway_class.depends.insert({Kind::gateway_class_config, name});
  auto* parameters = view.find<model::GatewayClassConfig>(name);
  if (!parameters)
    return Problem{Reason::invalid_parameters,
                   fmt::format("{}: GatewayClassConfig {} does not exist", path, ref.name)};
  for (auto& field : parameters->unsupported)
    if (!field.problem.empty())
      return Problem{Reason::invalid_parameters, fmt::format("{}: GatewayClassConfig {}: {}", path,
                                                             ref.name, to_string(field))};
  override_with(gateway_class.policy, parameters->reference_policy);
  gateway_class.map_privileged_container_ports = parameters->map_privileged_container_ports;
  return {};
}

std::optional<ResolvedClass> resolve_class(const View& view, const std::string& name) {
  auto* found = view.find<model::GatewayClass>({"", name});
  if (!found)
    return {};
  ResolvedClass resolved;
  resolved.name = name;
  resolved.controller = found->controller_name;
  resolved.ours = found->controller_name == model::strait_controller ||
                  found->controller_name == model::consul_controller;
  if (!resolved.ours)
    return resolved;
  resolved.policy = defaults_of(found->controller_name);
  std::optional<Problem> problem;
  std::string message = "Strait manages gateways of this class";
  if (auto& ref = found->parameters) {
    problem = apply_parameters(view, *ref, "spec.parametersRef", resolved);
    // They say how to deploy, not what to serve: no reason to refuse, nor to be silent.
    if (auto* parameters = view.find<model::GatewayClassConfig>({"", ref->name});
        parameters && !problem)
      for (auto& field : parameters->unsupported)
        message += fmt::format("; GatewayClassConfig {}: {} has no effect", ref->name, field.path);
  }
  resolved.accepted = !problem;
  auto generation = found->meta.generation;
  resolved.status.object = {Kind::gateway_class, {"", name}};
  resolved.status.conditions = {
      {.type = ConditionType::accepted,
       .status = resolved.accepted,
       .reason = problem ? problem->reason : Reason::accepted,
       .message = problem ? problem->message : message,
       .observed_generation = generation},
      {.type = ConditionType::supported_version,
       .status = true,
       .reason = Reason::supported_version,
       .message = "Gateway API v1.6",
       .observed_generation = generation},
  };
  resolved.status.supported_features = supported_features();
  return resolved;
}

} // namespace strait::gateway::resolve
