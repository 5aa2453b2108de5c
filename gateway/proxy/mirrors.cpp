#include "gateway/proxy/mirrors.hpp"

#include <algorithm>

namespace strait::gateway::proxy {

void Mirrors::send(const std::string& cluster, const ServedPtr& under, const std::string& bytes,
                   const Original& original) {
  auto* found = worker_.routing.cluster(cluster, *under);
  if (!found || active_.size() >= worker_.options.limits.mirrors_max)
    return abandon(1);
  if (spare_.empty())
    spare_.push_back(std::make_unique<SideRequest>(worker_, *this));
  auto& request = *active_.emplace_back(std::move(spare_.back()));
  spare_.pop_back();
  worker_.counters.add(Counter::mirrors_sent);
  request.start(*found, under, bytes,
                {.timeout = worker_.options.timeouts.mirror,
                 .answer_bytes_max = worker_.options.limits.mirror_answer_bytes_max,
                 .head = original.head,
                 .http2 = original.http2,
                 .resend = original.resend});
}

void Mirrors::on_side_request(SideRequest& request) {
  if (!request.failure().empty()) {
    worker_.counters.add(Counter::mirrors_failed);
    worker_.options.log.debug("mirror: {}", request.failure());
  }
  auto found = std::find_if(active_.begin(), active_.end(),
                            [&](const auto& active) { return active.get() == &request; });
  spare_.push_back(std::move(*found));
  *found = std::move(active_.back());
  active_.pop_back();
}

void Mirrors::cancel_all() {
  for (const auto& request : active_)
    request->cancel();
  active_.clear();
}

} // namespace strait::gateway::proxy
