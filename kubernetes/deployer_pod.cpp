#include "kubernetes/deployer_parts.hpp"

#include <algorithm>

/// The pods of a gateway and the Service in front of them.
namespace strait::kubernetes::deployer {

namespace {

constexpr const char* certificate_directory = "/etc/strait-gateway/feed";
constexpr const char* data_directory = "/var/lib/strait-gateway";
constexpr std::uint16_t metrics_port_default = 20'200; // Consul's.

std::string port_name(const ServedPort& port) {
  return fmt::format("{}-{}", port.udp ? "udp" : "tcp", port.port);
}
const char* protocol(const ServedPort& port) { return port.udp ? "UDP" : "TCP"; }

std::string log_level_of(const DeployRequest& request) {
  auto level = request.config && !request.config->log_level.empty() ? request.config->log_level
                                                                    : request.settings.log_level;
  return level == "debug" || level == "trace" ? "debug" : "info"; // What strait-gateway knows.
}

/// 0: the class asks for none.
std::uint16_t metrics_port_of(const DeployRequest& request) {
  auto* config = request.config;
  if (!config || !config->metrics_enabled.value_or(false))
    return 0;
  return config->metrics_port != 0 ? config->metrics_port : metrics_port_default;
}
std::string metrics_path_of(const DeployRequest& request) {
  return request.config->metrics_path.empty() ? "/metrics" : request.config->metrics_path;
}

Node arguments(const DeployRequest& request) {
  auto& name = request.gateway.meta.name;
  std::string certificates = certificate_directory;
  std::vector<std::string> all{"--gateway=" + to_string(name),
                               "--agent=" + request.settings.feed_address,
                               "--ca-file=" + certificates + "/ca.crt",
                               "--cert-file=" + certificates + "/tls.crt",
                               "--key-file=" + certificates + "/tls.key",
                               std::string{"--data-dir="} + data_directory,
                               "--ready-address=$(POD_IP)",
                               fmt::format("--ready-port={}", ready_port),
                               fmt::format("--shutdown-delay={}", shutdown_delay_seconds),
                               "--log-level=" + log_level_of(request)};
  if (auto port = metrics_port_of(request)) {
    all.push_back(fmt::format("--metrics-port={}", port));
    all.push_back("--metrics-path=" + metrics_path_of(request));
  }
  if (request.config && request.config->max_connections)
    all.push_back(fmt::format("--max-connections={}", *request.config->max_connections));
  return list_of(all);
}

Node container_ports(const DeployRequest& request) {
  Node::List all;
  for (auto& port : ports(request)) {
    MapWriter one;
    one.put("name", port_name(port));
    one.put("containerPort", std::int64_t{container_port(port.port, request.config)});
    if (request.config && request.config->host_ports)
      one.put("hostPort", std::int64_t{port.port});
    one.put("protocol", protocol(port));
    all.push_back(one.take());
  }
  MapWriter ready;
  ready.put("name", "ready");
  ready.put("containerPort", std::int64_t{ready_port});
  ready.put("protocol", "TCP");
  all.push_back(ready.take());
  if (auto port = metrics_port_of(request)) {
    MapWriter metrics;
    metrics.put("name", "metrics");
    metrics.put("containerPort", std::int64_t{port});
    metrics.put("protocol", "TCP");
    all.push_back(metrics.take());
  }
  return {std::move(all), {}};
}

/// Where Prometheus finds the metrics, by the annotations that its usual set-up goes by. What the
/// Gateway says of them counts more.
model::StringMap annotations(const DeployRequest& request) {
  auto out = request.gateway.infrastructure.annotations;
  if (auto port = metrics_port_of(request)) {
    out.emplace("prometheus.io/scrape", "true");
    out.emplace("prometheus.io/port", std::to_string(port));
    out.emplace("prometheus.io/path", metrics_path_of(request));
  }
  return out;
}

Node environment() {
  MapWriter field, from, variable;
  field.put("fieldPath", "status.podIP"); // Of the pod's own family of addresses.
  from.put("fieldRef", field.take());
  variable.put("name", "POD_IP");
  variable.put("valueFrom", from.take());
  return {Node::List{variable.take()}, {}};
}

Node mount(const char* name, const char* path, bool read_only) {
  MapWriter out;
  out.put("name", name);
  out.put("mountPath", path);
  if (read_only)
    out.put("readOnly", true);
  return out.take();
}

Node container_security() {
  MapWriter out, capabilities;
  out.put("allowPrivilegeEscalation", false);
  capabilities.put("drop", list_of({"ALL"}));
  out.put("capabilities", capabilities.take());
  out.put("readOnlyRootFilesystem", true);
  out.put("runAsNonRoot", true);
  return out.take();
}

/// A port below 1024 is bound by a sysctl of the pod's own network namespace: the restricted pod
/// security standard allows it, while the capability NET_BIND_SERVICE would need the right to gain
/// privileges, because the process is not root.
Node pod_security(const DeployRequest& request) {
  MapWriter out, seccomp;
  out.put("runAsNonRoot", true);
  seccomp.put("type", "RuntimeDefault");
  out.put("seccompProfile", seccomp.take());
  auto all = ports(request);
  bool privileged = std::any_of(all.begin(), all.end(), [&](auto& port) {
    return container_port(port.port, request.config) < privileged_port_max;
  });
  if (privileged) {
    MapWriter start;
    start.put("name", "net.ipv4.ip_unprivileged_port_start");
    start.put("value", "0");
    out.put("sysctls", Node{Node::List{start.take()}, {}});
  }
  return out.take();
}

Node resources(const model::GatewayClassConfig& config) {
  MapWriter out;
  out.put_unless_empty("requests", config.resource_requests);
  out.put_unless_empty("limits", config.resource_limits);
  return out.take();
}

Node container(const DeployRequest& request, const Probes& probes) {
  auto* config = request.config;
  MapWriter out;
  out.put("name", "strait-gateway");
  out.put("image", config && !config->image.empty() ? config->image : request.settings.image);
  out.put("imagePullPolicy", request.settings.image_pull_policy);
  out.put("args", arguments(request));
  out.put("env", environment());
  out.put("ports", container_ports(request));
  if (probes.liveness)
    out.put("livenessProbe", *probes.liveness);
  out.put("readinessProbe", probes.readiness);
  if (probes.startup)
    out.put("startupProbe", *probes.startup);
  if (config) // Nothing is asked for unless the class does (specification B14).
    out.put_unless_empty("resources", resources(*config));
  out.put("securityContext", container_security());
  out.put("volumeMounts", Node{Node::List{mount("feed-certificate", certificate_directory, true),
                                          mount("data", data_directory, false)},
                               {}});
  return out.take();
}

Node volumes(const DeployRequest& request) {
  MapWriter secret, certificate, data;
  secret.put("secretName", secret_name(request));
  certificate.put("name", "feed-certificate");
  certificate.put("secret", secret.take());
  data.put("name", "data");
  data.put("emptyDir", MapWriter{}.take());
  return {Node::List{certificate.take(), data.take()}, {}};
}

Node tolerations(const std::vector<model::Toleration>& all) {
  return list_of(all, [](auto& it) {
    MapWriter out;
    out.put_unless_empty("key", it.key);
    out.put_unless_empty("operator", it.op);
    out.put_unless_empty("value", it.value);
    out.put_unless_empty("effect", it.effect);
    if (it.seconds)
      out.put("tolerationSeconds", *it.seconds);
    return out.take();
  });
}

} // namespace

Node pod_template(const DeployRequest& request, const Probes& probes) {
  MapWriter meta, spec, out;
  meta.put("labels", map_of(labels(request)));
  meta.put_unless_empty("annotations", annotations(request));
  spec.put("serviceAccountName", model::deployed_name(request.gateway.meta.name));
  spec.put("automountServiceAccountToken", false);
  spec.put("enableServiceLinks", false);
  spec.put_unless_empty("imagePullSecrets",
                        list_of(request.settings.image_pull_secrets, [](auto& name) {
                          return map_of({{"name", name}});
                        }));
  spec.put("terminationGracePeriodSeconds", termination_grace_seconds);
  spec.put("securityContext", pod_security(request));
  if (request.config) {
    spec.put_unless_empty("nodeSelector", request.config->node_selector);
    spec.put_unless_empty("tolerations", tolerations(request.config->tolerations));
  }
  spec.put("containers", Node{Node::List{container(request, probes)}, {}});
  spec.put("volumes", volumes(request));
  out.put("metadata", meta.take());
  out.put("spec", spec.take());
  return out.take();
}

Node service_spec(const DeployRequest& request) {
  std::string type = request.config ? request.config->service_type : "LoadBalancer";
  MapWriter out;
  out.put("type", type);
  std::vector<std::string> addresses;
  for (auto& address : request.gateway.addresses)
    if (address.type == "IPAddress" && !address.value.empty())
      addresses.push_back(address.value);
  // A balancer is asked for one address; whether it gave what was asked for, status tells.
  if (type == "LoadBalancer" && !addresses.empty())
    out.put("loadBalancerIP", addresses.front());
  else
    out.put_unless_empty("externalIPs", list_of(addresses));
  out.put("selector", map_of(selector(request)));
  out.put("ports", list_of(ports(request), [&](auto& port) {
            MapWriter one;
            one.put("name", port_name(port));
            one.put("protocol", protocol(port));
            one.put("port", std::int64_t{port.port});
            one.put("targetPort", std::int64_t{container_port(port.port, request.config)});
            return one.take();
          }));
  return out.take();
}

} // namespace strait::kubernetes::deployer
