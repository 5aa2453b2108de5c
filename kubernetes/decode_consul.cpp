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

void decode_deployment(Fields& fields, model::GatewayClassConfig& out) {
  constexpr Range instances{1, INT32_MAX};
  fields.choice<bool, bool>("kind", out.daemon_set, {{"Deployment", false}, {"DaemonSet", true}});
  fields.integer("defaultInstances", out.default_instances, instances);
  fields.integer("minInstances", out.min_instances, instances);
  fields.integer("maxInstances", out.max_instances, instances);
  fields.object("resources", [&](Fields& resources) {
    resources.quantities("requests", out.resource_requests);
    resources.quantities("limits", out.resource_limits);
    resources.unsupported({"claims"});
  });
}

void decode_toleration(Fields& fields, model::Toleration& out) {
  fields.text("key", out.key, rules::optional_qualified_name);
  fields.one_of("operator", out.op, {"Exists", "Equal"});
  fields.text("value", out.value, rules::label_value);
  fields.one_of("effect", out.effect, {"NoSchedule", "PreferNoSchedule", "NoExecute"});
  fields.integer("tolerationSeconds", out.seconds, {INT64_MIN, INT64_MAX});
  if (out.key.empty() && out.op != "Exists")
    fields.error("operator", "must be Exists when no key is given");
  if (out.op == "Exists" && !out.value.empty())
    fields.error("value", "must not be given when operator is Exists");
}

void decode_metrics(Fields& fields, model::GatewayClassConfig& out) {
  if (bool enabled = false; fields.has("enabled")) {
    fields.flag("enabled", enabled);
    out.metrics_enabled = enabled;
  }
  fields.integer("port", out.metrics_port, {1024, 65535});
  fields.text("path", out.metrics_path, rules::literal_path);
}

} // namespace

void decode(Fields& root, model::GatewayClassConfig& out) {
  root.object("spec", [&](Fields& spec) {
    spec.object("referencePolicy",
                [&](Fields& policy) { decode_policy(policy, out.reference_policy); });
    spec.one_of("serviceType", out.service_type, {"ClusterIP", "NodePort", "LoadBalancer"});
    spec.integer("mapPrivilegedContainerPorts", out.map_privileged_container_ports, mapped_ports);
    spec.text("openshiftSCCName", out.openshift_scc_name, rules::dns_subdomain);
    spec.map("nodeSelector", out.node_selector, rules::qualified_name, rules::label_value);
    spec.list("tolerations", out.tolerations, {0, 64}, decode_toleration);
    spec.object("deployment", [&](Fields& deployment) { decode_deployment(deployment, out); });
    spec.object("copyAnnotations", [&](Fields& copy) {
      copy.texts("service", out.copy_service_annotations, rules::qualified_name, {0, 64});
    });
    spec.flag("useHostPorts", out.host_ports);
    spec.object("image", [&](Fields& image) {
      image.text("gateway", out.image, rules::image);
      // Of Consul's own programs, which Strait does not run.
      image.unsupported({"consulAPIGateway", "envoy"});
    });
    spec.one_of("logLevel", out.log_level, {"trace", "debug", "info", "warning", "error"});
    spec.object("metrics", [&](Fields& metrics) { decode_metrics(metrics, out); });
    spec.object("connectionManagement", [&](Fields& connections) {
      connections.integer("maxConnections", out.max_connections, {1, INT32_MAX});
    });
    // How Consul's gateways reach Consul's servers, and what Kubernetes has no more.
    spec.unsupported({"podSecurityPolicy", "consul"});
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
