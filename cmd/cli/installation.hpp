#pragma once

#include "base/result.hpp"
#include "kubernetes/document.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What `strait install` puts on a cluster. Pure.
namespace strait::cli {

/// deploy/install/strait.yaml, and deploy/crds/*.yaml as one text, as they were when this was
/// built.
std::string_view embedded_manifest();
std::string_view embedded_crds();

struct InstallSettings {
  std::string ns = "strait";
  std::string version, image, gateway_image;
  std::string pull_policy = "IfNotPresent", datacenter = "dc1", log_level = "info";
  std::string service_type = "LoadBalancer", scc = "restricted-v2";
  std::uint64_t replicas = 1, metrics_port = 0, map_privileged_container_ports = 0;
  bool openshift = false;
  bool consul_class = false; ///< Also a class of Consul's controller name.
};

/// The objects in the order in which to make them. internal: the manifest is not as it must be.
Result<std::vector<kubernetes::Node>> installation(std::string_view manifest,
                                                   const InstallSettings& settings);
/// The namespace of an installation, marked as made by it.
kubernetes::Node namespace_document(const std::string& name);
/// Whether `strait install` made the object: by its label.
bool made_by_install(const kubernetes::Node& object);
/// The CRDs of Strait's and Consul's kinds.
Result<std::vector<kubernetes::Node>> custom_resource_definitions(std::string_view crds);

} // namespace strait::cli
