#include "gateway/proxy/routing.hpp"

#include <algorithm>

namespace strait::gateway::proxy {

namespace {
constexpr std::size_t sweep_max = 256; ///< Clusters looked at by one sweep.
} // namespace

Routing::Rule& Routing::rule(std::uint64_t id, std::size_t backends) {
  auto found = rules_.find(id);
  if (found == rules_.end()) {
    if (rules_.size() >= environment_.options.limits.rule_states_max) {
      // Those that were not used since the last time go; if all were, all go. Their turns start
      // anew.
      std::erase_if(rules_,
                    [](const auto& entry) { return !std::exchange(entry.second.used, false); });
      if (rules_.size() >= environment_.options.limits.rule_states_max)
        rules_.clear();
    }
    found = rules_.try_emplace(id).first;
  }
  auto& state = found->second;
  if (state.turns.size() != backends) {
    state.turns.reset(backends);
    state.clusters.assign(backends, nullptr);
  }
  state.used = true;
  return state;
}

Choice Routing::choose(std::uint64_t rule_id, const std::vector<Backend>& backends,
                       const Served& under) {
  if (backends.empty())
    return {nullptr, nullptr, 500};
  auto& state = rule(rule_id, backends.size());
  const auto index = state.turns.pick([&](std::size_t i) { return backends[i].weight; });
  if (index == SmoothWeights::none)
    return {nullptr, nullptr, 500};
  const auto& backend = backends[index];
  if (backend.cluster.empty())
    return {&backend, nullptr, backend.refusal ? backend.refusal : 500};
  const auto* current = served_->snapshot.get();
  if (state.current != current || state.epoch != current->epoch() ||
      state.under != under.snapshot.get() || state.sweeps != sweeps_) {
    std::fill(state.clusters.begin(), state.clusters.end(), nullptr);
    state.current = current;
    state.epoch = current->epoch();
    state.under = under.snapshot.get();
    state.sweeps = sweeps_;
  }
  auto*& known = state.clusters[index];
  if (!known)
    known = cluster(backend.cluster, under);
  return {&backend, known, known ? 0 : 500};
}

UpstreamCluster* Routing::cluster(const std::string& id, const Served& under) {
  const auto* config = &served_->snapshot->config;
  const auto* found = config->clusters.find(id);
  if (!found) {
    config = &under.snapshot->config;
    found = config->clusters.find(id);
    if (!found)
      return nullptr;
  }
  auto [entry, added] = by_id_.try_emplace(id, clusters_.size());
  if (added)
    clusters_.push_back(std::make_unique<UpstreamCluster>(environment_, id));
  auto& cluster = *clusters_[entry->second];
  cluster.update(*found, upstream_certificate(**found, config->certificates));
  return &cluster;
}

void Routing::sweep() {
  if (!served_)
    return;
  for (std::size_t step = 0; step < sweep_max && !clusters_.empty(); ++step) {
    if (swept_ >= clusters_.size()) {
      swept_ = 0;
      return;
    }
    auto& cluster = *clusters_[swept_];
    if (served_->snapshot->config.clusters.contains(cluster.id())) {
      ++swept_;
      continue;
    }
    cluster.close_idle();
    if (!cluster.quiet()) {
      ++swept_;
      continue;
    }
    by_id_.erase(cluster.id());
    if (swept_ + 1 != clusters_.size()) {
      std::swap(clusters_[swept_], clusters_.back());
      by_id_[clusters_[swept_]->id()] = swept_;
    }
    clusters_.pop_back();
    ++sweeps_;
  }
}

void Routing::close_idle() {
  for (const auto& cluster : clusters_)
    cluster->close_idle();
}

} // namespace strait::gateway::proxy
