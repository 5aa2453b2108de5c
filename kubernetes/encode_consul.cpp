#include "kubernetes/encode_kinds.hpp"

namespace strait::kubernetes {

namespace {

Node encode_toleration(const model::Toleration& toleration) {
  MapWriter out;
  out.put_unless_empty("key", toleration.key);
  out.put_unless_empty("operator", toleration.op);
  out.put_unless_empty("value", toleration.value);
  out.put_unless_empty("effect", toleration.effect);
  out.put_if("tolerationSeconds", toleration.seconds);
  return out.take();
}

Node encode_deployment(const model::GatewayClassConfig& config) {
  MapWriter out, resources;
  if (config.daemon_set)
    out.put("kind", "DaemonSet");
  out.put_if("defaultInstances", config.default_instances);
  out.put_if("minInstances", config.min_instances);
  out.put_if("maxInstances", config.max_instances);
  resources.put_unless_empty("requests", config.resource_requests);
  resources.put_unless_empty("limits", config.resource_limits);
  out.put_unless_empty("resources", resources.take());
  return out.take();
}

Node encode_metrics(const model::GatewayClassConfig& config) {
  MapWriter out;
  if (config.metrics_enabled)
    out.put("enabled", *config.metrics_enabled);
  if (config.metrics_port != 0)
    out.put("port", std::int64_t{config.metrics_port});
  out.put_unless_empty("path", config.metrics_path);
  return out.take();
}

} // namespace

void encode(MapWriter& root, const model::MeshService& object) {
  MapWriter spec;
  spec.put_unless_empty("name", object.service);
  spec.put_unless_empty("peer", object.peer);
  root.put("spec", spec.take());
}

void encode(MapWriter& root, const model::GatewayClassConfig& object) {
  constexpr const char* backends[] = {"Respond500", "DetachRoute", "KeepLastGood"};
  constexpr const char* reasons[] = {"Upstream", "Consul"};
  constexpr const char* readiness[] = {"Independent", "AllOrNothing"};
  MapWriter spec, policy;
  auto& override_ = object.reference_policy;
  if (override_.invalid_backends)
    policy.put("invalidBackends", backends[static_cast<std::size_t>(*override_.invalid_backends)]);
  if (override_.certificate_ref_reason)
    policy.put("certificateRefReason",
               reasons[static_cast<std::size_t>(*override_.certificate_ref_reason)]);
  if (override_.listener_readiness)
    policy.put("listenerReadiness",
               readiness[static_cast<std::size_t>(*override_.listener_readiness)]);
  spec.put_unless_empty("referencePolicy", policy.take());
  spec.put_unless_empty("serviceType", object.service_type);
  if (object.map_privileged_container_ports != 0)
    spec.put("mapPrivilegedContainerPorts", std::int64_t{object.map_privileged_container_ports});
  spec.put_unless_empty("openshiftSCCName", object.openshift_scc_name);
  spec.put_unless_empty("nodeSelector", object.node_selector);
  spec.put_unless_empty("tolerations", list_of(object.tolerations, encode_toleration));
  spec.put_unless_empty("deployment", encode_deployment(object));
  MapWriter copy, image, connections;
  copy.put_unless_empty("service", list_of(object.copy_service_annotations));
  spec.put_unless_empty("copyAnnotations", copy.take());
  if (object.host_ports)
    spec.put("useHostPorts", true);
  image.put_unless_empty("gateway", object.image);
  spec.put_unless_empty("image", image.take());
  spec.put_unless_empty("logLevel", object.log_level);
  spec.put_unless_empty("metrics", encode_metrics(object));
  connections.put_if("maxConnections", object.max_connections);
  spec.put_unless_empty("connectionManagement", connections.take());
  root.put("spec", spec.take());
}

void encode(MapWriter& root, const model::ExportedServices& object) {
  MapWriter spec;
  spec.put("services", list_of(object.services, [](auto& entry) {
             MapWriter out;
             out.put("name", entry.service);
             out.put("consumers", list_of(entry.peers, [](auto& peer) {
                       MapWriter consumer;
                       consumer.put("peer", peer);
                       return consumer.take();
                     }));
             return out.take();
           }));
  root.put("spec", spec.take());
}

void encode(MapWriter& root, const model::ServiceIntentions& object) {
  MapWriter spec, destination;
  destination.put("name", object.name);
  spec.put("destination", destination.take());
  spec.put("sources", list_of(object.sources, [](auto& source) {
             MapWriter out;
             out.put("name", source.name);
             out.put_unless_empty("peer", source.peer);
             out.put("action", source.allow ? "allow" : "deny");
             out.put_unless_empty("description", source.description);
             return out.take();
           }));
  root.put("spec", spec.take());
}

} // namespace strait::kubernetes
