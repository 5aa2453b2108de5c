#include "gateway/resolve/bind.hpp"
#include "gateway/resolve/drafts.hpp"
#include "gateway/resolve/policy_watch.hpp"
#include "gateway/resolve/shadowed.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

namespace {

/// One route that names the gateway.
struct RouteEntry {
  ResolvedRoutePtr resolved;
  ResolvedRoutePtr last_good;                 ///< For KeepLastGood.
  ResolvedRoutePtr content;                   ///< Whose content is served.
  std::set<std::string> served;               ///< Binding keys.
  std::set<std::size_t> attached;             ///< Listeners that count it.
  std::set<std::string> clusters;             ///< That what is served uses.
  std::set<std::string> wanted;               ///< That the newest answer will use.
  std::vector<model::ParentStatus> parents;   ///< As told.
  std::vector<model::ParentStatus> bound;     ///< The same, but for what other routes hide of it.
  std::vector<std::set<std::size_t>> serving; ///< Of each parent: its listeners.
};

/// All of it that is served or decides whether it may be.
bool same_kept(const ResolvedRoute& a, const ResolvedRoute& b) {
  return a.generation == b.generation && a.created == b.created && a.hostnames == b.hostnames &&
         a.content == b.content && a.granted == b.granted && a.clusters == b.clusters;
}

} // namespace

struct Binder::State {
  State(model::Name name, Settings with, std::uint64_t after)
      : gateway{std::move(name)}, settings{std::move(with)}, epoch{after}, first_epoch{after} {}

  model::Name gateway;
  Settings settings;
  View view;
  GatewayPlan plan;
  Config config;
  Config taken; ///< As of the last take().
  std::uint64_t epoch;
  std::uint64_t first_epoch; ///< Nothing was taken while it is `epoch` still.
  std::map<model::ObjectKey, RouteEntry> routes;
  /// The last answer for each cluster in use as of the last clusters(): who asks there is told of a
  /// cluster once, so what it left and took up again in between must not be forgotten.
  std::map<std::string, Ptr<Cluster>> known;
  std::map<std::string, std::set<model::ObjectKey>> users; ///< Routes that use or want a cluster.
  /// By cluster of those: what stands in for it, as far as it is known; and the other way round.
  /// What only stands in for another has none.
  std::map<std::string, std::set<std::string>> stand_ins, stands_in_for;
  std::map<std::string, std::size_t> bound_clusters; ///< How many routes serve from it now.
  std::set<model::ObjectKey> waiting; ///< Routes whose newest answer needs an unknown cluster.
  std::map<std::string, Ptr<Certificate>> identities; ///< By id.
  std::optional<ResolvedExports> exports;
  std::set<std::string> in_use;
  bool in_use_changed = false;

  Drafts<Listener> listeners{&Config::listeners};
  Drafts<BoundRoute> bound{&Config::routes};
  Drafts<Cluster> clusters{&Config::clusters};
  Drafts<Certificate> certificates{&Config::certificates};
  Drafts<PeeringExport> peering_exports{&Config::exports};
  Drafts<PeeringTrust> trust{&Config::trust};

  std::vector<std::int32_t> attached; ///< How many routes each listener counts.
  bool gateway_status_changed = false;
  std::set<model::ObjectKey> route_status_changed;
  std::map<model::ObjectKey, ResolvedRoutePtr> kept; ///< As told, or remembered.
  std::set<model::ObjectKey> kept_touched;           ///< May be another now.
  std::set<model::ObjectKey> service_changed; ///< Routes of which something else is served now.
  std::optional<model::ObjectStatus> status_given;
  std::map<model::ObjectKey, model::ObjectStatus> sets_given;
  PolicyWatch policies;
  ShadowIndex shadows;
  std::set<std::string> shadows_changed; ///< Binding keys.
  Topics depends;
  Ptr<Config> given;
  Counters counters;

  bool wants_peering() const {
    return plan.peering && identities.contains(plan.peering->tls.certificates.front());
  }

  void count(const RouteEntry& entry, int by) {
    for (auto listener : entry.attached) {
      attached[listener] += by;
      gateway_status_changed = true;
    }
  }

  /// A cluster that a route or the exports want, whether they serve from it already or not.
  void use(const std::string& cluster, const model::ObjectKey& user) {
    if (!users[cluster].insert(user).second)
      return;
    in_use_changed = true;
    settle_stand_ins(cluster);
  }
  void unuse(const std::string& cluster, const model::ObjectKey& user) {
    auto it = users.find(cluster);
    if (it == users.end() || it->second.erase(user) == 0)
      return;
    in_use_changed = true;
    if (!it->second.empty())
      return;
    users.erase(it);
    settle_stand_ins(cluster);
  }

