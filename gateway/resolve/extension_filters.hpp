#pragma once

#include "gateway/resolve/route_references.hpp"

namespace strait::gateway::resolve {

/// A filter in an object of its own, of the route's namespace: RouteRetryFilter,
/// RouteTimeoutFilter or RouteAuthFilter (Consul). One that does not exist refuses the route
/// (FilterNotFound; JWTProviderNotFound for a provider that it names).
void apply_extension(RouteReferences& references, const model::ExtensionRef& ref,
                     const std::string& path, HttpRule& rule);

} // namespace strait::gateway::resolve
