#pragma once

#include "kubernetes/deployer.hpp"
#include "kubernetes/encode_nodes.hpp"

/// The parts of deployer.cpp. Not for others.
namespace strait::kubernetes::deployer {

struct Replicas {
  std::int64_t count = 1;
  struct Autoscale {
    std::int64_t min = 1, max = 10, cpu_percent = 80;
  };
  std::optional<Autoscale> autoscale;
};
Result<Replicas> replicas_of(const model::Gateway& gateway,
                             const model::GatewayClassConfig* config);

struct Probes {
  std::optional<Node> liveness, startup;
  Node readiness;
};
Result<Probes> probes_of(const model::Gateway& gateway);

Node pod_template(const DeployRequest& request, const Probes& probes);
Node service_spec(const DeployRequest& request);

/// Name, namespace, labels, annotations and owner. `more` are annotations of this object alone.
Node metadata(const DeployRequest& request, const std::string& suffix,
              const model::StringMap& more = {});
model::StringMap labels(const DeployRequest& request);
model::StringMap selector(const DeployRequest& request);
/// Sorted, each once.
std::vector<ServedPort> ports(const DeployRequest& request);
std::string secret_name(const DeployRequest& request);

inline Node map_of(const model::StringMap& map) {
  MapWriter out;
  for (auto& [key, value] : map)
    out.put(key, value);
  return out.take();
}

} // namespace strait::kubernetes::deployer
