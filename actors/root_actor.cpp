#include "actors/root_actor.hpp"

#include "actors/gateway_actor.hpp"
#include "actors/resource_actors.hpp"

namespace strait::actors {

namespace {

using model::Kind;
using model::Name;
using model::ObjectKey;

/// The kinds that behave: each resource has an actor.
const std::set<catalog::Topic> watched{
    {Kind::gateway_class, {}}, {Kind::gateway, {}},           {Kind::listener_set, {}},
    {Kind::http_route, {}},    {Kind::tcp_route, {}},         {Kind::grpc_route, {}},
    {Kind::tls_route, {}},     {Kind::udp_route, {}},         {Kind::gateway_policy, {}},
    {Kind::peering, {}},       {Kind::route_auth_filter, {}}, {Kind::service_resolver, {}},
    {Kind::jwt_provider, {}},
};

using gateway::resolve::is_route;

/// Room for the epochs of one gateway actor, so that no two in a process count the same.
constexpr std::uint64_t epochs_per_actor = std::uint64_t{1} << 32U;

struct Steps {
  RootActor::stateful_pointer<RootState> self;
  CatalogActor catalog;
  StatusActor status;
  RootOptions options;

  RootActor root() const { return RootActor{self}; }

  static bool exists(const catalog::View& view, const ObjectKey& key) {
    switch (key.kind) {
    case Kind::gateway_class:
      return view.find<model::GatewayClass>(key.name) != nullptr;
    case Kind::gateway:
      return view.find<model::Gateway>(key.name) != nullptr;
    case Kind::http_route:
      return view.find<model::HttpRoute>(key.name) != nullptr;
    case Kind::tcp_route:
      return view.find<model::TcpRoute>(key.name) != nullptr;
    case Kind::grpc_route:
      return view.find<model::GrpcRoute>(key.name) != nullptr;
    case Kind::tls_route:
      return view.find<model::TlsRoute>(key.name) != nullptr;
    case Kind::udp_route:
      return view.find<model::UdpRoute>(key.name) != nullptr;
    case Kind::gateway_policy:
      return view.find<model::GatewayPolicy>(key.name) != nullptr;
    case Kind::route_auth_filter:
      return view.find<model::RouteAuthFilter>(key.name) != nullptr;
    case Kind::jwt_provider:
      return view.find<model::JwtProvider>(key.name) != nullptr;
    case Kind::service_resolver:
      return view.find<model::ServiceResolver>(key.name) != nullptr;
    case Kind::peering:
      return view.find<model::Peering>(key.name) != nullptr;
    default:
      return false;
    }
  }

  /// Everything that exists, when root starts.
  void start(const catalog::View& view) const {
    auto all = [&](auto& table, Kind kind) {
      for (auto& [name, record] : table)
        came({kind, name});
    };
    all(view.table<model::GatewayClass>(), Kind::gateway_class);
    all(view.table<model::Gateway>(), Kind::gateway);
    for (auto& key : gateway::resolve::routes_in(view))
      came(key);
    all(view.table<model::GatewayPolicy>(), Kind::gateway_policy);
    all(view.table<model::RouteAuthFilter>(), Kind::route_auth_filter);
    all(view.table<model::JwtProvider>(), Kind::jwt_provider);
    all(view.table<model::ServiceResolver>(), Kind::service_resolver);
    all(view.table<model::Peering>(), Kind::peering);
    for (auto& [name, record] : view.table<model::ListenerSet>())
      listener_set(view, name);
    spawn_exports();
    for (auto& [key, child] : self->state.children)
      if (is_route(key.kind))
        self->state.unanswered.insert(key);
    self->delayed_send(self, first_config_wait_max, synced_atom::value);
    if (self->state.unanswered.empty())
      synced();
  }

  void synced() const {
    auto& state = self->state;
    if (std::exchange(state.synced, true))
      return;
    for (auto& [name, gateway] : state.gateways)
      self->send(gateway, synced_atom::value);
  }

  void look(const Change& change) const {
    for (auto& topic : change.topics) {
      ObjectKey key{topic.kind, topic.name};
      if (key.kind == Kind::listener_set)
        listener_set(*change.view, key.name);
      else
        exists(*change.view, key) ? came(key) : went(key);
    }
  }

