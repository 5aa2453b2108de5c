#pragma once

#include "gateway/resolve/plan.hpp"

#include <functional>

namespace strait::gateway::resolve {

/// A gateway is an ancestor of the BackendTLSPolicies of the Services that its routes reach, and
/// says how they fare (GEP-713).

/// The gateway's clusters whose ids begin so.
using ClustersWith = std::function<std::vector<std::string>(const std::string& prefix)>;

/// What the gateway says of one policy; nothing if it reaches none of its targets. `depends` gets
/// what was looked at, besides the policies themselves.
std::vector<model::ParentStatus> ancestor_status(const View& view, const GatewayPlan& plan,
                                                 const model::BackendTlsPolicy& policy,
                                                 const ClustersWith& clusters, Topics& depends);

/// "service/NS/NAME/": what the ids of a Service's clusters begin with.
std::string cluster_prefix(const model::Name& service);
/// The Service of a cluster's id; nothing if it is of another kind.
std::optional<model::Name> service_of_cluster(const std::string& id);

} // namespace strait::gateway::resolve
