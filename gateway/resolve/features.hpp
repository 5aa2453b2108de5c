#pragma once

#include <string>
#include <vector>

namespace strait::gateway::resolve {

/// The features of Gateway API v1.6 that Strait has, as GatewayClass.status.supportedFeatures names
/// them; sorted. What the conformance suite relies on: only what works.
const std::vector<std::string>& supported_features();

} // namespace strait::gateway::resolve