  /// Which Gateway a ListenerSet names decides who is told of the routes that name the set.
  void listener_set(const catalog::View& view, const Name& name) const {
    auto& state = self->state;
    std::optional<Name> gateway;
    if (auto* set = view.find<model::ListenerSet>(name))
      gateway = gateway::resolve::gateway_of(*set);
    for (auto& [route, told] : state.directory.listener_set(name, gateway))
      tell(route, told);
  }

  void tell(const ObjectKey& key,
            const std::map<Name, gateway::resolve::ResolvedRoutePtr>& told) const {
    auto& gateways = self->state.gateways;
    for (auto& [name, route] : told)
      if (auto gateway = gateways.find(name); gateway != gateways.end())
        self->send(gateway->second, resolved_atom::value, key, route);
      else if (!route) // It failed and waits for its restart: its next actor will not know.
        self->send(status, status_atom::value, RouteStatus{key, name, {}});
  }

  void came(const ObjectKey& key) const {
    auto it = self->state.children.find(key);
    if (it == self->state.children.end())
      spawn(key);
    else if (it->second.ending)
      it->second.wanted = true;
  }

  void went(const ObjectKey& key) const {
    auto& state = self->state;
    auto it = state.children.find(key);
    if (it == state.children.end())
      return;
    auto& child = it->second;
    child.wanted = false;
    if (child.ending)
      return;
    if (key.kind == Kind::gateway)
      gateway_went(key.name);
    if (is_route(key.kind))
      resolved(key, nullptr);
    if (!child.actor)
      return ended(key); // It had failed and waits for its restart.
    child.ending = true;
    self->send_exit(child.actor, caf::exit_reason::user_shutdown);
  }

  /// A child that was told to end has ended: nothing of it is under way any more.
  void ended(const ObjectKey& key) const {
    auto& state = self->state;
    bool wanted = state.children.at(key).wanted;
    state.children.erase(key);
    if (key.kind == Kind::gateway)
      self->send(status, forget_atom::value, key.name, true);
    if (wanted)
      spawn(key);
  }

  void spawn(const ObjectKey& key) const {
    auto& state = self->state;
    auto& child = state.children[key];
    child.started = options.clock();
    auto& system = self->system();
    switch (key.kind) {
    case Kind::gateway_class:
      child.actor = caf::actor_cast<caf::actor>(
          system.spawn(class_actor, key.name.name, catalog, status, options.rules));
      break;
    case Kind::gateway:
      spawn_gateway(key.name, child);
      break;
    case Kind::http_route:
    case Kind::grpc_route:
    case Kind::tls_route:
    case Kind::tcp_route:
    case Kind::udp_route:
      child.actor = caf::actor_cast<caf::actor>(
          system.spawn(route_actor, key, catalog, root(), options.rules));
      break;
    case Kind::gateway_policy:
    case Kind::route_auth_filter:
    case Kind::jwt_provider:
    case Kind::service_resolver:
      child.actor = caf::actor_cast<caf::actor>(
          system.spawn(policy_actor, key, catalog, status, options.rules));
      break;
    case Kind::peering:
      if (!options.spawn_peer)
        return;
      child.actor = options.spawn_peer(system, key.name.name);
      break;
    default:
      return;
    }
    self->monitor(child.actor);
    state.by_address[child.actor.address()] = key;
    if (child.failed)
      self->send(status, health_atom::value, ActorHealth{key, true, "restarted after a failure"});
  }

  void spawn_gateway(const Name& name, Child& child) const {
    auto& state = self->state;
    auto gateway = self->system().spawn(gateway_actor, name, options.settings,
                                        epochs_per_actor * state.incarnations[name]++, catalog,
                                        root(), status);
    child.actor = caf::actor_cast<caf::actor>(gateway);
    state.gateways[name] = gateway;
    for (auto& [id, identity] : state.identities[name])
      self->send(gateway, identity_atom::value, identity);
    if (state.exports)
      self->send(gateway, exports_atom::value, state.exports);
    for (auto& [key, route] : state.directory.routes_of(name))
      self->send(gateway, resolved_atom::value, key, route);
    for (auto& cluster : state.directory.clusters_of(name))
      self->send(gateway, cluster_atom::value, cluster);
    if (state.synced)
      self->send(gateway, synced_atom::value);
    for (auto& sink : state.sinks[name])
      self->send(gateway, attach_atom::value, sink);
    if (!options.dataplane)
      return;
    auto& proxy = state.proxies[name];
    if (!proxy) {
      // A weak way up: the proxy outlives its gateway actor's restarts.
      auto address = caf::actor_cast<caf::actor_addr>(self);
      auto report = [address, name](const ProxyReport& served) {
        if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(address))
          caf::anon_send(caf::actor_cast<RootActor>(std::move(strong)), served_atom::value, name,
                         served);
      };
      proxy = self->system().spawn(proxy_actor, name, "in-process", options.dataplane,
                                   ReportServed{report}, options.bind_address,
                                   options.log.named("proxy " + to_string(name)));
    }
    self->send(gateway, attach_atom::value, ConfigSink{proxy});
  }