  /// Those of a cluster in use are served, too, whether it needs them now or not.
  void settle_stand_ins(const std::string& cluster) {
    std::set<std::string> now;
    if (auto it = known.find(cluster); it != known.end() && users.contains(cluster))
      now.insert(it->second->failover.begin(), it->second->failover.end());
    auto before = stand_ins.contains(cluster) ? stand_ins[cluster] : std::set<std::string>{};
    if (now == before)
      return;
    in_use_changed = true;
    for (auto& id : now)
      if (!before.contains(id)) {
        stands_in_for[id].insert(cluster);
        serve_from(id);
      }
    for (auto& id : before)
      if (!now.contains(id)) {
        serve_no_more_from(id);
        auto it = stands_in_for.find(id);
        it->second.erase(cluster);
        if (it->second.empty())
          stands_in_for.erase(it);
      }
    if (now.empty())
      stand_ins.erase(cluster);
    else
      stand_ins[cluster] = std::move(now);
  }

  /// Whether its endpoints are known, and those of what stands in for it.
  bool is_ready(const std::string& cluster) const {
    auto it = known.find(cluster);
    return it != known.end() &&
           std::all_of(it->second->failover.begin(), it->second->failover.end(),
                       [&](auto& id) { return known.contains(id); });
  }

  /// What waits for the cluster may have all that it needs now.
  void bind_waiting(const std::string& cluster) {
    auto found = users.find(cluster);
    if (found == users.end())
      return;
    for (auto& user : std::set{found->second})
      if (user == exports_user)
        bind_peering();
      else if (waiting.contains(user))
        bind(user);
  }

  void serve_from(const std::string& cluster) {
    if (bound_clusters[cluster]++ > 0)
      return;
    policies.use_changed(cluster);
    auto it = known.find(cluster);
    clusters.set(config, cluster,
                 it != known.end() ? it->second
                                   : std::make_shared<const Cluster>(Cluster{.id = cluster}));
  }
  void serve_no_more_from(const std::string& cluster) {
    auto it = bound_clusters.find(cluster);
    if (--it->second > 0)
      return;
    bound_clusters.erase(it);
    policies.use_changed(cluster);
    clusters.unset(config, cluster);
  }

  void serve_binding(const model::ObjectKey& key, const std::string& binding,
                     const Ptr<BoundRoute>& route) {
    if (route ? bound.set(config, binding, route) : bound.unset(config, binding)) {
      service_changed.insert(key);
      shadows_changed.insert(binding);
      for (auto& other : shadows.change(binding, route))
        shadows_changed.insert(std::move(other));
    }
  }

  void tell_parents(const model::ObjectKey& key, RouteEntry& entry) {
    auto parents = entry.bound;
    add_shadowed(plan, shadows, *entry.resolved, entry.serving, parents);
    if (parents == entry.parents)
      return;
    entry.parents = std::move(parents);
    route_status_changed.insert(key);
  }

  /// Whether what is served of it may go on while the newest answer waits for endpoints: not if a
  /// grant of it may have gone meanwhile.
  static bool may_go_on(const RouteEntry& entry) {
    auto &now = entry.resolved->granted, &then = entry.content->granted;
    return std::includes(now.begin(), now.end(), then.begin(), then.end());
  }

  void bind(const model::ObjectKey& key) {
    ++counters.routes_bound;
    auto& entry = routes.at(key);
    auto answer = bind_route(view, plan, *entry.resolved, entry.last_good.get());
    counters.listeners_checked += answer.attached.size();
    auto& content =
        falls_back(plan, *entry.resolved, entry.last_good.get()) ? entry.last_good : entry.resolved;
    count(entry, -1);
    entry.attached = std::move(answer.attached);
    count(entry, +1);
    entry.bound = std::move(answer.parents);
    // What a parent says of it, and whether anything serves for it, are told together.
    if (!std::equal(entry.serving.begin(), entry.serving.end(), answer.serving.begin(),
                    answer.serving.end(), [](auto& a, auto& b) { return a.empty() == b.empty(); }))
      route_status_changed.insert(key);
    entry.serving = std::move(answer.serving);
    tell_parents(key, entry);
    auto before = std::exchange(entry.wanted, answer.by_listener.empty() ? std::set<std::string>{}
                                                                         : content->clusters);
    for (auto& cluster : entry.wanted)
      use(cluster, key);
    for (auto& cluster : before)
      if (!entry.wanted.contains(cluster) && !entry.clusters.contains(cluster))
        unuse(cluster, key);
    // Endpoints first: until they are known, what was served before goes on.
    bool complete = std::all_of(entry.wanted.begin(), entry.wanted.end(),
                                [&](auto& cluster) { return is_ready(cluster); });
    bool wait = !complete && (!entry.content || may_go_on(entry));
    if (wait) {
      if (waiting.insert(key).second)
        service_changed.insert(key);
      leave_gone_listeners(key, entry);
      return;
    }
    if (waiting.erase(key) > 0)
      service_changed.insert(key);
    serve(key, entry, answer, content);
    if (!entry.resolved->unresolved && !entry.resolved->refused)
      entry.last_good = entry.resolved;
    kept_touched.insert(key);
  }

