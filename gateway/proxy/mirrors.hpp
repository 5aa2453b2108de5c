#pragma once

#include "gateway/proxy/side_request.hpp"

#include <memory>
#include <string>
#include <vector>

namespace strait::gateway::proxy {

/// The copies of requests under way to mirrors, apart from the requests themselves: they neither
/// wait for a mirror nor fail with it. Up to ProxyLimits::mirrors_max; more are abandoned. One
/// worker's thread.
class Mirrors final : public SideRequest::User {
public:
  explicit Mirrors(WorkerContext& worker) : worker_{worker} {}

  /// What a copy is of; see SideRequest::Options.
  struct Original {
    bool head = false, resend = false, http2 = false;
  };
  /// Sends a copy, a head and its body, to one endpoint of the cluster, if the cluster is known.
  void send(const std::string& cluster, const ServedPtr& under, const std::string& bytes,
            const Original& original);
  /// So many that were drawn are not sent.
  void abandon(std::size_t count) { worker_.counters.add(Counter::mirrors_abandoned, count); }
  std::size_t under_way() const { return active_.size(); }
  void cancel_all();

private:
  void on_side_request(SideRequest& request) override;

  WorkerContext& worker_;
  std::vector<std::unique_ptr<SideRequest>> active_, spare_;
};

} // namespace strait::gateway::proxy