  void served(const Name& name, const ConfigSink& sink, const ProxyReport& report) const {
    auto& state = self->state;
    if (auto gateway = state.gateways.find(name); gateway != state.gateways.end())
      self->send(gateway->second, served_atom::value, sink, report);
  }

  void gateway_went(const Name& name) const {
    auto& state = self->state;
    state.gateways.erase(name);
    use(name, {});
    for (auto& sink : state.sinks[name])
      self->send(sink, config_atom::value, Update{name, nullptr, nullptr});
    if (auto it = state.proxies.find(name); it != state.proxies.end()) {
      self->send_exit(it->second, caf::exit_reason::user_shutdown);
      state.proxies.erase(it);
    }
  }

  void resolved(const ObjectKey& key, const gateway::resolve::ResolvedRoutePtr& route) const {
    auto& state = self->state;
    tell(key, state.directory.route(key, route));
    if (state.unanswered.erase(key) > 0 && state.unanswered.empty())
      synced();
  }

  void use(const Name& name, const std::set<std::string>& clusters) const {
    auto& state = self->state;
    auto usage = state.directory.use(name, clusters);
    for (auto& id : usage.started)
      spawn_service(id);
    for (auto& id : usage.ended) {
      auto node = state.clusters.extract(id);
      state.clusters_by_address.erase(node.mapped().actor.address());
      self->send_exit(node.mapped().actor, caf::exit_reason::user_shutdown);
    }
    for (auto& cluster : usage.known)
      self->send(state.gateways.at(name), cluster_atom::value, cluster);
  }

  void spawn_service(const std::string& id) const {
    auto& child = self->state.clusters[id];
    child.started = options.clock();
    child.actor = caf::actor_cast<caf::actor>(
        self->system().spawn(service_actor, id, catalog, root(), options.rules));
    self->monitor(child.actor);
    self->state.clusters_by_address[child.actor.address()] = id;
  }

  void spawn_exports() const {
    auto& state = self->state;
    state.exports_child.started = options.clock();
    state.exports_actor = self->system().spawn(exports_actor, catalog, root(), options.rules);
    self->monitor(state.exports_actor);
  }

  void down(const caf::down_msg& down) const {
    auto& state = self->state;
    auto why = self->system().render(down.reason);
    auto later = [&](Child& child, const ObjectKey& key) {
      auto delay = child.restarts.failed(options.clock(), child.started);
      child.failed = true;
      self->delayed_send(self, delay, restart_atom::value, key);
      return delay;
    };
    if (auto it = state.by_address.find(down.source); it != state.by_address.end()) {
      auto key = it->second;
      state.by_address.erase(it);
      auto& child = state.children.at(key);
      child.actor = {};
      if (child.ending)
        return ended(key);
      if (key.kind == Kind::gateway) {
        state.gateways.erase(key.name);
        self->send(status, forget_atom::value, key.name, false); // Its next actor says it anew.
      }
      auto delay = later(child, key);
      auto text =
          fmt::format("its actor failed ({}); it is started again in {} ms", why, delay.count());
      options.log.error("{}: {}", to_string(key), text);
      self->send(status, health_atom::value, ActorHealth{key, false, text});
    } else if (auto cluster = state.clusters_by_address.find(down.source);
               cluster != state.clusters_by_address.end()) {
      auto id = cluster->second;
      state.clusters_by_address.erase(cluster);
      later(state.clusters[id], {Kind::service, {"", id}});
      options.log.error("service {}: its actor failed ({})", id, why);
    } else if (state.exports_actor && down.source == state.exports_actor.address()) {
      later(state.exports_child, {Kind::exported_services, {}});
      options.log.error("exported services: the actor failed ({})", why);
    }
  }

  void restart(const ObjectKey& key) const {
    auto& state = self->state;
    if (key.kind == Kind::exported_services) {
      spawn_exports();
    } else if (key.kind == Kind::service) {
      if (state.clusters.contains(key.name.name))
        spawn_service(key.name.name);
    } else if (auto it = state.children.find(key);
               it != state.children.end() && !it->second.actor) {
      spawn(key);
    }
  }

