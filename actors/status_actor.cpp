#include "actors/status_actor.hpp"

namespace strait::actors {

namespace {

void write(StatusActor::stateful_pointer<StatusState> self, const CatalogActor& catalog,
           const Log& log) {
  for (auto& status : self->state.ledger.take()) {
    auto object = status.object;
    auto written = [=](bool ok) {
      self->state.ledger.written(object, ok);
      if (ok)
        write(self, catalog, log);
    };
    self->request(catalog, caf::infinite, apply_atom::value,
                  catalog::Command{catalog::ReportStatus{std::move(status)}})
        .then(
            [=](const Applied& applied) {
              // An object that went away meanwhile needs no status; the rest is tried again later.
              bool gone = !applied.revision && applied.revision.error().code == Errc::not_found;
              if (!applied.revision && !gone)
                log.warn("status of {}: {}", to_string(object), applied.revision.error().detail);
              written(applied.revision || gone);
            },
            [=](caf::error&) { written(false); });
  }
}

} // namespace

StatusActor::behavior_type status_actor(StatusActor::stateful_pointer<StatusState> self,
                                        CatalogActor catalog, Log log) {
  auto flush = [=] { write(self, catalog, log); };
  return {
      [=](status_atom, const model::ObjectStatus& status) {
        self->state.ledger.own(status);
        flush();
      },
      [=](status_atom, const RouteStatus& status) {
        self->state.ledger.route(status);
        flush();
      },
      [=](status_atom, const ListenerSetStatus& status) {
        self->state.ledger.listener_set(status);
        flush();
      },
      [=](forget_atom, const model::Name& gateway, bool routes_too) {
        self->state.ledger.forget(gateway, routes_too);
        flush();
      },
      [=](health_atom, const ActorHealth& health) {
        self->state.ledger.health(health);
        flush();
      },
  };
}

} // namespace strait::actors
