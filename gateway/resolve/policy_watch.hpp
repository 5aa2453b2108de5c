#pragma once

#include "gateway/resolve/policy_ancestors.hpp"

namespace strait::gateway::resolve {

/// What one gateway says of BackendTLSPolicies, as its clusters and the policies come and go. Told
/// which clusters it begins or ceases to use, and of new views; answers what changed. A cluster's
/// change costs what the policies of its Service's namespace cost.
class PolicyWatch {
public:
  void use_changed(const std::string& cluster);
  void view_changed(const View& from, const View& to);
  /// Of each policy whose status changed since the last take; empty: nothing (more) to say of it.
  std::map<model::ObjectKey, std::vector<model::ParentStatus>>
  take(const View& view, const GatewayPlan& plan, const ClustersWith& clusters);
  /// What the statuses were made from.
  void add_topics(Topics& topics) const;

private:
  struct Said {
    std::vector<model::ParentStatus> ancestors;
    Topics depends;
  };
  std::map<model::ObjectKey, Said> said_;
  std::set<model::Name> services_; ///< Whose use changed since the last take.
  bool all_ = true;                ///< Any policy may have changed.
};

} // namespace strait::gateway::resolve
