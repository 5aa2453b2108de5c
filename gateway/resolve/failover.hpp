#pragma once

#include "gateway/resolve/resolve.hpp"

namespace strait::gateway::resolve {

/// Who stands in for a service whose endpoints are all unfit: its ServiceResolver says.
///
/// What other datacenters ask for ("exported/NAME") has no stand-ins: two datacenters that stand in
/// for each other would send a request to and fro, and a peer would reach what it was not given.

/// The ids of the clusters that a service's targets in this datacenter have.
struct LocalIds {
  std::string before, after; ///< Around the service's name.
  bool tcp = true;           ///< False: a UDP port, for which no peer stands in.
};

/// Sets the cluster's failover. A resolver that is not accepted has none; a target that is not
/// there stays, as a cluster without endpoints. Cost: the resolver's own size.
void add_failover(const View& view, const model::Name& resolver, const LocalIds& ids,
                  Cluster& cluster, Topics& depends);

/// Accepted: false if any of it is not carried out; then none of it is. ResolvedRefs: false if a
/// target is not there; the others are used.
ResolvedPolicy resolve_failover(const View& view, const model::ServiceResolver& resolver);

} // namespace strait::gateway::resolve
