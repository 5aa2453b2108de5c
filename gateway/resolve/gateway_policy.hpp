#pragma once

#include "gateway/resolve/plan.hpp"

namespace strait::gateway::resolve {

/// What the GatewayPolicies (Consul) ask of requests to one listener of a Gateway. Of several for
/// one listener the oldest counts, then by namespace and name. A provider that does not exist lets
/// no token pass.
ListenerJwt jwt_of_listener(const View& view, const model::Name& gateway,
                            const std::string& listener, Topics& depends);

} // namespace strait::gateway::resolve
