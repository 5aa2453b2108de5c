#include "gateway/resolve/bind.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

namespace {

template <class T>
using Ptr = std::shared_ptr<const T>;

/// Resources in the making, and which keys were touched since the last take().
template <class T>
class Drafts {
public:
  explicit Drafts(Resources<T> Config::*field) : field_{field} {}

  void set(Config& config, const std::string& key, Ptr<T> value) {
    auto& resources = config.*field_;
    if (auto* old = resources.find(key); old && **old == *value)
      return;
    resources = resources.with(key, std::move(value));
    touched_.insert(key);
  }
  void unset(Config& config, const std::string& key) {
    auto& resources = config.*field_;
    if (!resources.contains(key))
      return;
    resources = resources.without(key);
    touched_.insert(key);
  }
  /// Sets exactly these: for resources that come as one small whole.
  void replace(Config& config, const Resources<T>& with) {
    std::vector<std::string> gone;
    for (auto& [key, value] : config.*field_)
      if (!with.contains(key))
        gone.push_back(key);
    for (auto& key : gone)
      unset(config, key);
    for (auto& [key, value] : with)
      set(config, key, value);
  }
  Changed<T> take(const Config& config) {
    Changed<T> changed;
    for (auto& key : touched_) {
      auto* value = (config.*field_).find(key);
      changed.emplace_back(key, value ? *value : nullptr);
    }
    touched_.clear();
    return changed;
  }

private:
  Resources<T> Config::*field_;
  std::set<std::string> touched_;
};

/// One route that names the gateway.
struct RouteEntry {
  ResolvedRoutePtr resolved;
  ResolvedRoutePtr last_good;                ///< For KeepLastGood.
  std::map<std::string, std::size_t> served; ///< Binding key → listener index.
  std::set<std::size_t> attached;            ///< Listeners that count it.
  std::set<std::string> clusters;            ///< That what is served uses.
  std::set<std::string> wanted;              ///< That the newest answer will use.
  std::vector<model::ParentStatus> parents;
};

} // namespace

struct Binder::State {
  State(model::Name name, Settings with) : gateway{std::move(name)}, settings{std::move(with)} {}

  model::Name gateway;
  Settings settings;
  View view;
  GatewayPlan plan;
  Config config;
  std::uint64_t epoch = 0;
  std::map<model::ObjectKey, RouteEntry> routes;
  std::map<std::string, Ptr<Cluster>> known; ///< The last answer for each cluster in use.
  std::map<std::string, std::set<model::ObjectKey>> users; ///< Routes that use or want a cluster.
  std::map<std::string, std::size_t> bound_clusters;       ///< How many routes serve from it now.
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

  bool gateway_status_changed = false;
  std::set<model::ObjectKey> route_status_changed;
  std::optional<model::ObjectStatus> status_given;
  Ptr<Config> given;
  Counters counters;

  bool wants_peering() const { return plan.peering && !identities.empty(); }

  void count(const RouteEntry& entry, int by) {
    for (auto listener : entry.attached)
      if (listener < plan.status.listeners.size()) {
        plan.status.listeners[listener].attached_routes += by;
        gateway_status_changed = true;
      }
  }

  /// A cluster that a route or the exports want, whether they serve from it already or not.
  void use(const std::string& cluster, const model::ObjectKey& user) {
    if (users[cluster].insert(user).second)
      in_use_changed = true;
  }
  void unuse(const std::string& cluster, const model::ObjectKey& user) {
    auto it = users.find(cluster);
    if (it == users.end() || it->second.erase(user) == 0)
      return;
    in_use_changed = true;
    if (it->second.empty()) {
      users.erase(it);
      known.erase(cluster);
    }
  }

  void serve_from(const std::string& cluster) {
    if (bound_clusters[cluster]++ == 0)
      clusters.set(config, cluster, known.at(cluster));
  }
  void serve_no_more_from(const std::string& cluster) {
    auto it = bound_clusters.find(cluster);
    if (--it->second > 0)
      return;
    bound_clusters.erase(it);
    clusters.unset(config, cluster);
  }

  void set_parents(const model::ObjectKey& key, RouteEntry& entry,
                   std::vector<model::ParentStatus> parents) {
    if (parents == entry.parents)
      return;
    entry.parents = std::move(parents);
    route_status_changed.insert(key);
  }

  void bind(const model::ObjectKey& key) {
    ++counters.routes_bound;
    auto& entry = routes.at(key);
    auto bound_routes = bind_route(view, gateway, plan, *entry.resolved, entry.last_good.get());
    std::map<std::string, std::pair<std::size_t, Ptr<BoundRoute>>> now;
    std::set<std::size_t> attached;
    for (auto& [listener, served] : bound_routes.by_listener) {
      ++counters.listeners_checked;
      attached.insert(listener);
      if (plan.listeners[listener].programmed)
        now[binding_key(plan.listeners[listener].spec.name, served->id)] = {listener, served};
    }
    bool bridged = entry.last_good && falls_back(plan, *entry.resolved);
    auto wanted = now.empty() ? std::set<std::string>{}
                  : bridged   ? entry.last_good->clusters
                              : entry.resolved->clusters;
    count(entry, -1);
    entry.attached = std::move(attached);
    count(entry, +1);
    set_parents(key, entry, std::move(bound_routes.parents));
    auto before = entry.wanted;
    entry.wanted = wanted;
    for (auto& cluster : wanted)
      use(cluster, key);
    for (auto& cluster : before)
      if (!wanted.contains(cluster) && !entry.clusters.contains(cluster))
        unuse(cluster, key);
    // Endpoints first: until they are known, what was served before goes on.
    bool complete = std::all_of(wanted.begin(), wanted.end(),
                                [&](auto& cluster) { return known.contains(cluster); });
    if (!complete) {
      waiting.insert(key);
      return;
    }
    waiting.erase(key);
    for (auto& cluster : wanted)
      if (!entry.clusters.contains(cluster))
        serve_from(cluster);
    for (auto& [binding, served] : now)
      bound.set(config, binding, served.second);
    for (auto& [binding, listener] : entry.served)
      if (!now.contains(binding))
        bound.unset(config, binding);
    auto old = std::exchange(entry.clusters, wanted);
    for (auto& cluster : old)
      if (!wanted.contains(cluster)) {
        serve_no_more_from(cluster);
        unuse(cluster, key);
      }
    entry.served.clear();
    for (auto& [binding, served] : now)
      entry.served[binding] = served.first;
    if (!entry.resolved->unresolved && !entry.resolved->refused)
      entry.last_good = entry.resolved;
  }

