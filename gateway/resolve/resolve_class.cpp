#include "gateway/resolve/references.hpp"
#include "gateway/resolve/resolve.hpp"

namespace strait::gateway::resolve {

namespace {

using model::ConditionType;
using model::Kind;
using model::Reason;

/// What the conformance suite may rely on; sorted. Only what works.
const std::vector<std::string> supported_features{
    "Gateway",
    "GatewayHTTPListenerIsolation",
    "GatewayPort8080",
    "HTTPRoute",
    "HTTPRouteBackendRequestHeaderModification",
    "HTTPRouteMethodMatching",
    "HTTPRouteNamedRouteRule",
    "HTTPRouteParentRefPort",
    "HTTPRouteQueryParamMatching",
    "HTTPRouteResponseHeaderModification",
    "ReferenceGrant",
    "TCPRoute",
};

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
    if (ref->kind != "GatewayClassConfig" || !is_consul_group(ref->group)) {
      problem = {Reason::invalid_parameters,
                 fmt::format("spec.parametersRef: kind {} of group \"{}\": expected "
                             "GatewayClassConfig of consul.hashicorp.com",
                             ref->kind, ref->group)};
    } else {
      model::Name config{"", ref->name};
      resolved.depends.insert({Kind::gateway_class_config, config});
      auto* parameters = view.find<model::GatewayClassConfig>(config);
      if (!parameters)
        problem = {
            Reason::invalid_parameters,
            fmt::format("spec.parametersRef: GatewayClassConfig {} does not exist", ref->name)};
      else {
        override_with(resolved.policy, parameters->reference_policy);
        resolved.map_privileged_container_ports = parameters->map_privileged_container_ports;
        // They say how to deploy, not what to serve: no reason to refuse, nor to be silent.
        for (auto& field : parameters->unsupported)
          message +=
              fmt::format("; GatewayClassConfig {}: {} has no effect", ref->name, field.path);
      }
    }
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
  resolved.status.supported_features = supported_features;
  return resolved;
}

} // namespace strait::gateway::resolve
