#pragma once

#include "actors/proxy_actor.hpp"
#include "gateway/proxy/proxy.hpp"

namespace strait::actors {

/// A Dataplane of real worker threads. One Proxy per gateway, each with the options given. The
/// readiness port is the process': it answers 200 once there is a gateway and all of them serve.
MakeDataplane make_proxies(gateway::proxy::ProxyOptions options);

/// How long a data plane that is given up lets requests under way end.
inline constexpr Millis drain_max{5'000};

} // namespace strait::actors
