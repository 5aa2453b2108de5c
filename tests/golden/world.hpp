#pragma once

#include "catalog/catalog.hpp"
#include "gateway/resolve/resolve.hpp"

#include <string>

namespace strait::golden {

/// What one input file describes. Its documents are manifests; what is no manifest stands in lines
/// that begin with "#! ", for YAML a comment:
///
///   #! service NAME ADDRESS:PORT HEALTH          an instance in this datacenter's catalog
///   #! authority                                 this datacenter's certificate authority
///   #! peering PEER                              a peering, and the trust bundle of its peer
///   #! imported PEER SERVICE ADDRESS:PORT        a service of the peer, behind its gateway
///   #! identity                                  gateways have certificates of their own
///   #! kubernetes                                gateways are deployed as pods
///
/// The GatewayClass "edge" exists, of the controller asked for, unless the file has its own, which
/// may name that controller by "either/controller".
/// In Secrets, CERTIFICATE and KEY stand for a pair that belongs together; in ConfigMaps
/// CERTIFICATE for an authority's.
struct World {
  catalog::ViewPtr view;
  std::vector<std::shared_ptr<const gateway::Certificate>> identities;
  bool kubernetes = false;
};

/// An error names the file's line or document.
Result<World> read_world(const std::string& text, std::string_view controller);

} // namespace strait::golden
