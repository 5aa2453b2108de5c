#include "actors/gateway_actor.hpp"

#include <algorithm>

namespace strait::actors {

namespace {

/// Proxies that one gateway's report may list; the oldest names go first.
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
    auto taken = state.binder->take();
    if (whole() && (taken.delta || taken.config != state.config || !state.sent)) {
      state.config = taken.config;
      state.sent = true;
      for (auto& sink : state.sinks)
        self->send(sink, config_atom::value, Update{gateway, taken.config, taken.delta});
    }
    if (taken.gateway)
      self->send(status, status_atom::value, *taken.gateway);
    for (auto& [route, parents] : taken.routes)
      self->send(status, status_atom::value, RouteStatus{route, gateway, parents});
    for (auto& [set, said] : taken.listener_sets)
      self->send(status, status_atom::value, ListenerSetStatus{set, gateway, said});
    for (auto& [policy, parents] : taken.policies)
      self->send(status, status_atom::value, RouteStatus{policy, gateway, parents});
    if (state.binder->clusters() != state.clusters) {
      state.clusters = state.binder->clusters();
      self->send(root, use_atom::value, gateway, state.clusters);
    }
    watch();
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
    state.seen = view->revision;
    state.binder->view_changed(*view);
    changed();
  }
};

} // namespace

GatewayActor::behavior_type gateway_actor(GatewayActor::stateful_pointer<GatewayState> self,
                                          model::Name gateway, gateway::resolve::Settings settings,
                                          CatalogActor catalog, RootActor root,
                                          StatusActor status) {
  Steps steps{self, gateway, settings, std::move(catalog), std::move(root), std::move(status)};
  auto& state = self->state;
  state.binder = std::make_unique<gateway::resolve::Binder>(gateway, std::move(settings));
  self->request(steps.catalog, caf::infinite, view_atom::value)
      .then([steps](const catalog::ViewPtr& view) { steps.look(view); });
  self->delayed_send(self, first_config_wait_max, overdue_atom::value);
  self->set_down_handler([self](caf::down_msg& down) {
    std::erase_if(self->state.sinks, [&](auto& sink) { return sink.address() == down.source; });
  });
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
      [steps](attach_atom, const ConfigSink& sink) {
        auto& own = steps.self->state;
        if (std::find(own.sinks.begin(), own.sinks.end(), sink) == own.sinks.end()) {
          own.sinks.push_back(sink);
          steps.self->monitor(sink);
        }
        if (own.sent)
          steps.self->send(sink, config_atom::value, Update{steps.gateway, own.config, nullptr});
      },
      [self](detach_atom, const ConfigSink& sink) {
        std::erase(self->state.sinks, sink);
        self->demonitor(sink.address());
      },
      [self](served_atom, const ProxyReport& report) {
        auto& proxies = self->state.proxies;
        proxies[report.id] = report;
        if (proxies.size() > proxies_reported_max)
          proxies.erase(proxies.begin());
      },
      [self](report_atom) {
        std::vector<ProxyReport> reports;
        for (auto& [id, report] : self->state.proxies)
          reports.push_back(report);
        return reports;
      },
      [steps](tick_atom) { steps.flush(); },
  };
}

} // namespace strait::actors
