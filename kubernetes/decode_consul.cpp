#include "kubernetes/config_entry_fields.hpp"
#include "kubernetes/decode_kinds.hpp"

namespace strait::kubernetes {

namespace {

/// Ports below 1024 are privileged; what is added must keep the highest of them a port.
constexpr Range mapped_ports{0, 65535 - 1023};

void decode_policy(Fields& fields, model::ReferencePolicyOverride& out) {
  using Backends = model::InvalidBackends;
  using Reason = model::CertificateRefReason;
  using Readiness = model::ListenerReadiness;
  fields.choice<std::optional<Backends>, Backends>("invalidBackends", out.invalid_backends,
                                                   {{"DetachRoute", Backends::detach_route},
                                                    {"Respond500", Backends::respond_500},
                                                    {"KeepLastGood", Backends::keep_last_good}});
  fields.choice<std::optional<Reason>, Reason>(
      "certificateRefReason", out.certificate_ref_reason,
      {{"Consul", Reason::consul}, {"Upstream", Reason::upstream}});
  fields.choice<std::optional<Readiness>, Readiness>(
      "listenerReadiness", out.listener_readiness,
      {{"AllOrNothing", Readiness::all_or_nothing}, {"Independent", Readiness::independent}});
}

} // namespace

void decode(Fields& root, model::GatewayClassConfig& out) {
  root.object("spec", [&](Fields& spec) {
    spec.object("referencePolicy",
                [&](Fields& policy) { decode_policy(policy, out.reference_policy); });
    spec.one_of("serviceType", out.service_type, {"ClusterIP", "NodePort", "LoadBalancer"});
    spec.integer("mapPrivilegedContainerPorts", out.map_privileged_container_ports, mapped_ports);
    spec.text("openshiftSCCName", out.openshift_scc_name, rules::dns_subdomain);
    // What both of Consul's groups have and Strait does not.
    spec.unsupported({"nodeSelector", "tolerations", "deployment", "copyAnnotations",
                      "podSecurityPolicy", "metrics", "connectionManagement", "consul", "image",
                      "logLevel", "useHostPorts"});
  });
}

void decode(Fields& root, model::MeshService& out) {
  root.object("spec", [&](Fields& spec) {
    spec.text("name", out.service, rules::service_name);
    spec.text("peer", out.peer, rules::peer_name);
  });
}

void decode(Fields& root, model::ExportedServices& out) {
  if (out.name != "default")
    root.error("metadata.name", "must be \"default\": there is one such entry");
  root.object(
      "spec", [&](Fields& spec) { decode_exports(spec, "services", out); }, Need::required);
}

void decode(Fields& root, model::ServiceIntentions& out) {
  root.object(
      "spec",
      [&](Fields& spec) {
        spec.object(
            "destination",
            [&](Fields& destination) {
              destination.text("name", out.name, rules::service_name_or_star, Need::required);
              refuse_tenancy(destination, {"namespace"});
            },
            Need::required);
        decode_sources(spec, "sources", out);
        spec.refuse("jwt", "not implemented");
      },
      Need::required);
}

} // namespace strait::kubernetes