  void unbind(const model::ObjectKey& key) {
    auto it = routes.find(key);
    if (it == routes.end())
      return;
    auto entry = std::move(it->second);
    routes.erase(it);
    waiting.erase(key);
    count(entry, -1);
    for (auto& [binding, listener] : entry.served)
      bound.unset(config, binding);
    for (auto& cluster : entry.clusters)
      serve_no_more_from(cluster);
    auto all = entry.clusters;
    all.insert(entry.wanted.begin(), entry.wanted.end());
    for (auto& cluster : all)
      unuse(cluster, key);
    if (!entry.parents.empty())
      route_status_changed.insert(key);
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

  void plan_changed(GatewayPlan next) {
    bool same_attachment =
        plan.ours == next.ours && plan.policy == next.policy &&
        plan.controller == next.controller && plan.listeners.size() == next.listeners.size() &&
        !next.selects_namespaces &&
        std::equal(plan.listeners.begin(), plan.listeners.end(), next.listeners.begin(),
                   [](auto& a, auto& b) { return a.attaches_like(b); });
    auto old_status = std::exchange(plan, std::move(next)).status;
    if (same_attachment) {
      for (std::size_t i = 0; i < plan.status.listeners.size(); ++i)
        plan.status.listeners[i].attached_routes = old_status.listeners[i].attached_routes;
    } else {
      for (auto& [key, entry] : routes)
        entry.attached.clear(); // The counts start from nothing with the new listeners.
    }
    gateway_status_changed = true;
    Resources<Listener> wanted;
    Resources<Certificate> pairs;
    for (auto& listener : plan.listeners)
      if (listener.programmed) {
        wanted = wanted.with(listener.spec.name, listener.config);
        for (auto& certificate : listener.certificates)
          pairs = pairs.with(certificate->id, certificate);
      }
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

Binder::Binder(model::Name gateway, Settings settings)
    : state_{std::make_unique<State>(std::move(gateway), std::move(settings))} {}
Binder::~Binder() = default;
Binder::Binder(Binder&&) noexcept = default;
Binder& Binder::operator=(Binder&&) noexcept = default;

void Binder::view_changed(const View& view) {
  state_->view = view;
  state_->plan_changed(plan_gateway(view, state_->gateway, state_->settings));
}

void Binder::route_changed(const model::ObjectKey& route, ResolvedRoutePtr resolved) {
  if (!resolved)
    return state_->unbind(route);
  state_->routes[route].resolved = std::move(resolved);
  state_->bind(route);
}

void Binder::cluster_changed(std::shared_ptr<const Cluster> cluster) {
  auto& state = *state_;
  auto users = state.users.find(cluster->id);
  if (users == state.users.end())
    return;
  bool first = !state.known.contains(cluster->id);
  state.known[cluster->id] = cluster;
  if (state.bound_clusters.contains(cluster->id))
    state.clusters.set(state.config, cluster->id, cluster);
  if (!first)
    return;
  auto waiting = users->second;
  for (auto& user : waiting)
    if (user == State::exports_user)
      state.bind_peering();
    else if (state.waiting.contains(user))
      state.bind(user);
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

const Topics& Binder::depends() const { return state_->plan.depends; }

const std::set<std::string>& Binder::clusters() const {
  auto& state = *state_;
  if (std::exchange(state.in_use_changed, false)) {
    state.in_use.clear();
    for (auto& [cluster, users] : state.users)
      state.in_use.insert(cluster);
  }
  return state.in_use;
}

Binder::Taken Binder::take() {
  auto& state = *state_;
  Taken taken;
  Delta delta;
  delta.from = state.epoch;
  delta.listeners = state.listeners.take(state.config);
  delta.routes = state.bound.take(state.config);
  delta.clusters = state.clusters.take(state.config);
  delta.certificates = state.certificates.take(state.config);
  delta.exports = state.peering_exports.take(state.config);
  delta.trust = state.trust.take(state.config);
  bool changed = !delta.empty() || state.epoch == 0;
  if (changed) {
    delta.epoch = ++state.epoch;
    state.config.epoch = state.epoch;
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
  if (std::exchange(state.gateway_status_changed, false) && state.plan.ours &&
      state.status_given != state.plan.status) {
    state.status_given = state.plan.status;
    taken.gateway = state.plan.status;
  }
  for (auto& key : state.route_status_changed) {
    auto it = state.routes.find(key);
    taken.routes[key] =
        it == state.routes.end() ? std::vector<model::ParentStatus>{} : it->second.parents;
  }
  state.route_status_changed.clear();
  return taken;
}

const Binder::Counters& Binder::counters() const { return state_->counters; }

} // namespace strait::gateway::resolve
