#pragma once

#include "actors/messages.hpp"
#include "api/metrics.hpp"
#include "api/router.hpp"

namespace strait::api {

/// What endpoints about gateways and metrics need beside the view.
struct GatewaySources {
  actors::RootActor root; ///< Null: there are no reports.
  std::chrono::milliseconds wait_max{2'000};
  std::shared_ptr<Metrics> metrics;
  /// "host:port" of the replica that feeds gateways, if that is another one; else empty.
  std::function<std::string()> feed_elsewhere;
};

/// GET /strait/v1/gateways[/NAMESPACE/NAME], /metrics and /v1/agent/metrics.
void add_gateway_endpoints(Router& router, GatewaySources sources);

} // namespace strait::api
