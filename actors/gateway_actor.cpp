#include "actors/gateway_actor.hpp"

#include "actors/kept_route.hpp"

#include <algorithm>

namespace strait::actors {

namespace {

/// Proxies that one gateway's report may list, the first by name.
constexpr std::size_t proxies_reported_max = 1'000;

struct Steps {
  GatewayActor::stateful_pointer<GatewayState> self;
  model::Name gateway;
  gateway::resolve::Settings settings;
  CatalogActor catalog;
  RootActor root;
  StatusActor status;

  /// Once per turn of the mailbox, whatever came with it.
  void changed() const {
    if (std::exchange(self->state.flush_waits, true))
      return;
    self->send(self, tick_atom::value);
  }

  void flush() const {
    auto& state = self->state;
    state.flush_waits = false;
    // What was kept is the view's: both must be in before anything of it is let go.
    if (state.synced && state.seen > 0 && !std::exchange(state.all_told, true))
      state.binder->all_routes_told();
    auto taken = state.binder->take();
    if (whole() && (taken.delta || taken.config != state.config || !state.sent)) {
      state.config = taken.config;
      state.sent = true;
      for (auto& sink : state.sinks)
        self->send(sink, config_atom::value, Update{gateway, taken.config, taken.delta});
    }
    state.serving->took(taken);
    tell_serving(); // Before the statuses that they are part of.
    for (auto& [route, kept] : taken.kept)
      keep(route, kept);
    tell_statuses(std::move(taken));
    if (state.binder->clusters() != state.clusters) {
      state.clusters = state.binder->clusters();
      self->send(root, use_atom::value, gateway, state.clusters);
    }
    watch();
  }

  /// Stores what to go on with after a restart. A store that does not take it now is asked again
  /// with the next change; what it will never take (too large) is left.
  void keep(const model::ObjectKey& route, const gateway::resolve::ResolvedRoutePtr& kept) const {
    catalog::KeepRoute command{gateway, route, {}};
    if (kept)
      command.kept = to_record(gateway, *kept);
    auto again = [*this, route] { self->state.binder->not_kept(route); };
    self->request(catalog, caf::infinite, apply_atom::value, catalog::Command{std::move(command)})
        .then(
            [again](const Applied& applied) {
              if (!applied.revision && applied.revision.error().code == Errc::unavailable)
                again();
            },
            [again](caf::error&) { again(); });
  }

  /// While routes of before a restart are still coming in, a word would be taken back a moment
  /// later: the first is said when they are all there.
  void tell_statuses(gateway::resolve::Binder::Taken taken) const {
    auto& untold = self->state.untold;
    if (taken.gateway)
      untold.gateway = std::move(taken.gateway);
    auto add = [](auto& to, auto& from) {
      for (auto& [key, word] : from)
        to.insert_or_assign(key, std::move(word));
    };
    add(untold.routes, taken.routes);
    add(untold.listener_sets, taken.listener_sets);
    add(untold.policies, taken.policies);
    if (!self->state.synced && !self->state.overdue)
      return;
    auto words = std::exchange(untold, {});
    if (words.gateway)
      self->send(status, status_atom::value, *words.gateway);
    for (auto& [route, parents] : words.routes)
      self->send(status, status_atom::value, RouteStatus{route, gateway, parents});
    for (auto& [set, said] : words.listener_sets)
      self->send(status, status_atom::value, ListenerSetStatus{set, gateway, said});
    for (auto& [policy, parents] : words.policies)
      self->send(status, status_atom::value, RouteStatus{policy, gateway, parents});
  }

  void tell_serving() const {
    auto words = self->state.serving->words();
    if (!words.empty())
      self->send(status, status_atom::value, std::move(words));
  }

  void attach(const ConfigSink& sink) const {
    auto& state = self->state;
    auto [it, added] = state.proxies.try_emplace(sink.address());
    if (added) {
      it->second.number = ++state.proxies_seen;
      state.sinks.push_back(sink);
      self->monitor(sink);
    }
    if (state.sent)
      self->send(sink, config_atom::value, Update{gateway, state.config, nullptr});
  }

  void left(const caf::actor_addr& proxy) const {
    auto& state = self->state;
    auto it = state.proxies.find(proxy);
    if (it == state.proxies.end())
      return;
    auto& ledger = state.serving->ledger();
    bool counted = !ledger.empty();
    ledger.left(it->second.number);
    state.proxies.erase(it);
    std::erase_if(state.sinks, [&](auto& sink) { return sink.address() == proxy; });
    if (counted && ledger.empty())
      self->delayed_send(self, no_proxies_after, absent_atom::value, ++state.absence);
    tell_serving();
  }

