#pragma once

#include "gateway/proxy/exchange.hpp"

#include <memory>

namespace strait::gateway::proxy {

/// An exchange for the next request: one that a worker kept, or a new one.
std::unique_ptr<Exchange> take_exchange(WorkerContext& worker);
/// Resets it and keeps it, if there are not too many.
void return_exchange(WorkerContext& worker, std::unique_ptr<Exchange> exchange);

} // namespace strait::gateway::proxy