  void take_kept(Binder::Taken& out) {
    bool keeps =
        plan.ours && plan.policy.invalid_backends == model::InvalidBackends::keep_last_good;
    for (auto& key : std::exchange(kept_touched, {})) {
      auto route = routes.find(key);
      auto now = keeps && route != routes.end() ? route->second.last_good : nullptr;
      auto before = kept.find(key);
      if (!now) {
        if (before == kept.end())
          continue;
        kept.erase(before);
      } else if (before == kept.end()) {
        kept[key] = now;
      } else if (bool same = same_kept(*before->second, *now); before->second = now, same) {
        continue;
      }
      out.kept[key] = now;
    }
  }

  void serve(const model::ObjectKey& key, RouteEntry& entry, const BoundRoutes& answer,
             const ResolvedRoutePtr& content) {
    for (auto& cluster : entry.wanted)
      if (!entry.clusters.contains(cluster))
        serve_from(cluster);
    std::set<std::string> now;
    for (auto& [listener, route] : answer.by_listener) {
      auto binding = binding_key(plan.listeners[listener].name, route->id);
      serve_binding(key, binding, route);
      now.insert(std::move(binding));
    }
    for (auto& binding : entry.served)
      if (!now.contains(binding))
        serve_binding(key, binding, nullptr);
    entry.served = std::move(now);
    entry.content = entry.served.empty() ? nullptr : content;
    for (auto& cluster : std::exchange(entry.clusters, entry.wanted))
      if (!entry.wanted.contains(cluster)) {
        serve_no_more_from(cluster);
        unuse(cluster, key);
      }
  }

  /// A route that waits stays as it was, but not on listeners that are no more.
  void leave_gone_listeners(const model::ObjectKey& key, RouteEntry& entry) {
    std::erase_if(entry.served, [&](auto& binding) {
      bool there = std::any_of(plan.listeners.begin(), plan.listeners.end(), [&](auto& it) {
        return it.programmed && it.name == listener_of(binding);
      });
      if (!there)
        serve_binding(key, binding, nullptr);
      return !there;
    });
  }

  void unbind(const model::ObjectKey& key) {
    auto it = routes.find(key);
    if (it == routes.end())
      return;
    auto entry = std::move(it->second);
    routes.erase(it);
    kept_touched.insert(key);
    waiting.erase(key);
    count(entry, -1);
    for (auto& binding : entry.served)
      serve_binding(key, binding, nullptr);
    for (auto& cluster : entry.clusters)
      serve_no_more_from(cluster);
    auto all = entry.clusters;
    all.insert(entry.wanted.begin(), entry.wanted.end());
    for (auto& cluster : all)
      unuse(cluster, key);
    if (!entry.parents.empty())
      route_status_changed.insert(key);
    service_changed.insert(key);
  }

  static inline const model::ObjectKey exports_user{model::Kind::exported_services, {}};

  void bind_peering() {
    bool on = wants_peering() && exports;
    std::set<std::string> wanted = on ? exports->clusters : std::set<std::string>{};
    std::set<std::string> before;
    for (auto& [cluster, by] : users)
      if (by.contains(exports_user))
        before.insert(cluster);
    for (auto& cluster : wanted)
      use(cluster, exports_user);
    for (auto& cluster : before)
      if (!wanted.contains(cluster)) {
        if (exported.erase(cluster) > 0)
          serve_no_more_from(cluster);
        unuse(cluster, exports_user);
      }
    for (auto& cluster : wanted)
      if (known.contains(cluster) && exported.insert(cluster).second)
        serve_from(cluster);
    if (on) {
      listeners.set(config, plan.peering->name, plan.peering);
      Resources<PeeringExport> ready;
      for (auto& [sni, it] : exports->exports)
        if (exported.contains(it->cluster))
          ready = ready.with(sni, it);
      peering_exports.replace(config, ready);
      trust.replace(config, exports->trust);
    } else {
      listeners.unset(config, peering_listener);
      peering_exports.replace(config, {});
      trust.replace(config, {});
    }
    for (auto& [id, certificate] : identities)
      certificates.set(config, id, certificate);
  }
  std::set<std::string> exported; ///< Clusters that the peering listener serves from.

