#pragma once

#include "catalog/model/gateway.hpp"
#include "kubernetes/document.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What Kubernetes is to run for a Gateway: its pods, the Service in front of them and what these
/// need. Pure: any thread may call.
namespace strait::kubernetes {

/// Labels by which the objects of all gateways, and of one, are found again.
inline constexpr std::string_view managed_by_label = "app.kubernetes.io/managed-by";
inline constexpr std::string_view managed_by_strait = "strait";
using model::gateway_name_label;
inline constexpr std::string_view gateway_class_label =
    "gateway.networking.k8s.io/gateway-class-name";

inline constexpr std::uint16_t ready_port = 20'000;
/// A pod that is told to end serves on for so long, until no node sends it connections any more …
inline constexpr std::int64_t shutdown_delay_seconds = 5;
/// … and is killed after so long: the delay, the proxy's own draining, and room.
inline constexpr std::int64_t termination_grace_seconds = 30;
/// Of a pod. Ports below are the kernel's to give.
inline constexpr std::uint16_t privileged_port_max = 1024;

/// A kind of which objects run for gateways.
struct DeployedKind {
  const char *api_version, *kind;
  /// Made only where an OpenShift security context constraint is asked for; elsewhere the
  /// controller need not be allowed to list them.
  bool constraint = false;
};
/// All that desired_objects() makes, in its order; removed in the opposite one.
inline constexpr DeployedKind deployed_kinds[] = {
    {"v1", "ServiceAccount"},
    {"rbac.authorization.k8s.io/v1", "Role", true},
    {"rbac.authorization.k8s.io/v1", "RoleBinding", true},
    {"v1", "Secret"},
    {"apps/v1", "Deployment"},
    {"apps/v1", "DaemonSet"},
    {"v1", "Service"},
    {"autoscaling/v2", "HorizontalPodAutoscaler"},
    {"policy/v1", "PodDisruptionBudget"},
};

/// What is the same for every gateway of a controller.
struct DeployerSettings {
  std::string image; ///< Of strait-gateway; GatewayClassConfig may name another.
  std::string image_pull_policy = "IfNotPresent";
  std::vector<std::string> image_pull_secrets;
  std::string feed_address; ///< host:port that a pod reaches the agent's feed at.
  std::string log_level = "info";
  friend bool operator==(const DeployerSettings&, const DeployerSettings&) = default;
};

/// One port that clients use, of a listener of the Gateway or of its ListenerSets.
struct ServedPort {
  std::uint16_t port = 0;
  bool udp = false;
  friend auto operator<=>(const ServedPort&, const ServedPort&) = default;
  friend bool operator==(const ServedPort&, const ServedPort&) = default;
};

/// What a gateway's process shows to the agent.
struct FeedCertificate {
  std::string roots_pem, chain_pem, key_pem;
  friend bool operator==(const FeedCertificate&, const FeedCertificate&) = default;
};

struct DeployRequest {
  const model::Gateway& gateway;
  const model::GatewayClassConfig* config = nullptr; ///< Null: the class names none.
  std::vector<ServedPort> ports;                     ///< In any order; the same one twice is one.
  FeedCertificate certificate;
  const DeployerSettings& settings;
};

/// The objects, each with its owner reference to the Gateway, in the order in which to make them,
/// that of deployed_kinds: either a Deployment or a DaemonSet, a Service if there is a service type
/// and something to listen on.
///
/// invalid: an annotation of the Gateway is not what it must be; the text names it.
Result<std::vector<Node>> desired_objects(const DeployRequest& request);

/// The port inside the pod (specification B3).
std::uint16_t container_port(std::uint16_t port, const model::GatewayClassConfig* config);

} // namespace strait::kubernetes
