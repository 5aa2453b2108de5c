#pragma once

#include "gateway/proxy/served.hpp"
#include "gateway/proxy/upstream.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace strait::gateway::proxy {

/// Where one request of a rule goes.
struct Choice {
  const Backend* backend = nullptr; ///< Null: nothing to choose from, answer 500.
  UpstreamCluster* cluster = nullptr;
  int refusal = 0; ///< The status to answer with, when there is no cluster.
};

/// Where an attempt is made.
struct Pick {
  UpstreamEndpoint* endpoint = nullptr;
  unsigned place = 0; ///< Of its cluster: 0 is the request's own, 1 the first that stands in, …
};

/// What one worker remembers over all snapshots: its clusters, and whose turn it is among the
/// backends of each rule. One thread.
class Routing {
public:
  explicit Routing(UpstreamEnvironment& environment) : environment_{environment} {}

  /// The snapshot from which clusters are taken from now on.
  void serve(ServedPtr served) { served_ = std::move(served); }

  /// The next backend of a rule, exact by weight over time. `rule_id` names the rule's content;
  /// `under` is the snapshot of the request, for clusters that the current one has no more.
  Choice choose(std::uint64_t rule_id, const std::vector<Backend>& backends, const Served& under);

  /// The cluster, as the current snapshot has it, or `under` if that has it no more. Null: unknown
  /// to both.
  UpstreamCluster* cluster(const std::string& id, const Served& under);

  /// An endpoint of the cluster that is fit for use; else of the first cluster of its `failover`
  /// that has one; else any of theirs, ejected or not. Never `avoid`. The first `passed_over`
  /// clusters are left out, and then ejected endpoints too. Costs a look-up for each cluster
  /// without an endpoint that is fit for use.
  Pick pick(UpstreamCluster& cluster, const Served& under, const UpstreamEndpoint* avoid = nullptr,
            unsigned passed_over = 0);
  /// Whether such a pick would find one.
  bool has_endpoint(UpstreamCluster& cluster, const Served& under);

  /// Forgets some of the clusters that no snapshot names, and tells others how the snapshot has
  /// them now, so that connections to endpoints that left do not stay; called now and then, bounded
  /// in cost.
  void sweep();
  void close_idle();
  std::size_t clusters() const { return clusters_.size(); }
  std::size_t rules() const { return rules_.size(); }

private:
  struct Rule {
    SmoothWeights turns;
    std::vector<UpstreamCluster*> clusters; // By backend; of the snapshot below.
    const Snapshot* under = nullptr;
    const Snapshot* current = nullptr;
    std::uint64_t sweeps = 0;
    std::uint64_t epoch = 0;
    mutable bool used = false; // Since the last time that room was made.
  };
  Rule& rule(std::uint64_t id, std::size_t backends);
  template <class F>
  Pick first_stand_in(const UpstreamCluster& cluster, const Served& under, unsigned from, F choose);
  void update(UpstreamCluster& cluster, const std::shared_ptr<const Cluster>& wanted,
              const Config& config);

  UpstreamEnvironment& environment_;
  ServedPtr served_;
  std::unordered_map<std::uint64_t, Rule> rules_;
  std::vector<std::unique_ptr<UpstreamCluster>> clusters_;
  std::unordered_map<std::string, std::size_t> by_id_;
  std::size_t swept_ = 0;
  std::uint64_t sweeps_ = 0; // Grows whenever a cluster was forgotten: caches are void then.
};

} // namespace strait::gateway::proxy
