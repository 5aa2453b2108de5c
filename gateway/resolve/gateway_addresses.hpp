#pragma once

#include "gateway/resolve/resolve.hpp"

namespace strait::gateway::resolve {

/// Where clients reach a Gateway, and what is wrong with what spec.addresses asks for.
struct GatewayAddresses {
  std::optional<Problem> unsupported; ///< A type that no gateway can have: not accepted.
  std::optional<Problem> missing;     ///< None yet, or one that was asked for: not programmed.
  std::vector<std::string> assigned;  ///< status.addresses
  std::string bind;                   ///< What listeners bind to; empty: as the process is told.
};
/// Of a Gateway's status (Gateway API); further ones are left out.
inline constexpr std::size_t addresses_max = 16;

/// In Kubernetes the addresses are those of the Service that the Gateway is deployed with
/// (model::deployed_name): of its balancer, or its cluster IP. Where its GatewayClassConfig says
/// NodePort they are those of the nodes that its pods run on; where that names no type there is no
/// Service, and they are the pods' own. Elsewhere the one that the process binds, or that the
/// Gateway asks for.
GatewayAddresses addresses_of(const View& view, const model::Gateway& gateway,
                              const Settings& settings, Topics& depends);

} // namespace strait::gateway::resolve
