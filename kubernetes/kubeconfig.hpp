#pragma once

#include "base/result.hpp"
#include "kubernetes/client_config.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace strait::kubernetes {

inline constexpr std::size_t kubeconfig_bytes_max = 1U << 20U;

/// One context of a kubeconfig (client-go's format, v1). An empty context is its current-context.
/// File names in it are relative to `directory`. invalid or not_found: names file, entry and field.
/// Credential plugins (exec, auth-provider) and user names with passwords are refused by name:
/// Strait starts no programs. Pure.
Result<ClientConfig> parse_kubeconfig(std::string_view text, std::string_view source,
                                      std::string_view context,
                                      const std::filesystem::path& directory);

/// The file's; several files in one KUBECONFIG (parted by ':') are refused.
Result<ClientConfig> load_kubeconfig(const std::filesystem::path& file, std::string_view context);

/// What a pod is given: KUBERNETES_SERVICE_HOST and _PORT, and its service account's files.
struct InCluster {
  std::function<std::string(const char*)> environment; ///< "" for what is not set.
  std::filesystem::path service_account = "/var/run/secrets/kubernetes.io/serviceaccount";
};
/// not_found: this process does not run in a pod, and what is missing.
Result<ClientConfig> in_cluster_config(const InCluster& pod);

} // namespace strait::kubernetes