  /// Statuses of the gateway and its ListenerSets that differ from those given before.
  void take_statuses(Binder::Taken& out) {
    auto now = statuses_of(plan, attached);
    bool says = !now.gateway.conditions.empty() || status_given;
    if (says && status_given != now.gateway) {
      status_given = now.gateway;
      out.gateway = std::move(now.gateway);
    }
    for (auto& [key, status] : sets_given)
      if (!now.sets.contains(key))
        out.listener_sets[key] = std::nullopt;
    for (auto& [key, status] : now.sets) {
      auto it = sets_given.find(key);
      if (it == sets_given.end() || it->second != status)
        out.listener_sets[key] = status;
    }
    sets_given = std::move(now.sets);
  }

  std::map<model::ObjectKey, std::vector<model::ParentStatus>> take_policies() {
    return policies.take(view, plan, [this](const std::string& prefix) {
      std::vector<std::string> found;
      for (auto it = bound_clusters.lower_bound(prefix);
           it != bound_clusters.end() && it->first.starts_with(prefix); ++it)
        found.push_back(it->first);
      return found;
    });
  }

  void plan_changed(GatewayPlan next, bool namespaces_changed) {
    bool same_attachment =
        plan.ours == next.ours && plan.policy == next.policy &&
        plan.controller == next.controller && plan.listeners.size() == next.listeners.size() &&
        !(next.selects_namespaces && namespaces_changed) &&
        std::equal(plan.listeners.begin(), plan.listeners.end(), next.listeners.begin(),
                   [](auto& a, auto& b) { return a.attaches_like(b); }) &&
        std::equal(plan.sets.begin(), plan.sets.end(), next.sets.begin(), next.sets.end(),
                   [](auto& a, auto& b) { return a.name == b.name; });
    plan = std::move(next);
    if (!same_attachment) {
      attached.assign(plan.listeners.size(), 0); // The counts start anew with the new listeners.
      for (auto& [key, entry] : routes)
        entry.attached.clear();
    }
    gateway_status_changed = true;
    auto [wanted, pairs] = resources_of(plan);
    for (auto& [id, certificate] : identities)
      pairs = pairs.with(id, certificate);
    if (wants_peering() && exports)
      wanted = wanted.with(plan.peering->name, plan.peering);
    certificates.replace(config, pairs);
    listeners.replace(config, wanted);
    bind_peering();
    if (!same_attachment)
      for (auto& [key, entry] : routes)
        bind(key);
  }
};

Binder::Binder(model::Name gateway, Settings settings, std::uint64_t epochs_after)
    : state_{std::make_unique<State>(std::move(gateway), std::move(settings), epochs_after)} {}
Binder::~Binder() = default;
Binder::Binder(Binder&&) noexcept = default;
Binder& Binder::operator=(Binder&&) noexcept = default;

void Binder::view_changed(const View& view) {
  auto before = state_->view.kind_revision(model::Kind::namespace_);
  state_->policies.view_changed(state_->view, view);
  state_->view = view;
  state_->plan_changed(plan_gateway(view, state_->gateway, state_->settings),
                       view.kind_revision(model::Kind::namespace_) != before);
}

void Binder::route_changed(const model::ObjectKey& route, ResolvedRoutePtr resolved) {
  auto& state = *state_;
  if (!resolved)
    return state.unbind(route);
  auto [it, added] = state.routes.try_emplace(route);
  // Even "nothing" is news the first time: it takes back what a Binder before this one said.
  if (added) {
    state.route_status_changed.insert(route);
    if (auto kept = state.kept.find(route); kept != state.kept.end())
      it->second.last_good = kept->second;
  }
  it->second.resolved = std::move(resolved);
  state.bind(route);
}

