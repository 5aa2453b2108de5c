#pragma once

#include "gateway/proxy/counters.hpp"

#include <string>

namespace strait::gateway::proxy {

/// The counters as Prometheus reads them (text exposition format 0.0.4): strait_gateway_NAME_total,
/// and by listener and cluster, of which there are as many series as names are counted
/// (ProxyLimits::named_counters_max): nothing grows with routes.
std::string metrics_text(const Counters& counters);

} // namespace strait::gateway::proxy
