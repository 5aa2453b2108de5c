#pragma once

#include "api/router.hpp"
#include "peering/wire.hpp"

namespace strait::api {

/// peering/* and peerings, by the same frontend as gRPC. Null: peering is switched off, and every
/// endpoint says so.
void add_peering_endpoints(Router& router, std::shared_ptr<peering::PeeringHandler> handler);

} // namespace strait::api