void Binder::remember(ResolvedRoutePtr kept) {
  auto key = kept->route;
  if (auto it = state_->routes.find(key); it != state_->routes.end() && !it->second.last_good)
    it->second.last_good = kept; // It is bound anew with the view that this is of.
  state_->kept[key] = std::move(kept);
}

void Binder::all_routes_told() {
  for (auto& [key, kept] : state_->kept)
    state_->kept_touched.insert(key);
}

void Binder::not_kept(const model::ObjectKey& route) {
  state_->kept.erase(route);
  state_->kept_touched.insert(route);
}

void Binder::cluster_changed(std::shared_ptr<const Cluster> cluster) {
  auto& state = *state_;
  auto& id = cluster->id;
  auto before = state.known.find(id);
  bool first = before == state.known.end();
  if (first && !state.users.contains(id) && !state.stands_in_for.contains(id))
    return;
  bool same_stand_ins = !first && before->second->failover == cluster->failover;
  state.known[id] = cluster;
  if (state.bound_clusters.contains(id))
    state.clusters.set(state.config, id, cluster);
  if (!same_stand_ins) {
    state.settle_stand_ins(id);
    state.bind_waiting(id);
  }
  if (auto of = state.stands_in_for.find(id); first && of != state.stands_in_for.end())
    for (auto& other : std::set{of->second})
      state.bind_waiting(other);
}

void Binder::identity_changed(std::shared_ptr<const Certificate> identity) {
  state_->identities[identity->id] = identity;
  state_->bind_peering();
}

void Binder::exports_changed(const ResolvedExports& exports) {
  state_->exports = exports;
  state_->bind_peering();
}

bool Binder::complete() const { return state_->waiting.empty(); }

const Topics& Binder::depends() const {
  auto& state = *state_;
  state.depends = state.plan.depends;
  if (state.plan.ours)
    state.policies.add_topics(state.depends);
  return state.depends;
}

const std::set<std::string>& Binder::clusters() const {
  auto& state = *state_;
  if (std::exchange(state.in_use_changed, false)) {
    state.in_use.clear();
    for (auto& [cluster, users] : state.users)
      state.in_use.insert(cluster);
    for (auto& [cluster, of] : state.stands_in_for)
      state.in_use.insert(cluster);
    std::erase_if(state.known, [&](auto& it) { return !state.in_use.contains(it.first); });
  }
  return state.in_use;
}

Binder::Taken Binder::take() {
  auto& state = *state_;
  Taken taken;
  Delta delta;
  delta.from = state.epoch;
  delta.listeners = state.listeners.take(state.config, state.taken);
  delta.routes = state.bound.take(state.config, state.taken);
  delta.clusters = state.clusters.take(state.config, state.taken);
  delta.certificates = state.certificates.take(state.config, state.taken);
  delta.exports = state.peering_exports.take(state.config, state.taken);
  delta.trust = state.trust.take(state.config, state.taken);
  bool changed = !delta.empty() || state.epoch == state.first_epoch;
  if (changed) {
    delta.epoch = ++state.epoch;
    state.config.epoch = state.epoch;
    state.taken = state.config;
  }
  if (!state.plan.ours || !state.plan.serves) {
    state.given = nullptr;
  } else if (changed || !state.given) {
    bool follows = state.given && state.given->epoch == delta.from;
    state.given = std::make_shared<const Config>(state.config);
    if (follows)
      taken.delta = std::make_shared<const Delta>(std::move(delta));
  }
  taken.config = state.given;
  state.take_kept(taken);
  if (std::exchange(state.gateway_status_changed, false))
    state.take_statuses(taken);
  taken.policies = state.take_policies();
  for (auto& binding : std::exchange(state.shadows_changed, {})) {
    auto key = route_of_binding(binding);
    if (auto it = state.routes.find(key); it != state.routes.end())
      state.tell_parents(key, it->second);
  }
  for (auto& key : state.route_status_changed) {
    auto it = state.routes.find(key);
    taken.routes[key] =
        it == state.routes.end() ? std::vector<model::ParentStatus>{} : it->second.parents;
  }
  state.service_changed.merge(state.route_status_changed);
  state.route_status_changed.clear();
  for (auto& key : std::exchange(state.service_changed, {})) {
    auto& service = taken.services[key];
    auto it = state.routes.find(key);
    if (it == state.routes.end())
      continue;
    service.waits = state.waiting.contains(key);
    for (auto& listeners : it->second.serving)
      service.parents.push_back(!listeners.empty());
  }
  return taken;
}

const Binder::Counters& Binder::counters() const { return state_->counters; }

} // namespace strait::gateway::resolve