  void served(const ConfigSink& sink, const ProxyReport& report) const {
    auto& state = self->state;
    auto it = state.proxies.find(sink.address());
    if (it == state.proxies.end())
      return; // It left; its last word was under way.
    it->second.report = report;
    state.serving->ledger().served(it->second.number, report.served);
    tell_serving();
  }

  std::vector<ProxyReport> reports() const {
    std::vector<ProxyReport> found;
    for (auto& [address, proxy] : self->state.proxies)
      if (!proxy.report.id.empty())
        found.push_back(proxy.report);
    std::sort(found.begin(), found.end(), [](auto& a, auto& b) { return a.id < b.id; });
    if (found.size() > proxies_reported_max)
      found.resize(proxies_reported_max);
    return found;
  }

  /// Whether the first configuration would show all that exists: half of it would be wrong answers.
  bool whole() const {
    auto& state = self->state;
    bool identified = state.identified || !settings.identities;
    return state.sent || state.overdue ||
           (state.synced && identified && state.seen > 0 && state.binder->complete());
  }

  void watch() const {
    auto& state = self->state;
    if (state.binder->depends() == state.topics)
      return;
    state.topics = state.binder->depends();
    self->request(catalog, caf::infinite, watch_atom::value,
                  caf::actor_cast<Watcher>(caf::strong_actor_ptr{self->ctrl()}), state.topics)
        .then([*this](const catalog::ViewPtr& view) { look(view); });
  }

  void look(const catalog::ViewPtr& view) const {
    auto& state = self->state;
    if (view->revision <= state.seen)
      return;
    if (state.seen == 0)
      for (auto& [name, record] : view->table<model::KeptRoute>())
        if (record->value.gateway == gateway)
          if (auto kept = from_record(record->value)) // What cannot be read is kept anew.
            state.binder->remember(*kept);
    state.seen = view->revision;
    state.binder->view_changed(*view);
    changed();
  }
};

} // namespace

GatewayActor::behavior_type gateway_actor(GatewayActor::stateful_pointer<GatewayState> self,
                                          model::Name gateway, gateway::resolve::Settings settings,
                                          std::uint64_t epochs_after, CatalogActor catalog,
                                          RootActor root, StatusActor status) {
  Steps steps{self, gateway, settings, std::move(catalog), std::move(root), std::move(status)};
  auto& state = self->state;
  state.binder =
      std::make_unique<gateway::resolve::Binder>(gateway, std::move(settings), epochs_after);
  state.serving.emplace(gateway);
  self->request(steps.catalog, caf::infinite, view_atom::value)
      .then([steps](const catalog::ViewPtr& view) { steps.look(view); });
  self->delayed_send(self, first_config_wait_max, overdue_atom::value);
  self->delayed_send(self, no_proxies_after, absent_atom::value, state.absence);
  self->set_down_handler([steps](caf::down_msg& down) { steps.left(down.source); });
  return {
      [steps](change_atom, const Change& change) {
        steps.look(change.view);
        steps.self->send(steps.catalog, done_atom::value);
      },
      [steps](resolved_atom, const model::ObjectKey& route,
              const gateway::resolve::ResolvedRoutePtr& resolved) {
        steps.self->state.binder->route_changed(route, resolved);
        steps.changed();
      },
      [steps](cluster_atom, const ClusterPtr& cluster) {
        steps.self->state.binder->cluster_changed(cluster);
        steps.changed();
      },
      [steps](exports_atom, const ResolvedExportsPtr& exports) {
        steps.self->state.binder->exports_changed(*exports);
        steps.changed();
      },
      [steps](identity_atom, const CertificatePtr& identity) {
        steps.self->state.identified |= identity->id == "identity";
        steps.self->state.binder->identity_changed(identity);
        steps.changed();
      },
      [steps](synced_atom) {
        steps.self->state.synced = true;
        steps.changed();
      },
      [steps](overdue_atom) {
        steps.self->state.overdue = true;
        steps.changed();
      },
      [steps](attach_atom, const ConfigSink& sink) { steps.attach(sink); },
      [steps](detach_atom, const ConfigSink& sink) {
        steps.self->demonitor(sink.address());
        steps.left(sink.address());
      },
      [steps](served_atom, const ConfigSink& sink, const ProxyReport& report) {
        steps.served(sink, report);
      },
      [steps](absent_atom, std::uint64_t absence) {
        auto& own = steps.self->state;
        if (absence == own.absence)
          own.serving->ledger().nobody();
        steps.tell_serving();
      },
      [steps](report_atom) { return steps.reports(); },
      [steps](tick_atom) { steps.flush(); },
  };
}

} // namespace strait::actors
