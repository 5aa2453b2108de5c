#pragma once

#include "base/result.hpp"
#include "catalog/model/gateway.hpp"
#include "gateway/snapshot/config.hpp"

namespace strait::gateway::resolve {

/// Version and cipher limits of a listener (specification B5), by Consul's option keys
/// (api-gateway.consul.hashicorp.com/tls_min_version, …) or strait.dev's. Errors name the option.
Result<TlsSettings> tls_settings(const model::StringMap& options);

} // namespace strait::gateway::resolve
