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
  update(cluster, *found, *config);
  return &cluster;
}

void Routing::update(UpstreamCluster& cluster, const std::shared_ptr<const Cluster>& wanted,
                     const Config& config) {
  cluster.update(wanted, upstream_certificate(*wanted, config.certificates));
}

/// What `choose` finds in the first cluster, from this place on, where it finds anything.
template <class F>
Pick Routing::first_stand_in(const UpstreamCluster& cluster, const Served& under, unsigned from,
                             F choose) {
  const auto config = cluster.cluster(); // It may be another one after a look-up.
  const auto count = std::min(config->failover.size(), failover_max);
  for (unsigned place = std::max(from, 1U); place <= count; ++place) {
    const auto& id = config->failover[place - 1];
    auto* stand_in = id == cluster.id() ? nullptr : this->cluster(id, under);
    if (!stand_in || stand_in->cluster()->refused)
      continue;
    if (auto* endpoint = choose(*stand_in)) {
      environment_.counters.add(Counter::failovers);
      return {endpoint, place};
    }
  }
  return {};
}

Pick Routing::pick(UpstreamCluster& cluster, const Served& under, const UpstreamEndpoint* avoid,
                   unsigned passed_over) {
  const auto fit = [avoid](UpstreamCluster& from) { return from.pick(avoid); };
  const auto any = [avoid](UpstreamCluster& from) { return from.pick_any(avoid); };
  if (passed_over == 0)
    if (auto* endpoint = fit(cluster))
      return {endpoint, 0};
  const auto stand_in = first_stand_in(cluster, under, passed_over, fit);
  if (stand_in.endpoint || passed_over > 0)
    return stand_in;
  if (auto* endpoint = any(cluster))
    return {endpoint, 0};
  return first_stand_in(cluster, under, 1, any);
}

bool Routing::has_endpoint(UpstreamCluster& cluster, const Served& under) {
  if (cluster.endpoints() > 0)
    return true;
  const auto config = cluster.cluster();
  return std::any_of(config->failover.begin(), config->failover.end(), [&](const auto& id) {
    auto* stand_in = this->cluster(id, under);
    return stand_in && !stand_in->cluster()->refused && stand_in->endpoints() > 0;
  });
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
    const auto& config = served_->snapshot->config;
    if (const auto* wanted = config.clusters.find(cluster.id())) {
      update(cluster, *wanted, config);
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
