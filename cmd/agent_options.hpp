#pragma once

#include "base/log.hpp"
#include "kubernetes/catalog_sync.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace strait::cmd {

/// Where the gateways of an agent run.
enum class ProxyPlace : std::uint8_t {
  in_process, ///< On worker threads of the agent.
  external,   ///< In strait-gateway processes that connect to the agent's gRPC port.
};

enum class AccessLog : std::uint8_t { off, text, json };

inline constexpr const char* in_cluster = "in-cluster";
/// Which Kubernetes an agent mirrors.
struct KubernetesOptions {
  std::string where;           ///< A kubeconfig file, or in_cluster.
  std::string context;         ///< Of the kubeconfig; empty: its current one.
  std::string lease_namespace; ///< Empty: the context's, or the pod's own.
  bool all_secrets = false;    ///< Mirror all Secrets and ConfigMaps, not only those referred to.
  kubernetes::CatalogSyncOptions sync{}; ///< Services into the catalog of services.
};

/// What `strait agent` was asked for, checked as far as text alone can be (cli/command_agent.cpp).
struct AgentOptions {
  std::string datacenter = "dc1";
  std::string node_name; ///< Never empty: this machine's name where none was given.
  /// Where the catalog is stored; nothing: in memory, gone with the process.
  std::optional<std::filesystem::path> data_dir = "strait-data";
  std::string bind = "127.0.0.1"; ///< An IP address; of every listener of the control plane.
  std::uint16_t http_port = 8500;
  std::uint16_t grpc_port = 8502;     ///< 0: none.
  std::uint16_t grpc_tls_port = 8503; ///< 0: none. The port of peers.
  std::uint16_t feed_port = 0;        ///< Of gateways' processes, mutual TLS; 0: none.
  bool insecure_feed = false;         ///< Also on grpc_port, from other machines.
  /// Of the ports that are for others and know them by TLS: feed_port, grpc_tls_port, and of
  /// metrics_port; an IP address.
  std::string tls_bind = "127.0.0.1";
  std::uint16_t metrics_port = 0; ///< GET /metrics in the clear, and nothing else; 0: none.
  /// On Kubernetes: gateways' pods are made by this agent, of this image; empty: they are not.
  std::string gateway_image;
  std::string gateway_image_pull_policy = "IfNotPresent";
  std::vector<std::string> gateway_image_pull_secrets;
  /// Secret in the agent's namespace that the certificate authority is kept in; empty: it is kept
  /// beside the rest.
  std::string authority_secret;
  std::string feed_address;                     ///< host:port that those pods reach feed_port at.
  std::string advertise;                        ///< What others reach this agent at; empty: bind.
  std::vector<std::filesystem::path> manifests; ///< Directories to watch; they exist.
  ProxyPlace proxy = ProxyPlace::in_process;
  unsigned workers = std::max(1u, std::thread::hardware_concurrency()); ///< Of each proxy.
  std::string ready_address = "127.0.0.1"; ///< Of GET /ready; an IP address.
  std::uint16_t ready_port = 20000;        ///< 0: none.
  AccessLog access_log = AccessLog::off;
  LogLevel log_level = LogLevel::info;
  std::optional<KubernetesOptions> kubernetes{};
};

} // namespace strait::cmd
