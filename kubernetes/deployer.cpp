#include "kubernetes/deployer.hpp"

#include "base/time.hpp"
#include "kubernetes/deployer_parts.hpp"
#include "net/base64.hpp"

#include <algorithm>

namespace strait::kubernetes {

namespace {

using deployer::map_of;

/// A label's value: what it stands for, or the stable short name of it.
std::string label_value(const std::string& text) { return model::gateway_label_value({"", text}); }

MapWriter object(std::string_view api_version, std::string_view kind, Node metadata) {
  MapWriter out;
  out.put("apiVersion", api_version);
  out.put("kind", kind);
  out.put("metadata", std::move(metadata));
  return out;
}

Node one_member(std::string_view key, Node value) {
  MapWriter out;
  out.put(key, std::move(value));
  return out.take();
}

Node service_account(const DeployRequest& request) {
  auto out = object("v1", "ServiceAccount", deployer::metadata(request, ""));
  out.put("automountServiceAccountToken", false); // The data plane asks the API server nothing.
  return out.take();
}

/// OpenShift: the pods may run under the constraint that the class names.
void add_constraint(std::vector<Node>& all, const DeployRequest& request,
                    const std::string& constraint) {
  auto name = model::deployed_name(request.gateway.meta.name);
  auto role = object("rbac.authorization.k8s.io/v1", "Role", deployer::metadata(request, ""));
  MapWriter rule;
  rule.put("apiGroups", list_of({"security.openshift.io"}));
  rule.put("resources", list_of({"securitycontextconstraints"}));
  rule.put("resourceNames", list_of({constraint}));
  rule.put("verbs", list_of({"use"}));
  role.put("rules", Node{Node::List{rule.take()}, {}});
  all.push_back(role.take());
  auto binding =
      object("rbac.authorization.k8s.io/v1", "RoleBinding", deployer::metadata(request, ""));
  MapWriter reference, subject;
  reference.put("apiGroup", "rbac.authorization.k8s.io");
  reference.put("kind", "Role");
  reference.put("name", name);
  binding.put("roleRef", reference.take());
  subject.put("kind", "ServiceAccount");
  subject.put("name", name);
  subject.put("namespace", request.gateway.meta.name.ns);
  binding.put("subjects", Node{Node::List{subject.take()}, {}});
  all.push_back(binding.take());
}

Node secret(const DeployRequest& request) {
  auto out = object("v1", "Secret", deployer::metadata(request, "-feed"));
  out.put("type", "kubernetes.io/tls");
  out.put("data", map_of({{"ca.crt", net::to_base64(request.certificate.roots_pem)},
                          {"tls.crt", net::to_base64(request.certificate.chain_pem)},
                          {"tls.key", net::to_base64(request.certificate.key_pem)}}));
  return out.take();
}

Node workload(const DeployRequest& request, const deployer::Probes& probes,
              const deployer::Replicas& replicas) {
  bool everywhere = request.config && request.config->daemon_set;
  // Two pods cannot hold one port of a node: there the old one goes first.
  bool host_ports = request.config && request.config->host_ports;
  auto out =
      object("apps/v1", everywhere ? "DaemonSet" : "Deployment", deployer::metadata(request, ""));
  MapWriter spec, rolling, strategy;
  if (!everywhere && !replicas.autoscale) // Else the autoscaler's.
    spec.put("replicas", replicas.count);
  spec.put("selector", one_member("matchLabels", map_of(deployer::selector(request))));
  rolling.put("maxSurge", std::int64_t{host_ports ? 0 : 1});
  rolling.put("maxUnavailable", std::int64_t{host_ports ? 1 : 0});
  strategy.put("type", "RollingUpdate");
  strategy.put("rollingUpdate", rolling.take());
  spec.put(everywhere ? "updateStrategy" : "strategy", strategy.take());
  spec.put("template", deployer::pod_template(request, probes));
  out.put("spec", spec.take());
  return out.take();
}

Node autoscaler(const DeployRequest& request, const deployer::Replicas::Autoscale& wanted) {
  auto out = object("autoscaling/v2", "HorizontalPodAutoscaler", deployer::metadata(request, ""));
  MapWriter spec, target, metric, resource, utilization;
  target.put("apiVersion", "apps/v1");
  target.put("kind", "Deployment");
  target.put("name", model::deployed_name(request.gateway.meta.name));
  spec.put("scaleTargetRef", target.take());
  spec.put("minReplicas", wanted.min);
  spec.put("maxReplicas", wanted.max);
  utilization.put("type", "Utilization");
  utilization.put("averageUtilization", wanted.cpu_percent);
  resource.put("name", "cpu");
  resource.put("target", utilization.take());
  metric.put("type", "Resource");
  metric.put("resource", resource.take());
  spec.put("metrics", Node{Node::List{metric.take()}, {}});
  out.put("spec", spec.take());
  return out.take();
}

Node disruption_budget(const DeployRequest& request) {
  auto out = object("policy/v1", "PodDisruptionBudget", deployer::metadata(request, ""));
  MapWriter spec;
  spec.put("maxUnavailable", std::int64_t{1});
  spec.put("selector", one_member("matchLabels", map_of(deployer::selector(request))));
  out.put("spec", spec.take());
  return out.take();
}

} // namespace

namespace deployer {

model::StringMap selector(const DeployRequest& request) {
  return {{std::string{gateway_name_label}, label_value(request.gateway.meta.name.name)},
          {std::string{managed_by_label}, std::string{managed_by_strait}}};
}

model::StringMap labels(const DeployRequest& request) {
  auto& meta = request.gateway.meta;
  auto out = selector(request);
  out.insert(
      {{std::string{gateway_class_label}, label_value(request.gateway.class_name)},
       {"component", "api-gateway"},
       {"gateway.consul.hashicorp.com/name", label_value(meta.name.name)},
       {"gateway.consul.hashicorp.com/namespace", meta.name.ns},
       {"gateway.consul.hashicorp.com/created", std::to_string(to_unix_seconds(meta.created))},
       {"gateway.consul.hashicorp.com/managed", "true"}});
  // What finds the objects again is not for users to change.
  out.insert(request.gateway.infrastructure.labels.begin(),
             request.gateway.infrastructure.labels.end());
  return out;
}

Node metadata(const DeployRequest& request, const std::string& suffix,
              const model::StringMap& more) {
  auto& meta = request.gateway.meta;
  MapWriter out, owner;
  out.put("name", model::deployed_name(meta.name) + suffix);
  out.put("namespace", meta.name.ns);
  out.put("labels", map_of(labels(request)));
  auto annotations = request.gateway.infrastructure.annotations;
  annotations.insert(more.begin(), more.end());
  out.put_unless_empty("annotations", annotations);
  owner.put("apiVersion", "gateway.networking.k8s.io/v1");
  owner.put("kind", "Gateway");
  owner.put("name", meta.name.name);
  owner.put("uid", meta.uid);
  owner.put("controller", true);
  out.put("ownerReferences", Node{Node::List{owner.take()}, {}});
  return out.take();
}

std::vector<ServedPort> ports(const DeployRequest& request) {
  auto all = request.ports;
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

std::string secret_name(const DeployRequest& request) {
  return model::deployed_name(request.gateway.meta.name) + "-feed";
}

} // namespace deployer

std::uint16_t container_port(std::uint16_t port, const model::GatewayClassConfig* config) {
  if (!config || port > privileged_port_max)
    return port;
  return static_cast<std::uint16_t>(port + config->map_privileged_container_ports);
}

Result<std::vector<Node>> desired_objects(const DeployRequest& request) {
  auto replicas = deployer::replicas_of(request.gateway, request.config);
  if (!replicas)
    return fail(replicas.error());
  auto probes = deployer::probes_of(request.gateway);
  if (!probes)
    return fail(probes.error());
  std::vector<Node> out;
  out.push_back(service_account(request));
  if (request.config && !request.config->openshift_scc_name.empty())
    add_constraint(out, request, request.config->openshift_scc_name);
  out.push_back(secret(request));
  out.push_back(workload(request, *probes, *replicas));
  bool exposed = !request.config || !request.config->service_type.empty();
  if (exposed && !request.ports.empty()) {
    auto& asked = request.gateway.meta.annotations;
    model::StringMap copied;
    std::vector<std::string> keys{"external-dns.alpha.kubernetes.io/hostname"};
    if (request.config && !request.config->copy_service_annotations.empty())
      keys = request.config->copy_service_annotations;
    for (auto& key : keys)
      if (auto it = asked.find(key); it != asked.end())
        copied.insert(*it);
    auto service = object("v1", "Service", deployer::metadata(request, "", copied));
    service.put("spec", deployer::service_spec(request));
    out.push_back(service.take());
  }
  bool everywhere = request.config && request.config->daemon_set;
  if (replicas->autoscale && !everywhere)
    out.push_back(autoscaler(request, *replicas->autoscale));
  if ((replicas->autoscale ? replicas->autoscale->min : replicas->count) > 1 && !everywhere)
    out.push_back(disruption_budget(request));
  return out;
}

} // namespace strait::kubernetes
