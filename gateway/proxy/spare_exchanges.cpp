#include "gateway/proxy/spare_exchanges.hpp"

namespace strait::gateway::proxy {

std::unique_ptr<Exchange> take_exchange(WorkerContext& worker) {
  auto& spare = worker.spare_exchanges;
  if (spare.empty())
    return std::make_unique<Exchange>(worker);
  auto exchange = std::move(spare.back());
  spare.pop_back();
  return exchange;
}

void return_exchange(WorkerContext& worker, std::unique_ptr<Exchange> exchange) {
  constexpr std::size_t spare_max = 256; ///< Kept by a worker.
  exchange->reset();
  if (worker.spare_exchanges.size() < spare_max)
    worker.spare_exchanges.push_back(std::move(exchange));
}

} // namespace strait::gateway::proxy
