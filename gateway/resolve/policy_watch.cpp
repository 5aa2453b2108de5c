#include "gateway/resolve/policy_watch.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

namespace {

using model::BackendTlsPolicy;
using model::Kind;
using model::Name;

} // namespace

void PolicyWatch::use_changed(const std::string& cluster) {
  if (auto service = service_of_cluster(cluster))
    services_.insert(*service);
}

void PolicyWatch::view_changed(const View& from, const View& to) {
  for (auto kind : {Kind::backend_tls_policy, Kind::config_map, Kind::service, Kind::gateway,
                    Kind::gateway_class, Kind::reference_grant})
    all_ |= from.kind_revision(kind) != to.kind_revision(kind);
}

std::map<model::ObjectKey, std::vector<model::ParentStatus>>
PolicyWatch::take(const View& view, const GatewayPlan& plan, const ClustersWith& clusters) {
  std::map<model::ObjectKey, std::vector<model::ParentStatus>> changed;
  auto look = [&](const Name& name, const BackendTlsPolicy* policy) {
    model::ObjectKey key{Kind::backend_tls_policy, name};
    Said now;
    if (policy)
      now.ancestors = ancestor_status(view, plan, *policy, clusters, now.depends);
    auto before = said_.find(key);
    bool same =
        before == said_.end() ? now.ancestors.empty() : before->second.ancestors == now.ancestors;
    if (!same)
      changed[key] = now.ancestors;
    if (now.ancestors.empty() && now.depends.empty())
      said_.erase(key);
    else
      said_[key] = std::move(now);
  };
  auto& policies = view.table<BackendTlsPolicy>();
  if (std::exchange(all_, false)) {
    std::vector<Name> gone;
    for (auto& [key, before] : said_)
      if (!policies.contains(key.name))
        gone.push_back(key.name);
    for (auto& name : gone)
      look(name, nullptr);
    for (auto& [name, record] : policies)
      look(name, &record->value);
  } else {
    for (auto& service : services_)
      for (auto it = policies.lower_bound(Name{service.ns, ""});
           it != policies.end() && it->first.ns == service.ns; ++it) {
        auto& targets = it->second->value.targets;
        if (std::any_of(targets.begin(), targets.end(),
                        [&](auto& target) { return target.name == service.name; }))
          look(it->first, &it->second->value);
      }
  }
  services_.clear();
  return changed;
}

void PolicyWatch::add_topics(Topics& topics) const {
  topics.insert({Kind::backend_tls_policy, {}});
  for (auto& [key, said] : said_)
    topics.insert(said.depends.begin(), said.depends.end());
}

} // namespace strait::gateway::resolve