  void shutdown() const {
    auto& state = self->state;
    for (auto& [key, child] : state.children)
      if (child.actor)
        self->send_exit(child.actor, caf::exit_reason::user_shutdown);
    for (auto& [id, child] : state.clusters)
      self->send_exit(child.actor, caf::exit_reason::user_shutdown);
    for (auto& [name, proxy] : state.proxies)
      self->send_exit(proxy, caf::exit_reason::user_shutdown);
    if (state.exports_actor)
      self->send_exit(state.exports_actor, caf::exit_reason::user_shutdown);
  }
};

} // namespace

RootActor::behavior_type root_actor(RootActor::stateful_pointer<RootState> self,
                                    CatalogActor catalog, StatusActor status, RootOptions options) {
  if (options.settings.bind_address.empty())
    options.settings.bind_address = options.bind_address;
  Steps steps{self, std::move(catalog), std::move(status), std::move(options)};
  self->set_down_handler([steps](caf::down_msg& down) { steps.down(down); });
  self->set_exit_handler([steps](caf::exit_msg& exit) {
    steps.shutdown();
    steps.self->quit(exit.reason);
  });
  self->request(steps.catalog, caf::infinite, watch_atom::value, Watcher{self}, watched)
      .then([steps](const catalog::ViewPtr& view) { steps.start(*view); });
  return {
      [steps](change_atom, const Change& change) {
        steps.look(change);
        steps.self->send(steps.catalog, done_atom::value);
      },
      [steps](resolved_atom, const ObjectKey& key,
              const gateway::resolve::ResolvedRoutePtr& route) {
        auto child = steps.self->state.children.find(key);
        if (child != steps.self->state.children.end() && !child->second.ending)
          steps.resolved(key, route);
      },
      [steps](cluster_atom, const ClusterPtr& cluster) {
        auto& state = steps.self->state;
        for (auto& name : state.directory.cluster(cluster))
          if (auto gateway = state.gateways.find(name); gateway != state.gateways.end())
            steps.self->send(gateway->second, cluster_atom::value, cluster);
      },
      [steps](use_atom, const Name& name, const std::set<std::string>& clusters) {
        if (steps.self->state.gateways.contains(name))
          steps.use(name, clusters);
      },
      [steps](exports_atom, const ResolvedExportsPtr& exports) {
        auto& state = steps.self->state;
        state.exports = exports;
        for (auto& [name, gateway] : state.gateways)
          steps.self->send(gateway, exports_atom::value, exports);
      },
      [steps](identity_atom, const Name& name, const CertificatePtr& identity) {
        auto& state = steps.self->state;
        state.identities[name][identity->id] = identity;
        if (auto gateway = state.gateways.find(name); gateway != state.gateways.end())
          steps.self->send(gateway->second, identity_atom::value, identity);
      },
      [steps](attach_atom, const Name& name, const ConfigSink& sink) {
        auto& state = steps.self->state;
        state.sinks[name].push_back(sink);
        if (auto gateway = state.gateways.find(name); gateway != state.gateways.end())
          steps.self->send(gateway->second, attach_atom::value, sink);
      },
      [steps](detach_atom, const Name& name, const ConfigSink& sink) {
        auto& state = steps.self->state;
        std::erase(state.sinks[name], sink);
        if (auto gateway = state.gateways.find(name); gateway != state.gateways.end())
          steps.self->send(gateway->second, detach_atom::value, sink);
      },
      [steps](served_atom, const Name& name, const ProxyReport& report) {
        auto& proxies = steps.self->state.proxies;
        if (auto proxy = proxies.find(name); proxy != proxies.end())
          steps.served(name, ConfigSink{proxy->second}, report);
      },
      [steps](served_atom, const Name& name, const ConfigSink& sink, const ProxyReport& report) {
        steps.served(name, sink, report);
      },
      [steps](report_atom, const Name& name) -> caf::result<std::vector<ProxyReport>> {
        auto& state = steps.self->state;
        auto gateway = state.gateways.find(name);
        if (gateway == state.gateways.end())
          return std::vector<ProxyReport>{};
        return steps.self->delegate(gateway->second, report_atom::value);
      },
      [steps](synced_atom) { steps.synced(); },
      [steps](restart_atom, const ObjectKey& key) { steps.restart(key); },
  };
}

} // namespace strait::actors
