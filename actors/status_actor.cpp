#include "actors/status_actor.hpp"

namespace strait::actors {

namespace {

struct Steps {
  StatusActor::stateful_pointer<StatusState> self;
  CatalogActor catalog;
  Log log;

  /// The actors' own clock: tests let it pass by hand.
  Instant now() const { return std::chrono::time_point_cast<Millis>(self->clock().now()); }

  void flush() const {
    auto& state = self->state;
    for (auto& status : state.ledger.take(now()))
      write(std::move(status));
    auto due = state.ledger.due();
    if (!due || (state.waking && *state.waking <= *due))
      return;
    state.waking = due;
    self->delayed_send(self, *due - now(), tick_atom::value);
  }

  void write(model::ObjectStatus status) const {
    auto object = status.object;
    auto written = [*this, object](bool ok) {
      self->state.ledger.written(now(), object, ok);
      flush();
    };
    self->request(catalog, caf::infinite, apply_atom::value,
                  catalog::Command{catalog::ReportStatus{std::move(status)}})
        .then(
            [*this, object, written](const Applied& applied) {
              // An object that went away meanwhile needs no status; the rest is tried again later.
              bool gone = !applied.revision && applied.revision.error().code == Errc::not_found;
              if (!applied.revision && !gone)
                log.warn("status of {}: {}", to_string(object), applied.revision.error().detail);
              written(applied.revision || gone);
            },
            [written](caf::error&) { written(false); });
  }
};

} // namespace

StatusActor::behavior_type status_actor(StatusActor::stateful_pointer<StatusState> self,
                                        CatalogActor catalog, Log log) {
  Steps steps{self, std::move(catalog), std::move(log)};
  return {
      [steps](status_atom, const model::ObjectStatus& status) {
        steps.self->state.ledger.own(steps.now(), status);
        steps.flush();
      },
      [steps](status_atom, const RouteStatus& status) {
        steps.self->state.ledger.route(steps.now(), status);
        steps.flush();
      },
      [steps](status_atom, const ListenerSetStatus& status) {
        steps.self->state.ledger.listener_set(steps.now(), status);
        steps.flush();
      },
      [steps](status_atom, const std::vector<ServingStatus>& words) {
        for (auto& word : words)
          steps.self->state.ledger.serving(steps.now(), word);
        steps.flush();
      },
      [steps](status_atom, const DeploymentStatus& status) {
        steps.self->state.ledger.deployment(steps.now(), status);
        steps.flush();
      },
      [steps](forget_atom, const model::Name& gateway, bool routes_too) {
        steps.self->state.ledger.forget(steps.now(), gateway, routes_too);
        steps.flush();
      },
      [steps](health_atom, const ActorHealth& health) {
        steps.self->state.ledger.health(steps.now(), health);
        steps.flush();
      },
      [steps](tick_atom) {
        steps.self->state.waking.reset();
        steps.flush();
      },
  };
}

} // namespace strait::actors
