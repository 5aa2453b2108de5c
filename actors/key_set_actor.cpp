#include "actors/key_set_actor.hpp"

#include <caf/all.hpp>

namespace strait::actors {

namespace {

using catalog::KeySetFetches;

const std::set<catalog::Topic> watched{{model::Kind::jwt_provider, {}}};

struct Steps {
  KeySetActor::stateful_pointer<KeySetState> self;
  CatalogActor catalog;
  KeySetOptions options;

  void look(const catalog::View& view) const {
    carry_out(self->state.fetches->look(options.clock(), view));
  }

  void carry_out(const KeySetFetches::Effects& effects) const {
    for (auto& effect : effects)
      std::visit([&](auto& it) { carry_out(it); }, effect);
    schedule();
  }
  void carry_out(const KeySetFetches::Fetch& it) const {
    options.fetcher->fetch(it, [to = caf::actor_cast<caf::actor_addr>(self->address()),
                                provider = it.provider, number = it.number](KeySetFound found) {
      if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(to))
        caf::anon_send(caf::actor_cast<KeySetActor>(std::move(strong)), found_atom::value, provider,
                       number, std::move(found));
    });
  }
  void carry_out(const KeySetFetches::Write& it) const {
    auto name = to_string(it.set.provider);
    if (!it.set.problem.empty())
      options.log.warn("JWTProvider {}: {}: {}", name, it.set.uri, it.set.problem);
    else if (!it.set.uri.empty())
      options.log.info("JWTProvider {}: a key set came from {}", name, it.set.uri);
    self->request(catalog, caf::infinite, apply_atom::value,
                  catalog::Command{catalog::WriteKeySet{it.set}})
        .then([log = options.log](const Applied& applied) {
          // A provider that went meanwhile took its key set with it.
          if (!applied.revision && applied.revision.error().code != Errc::not_found)
            log.error("{}", applied.revision.error().detail);
        });
  }

  void schedule() const {
    auto& state = self->state;
    auto due = state.fetches->next_due();
    if (due >= state.wakes_at)
      return;
    state.wakes_at = due;
    self->delayed_send(self, std::max(due - options.clock(), Millis{0}), tick_atom::value);
  }
};

} // namespace

KeySetActor::behavior_type key_set_actor(KeySetActor::stateful_pointer<KeySetState> self,
                                         CatalogActor catalog, KeySetOptions options) {
  self->state.fetches = std::make_unique<KeySetFetches>(options.seed, options.limits);
  Steps steps{self, std::move(catalog), std::move(options)};
  self->request(steps.catalog, caf::infinite, watch_atom::value, Watcher{self}, watched)
      .then([steps](const catalog::ViewPtr& view) { steps.look(*view); });
  return {
      [steps](change_atom, const Change& change) {
        steps.look(*change.view);
        steps.self->send(steps.catalog, done_atom::value);
      },
      [steps](found_atom, const model::Name& provider, std::uint64_t number,
              const KeySetFound& found) {
        steps.carry_out(steps.self->state.fetches->found(
            steps.options.clock(), steps.options.wall_clock(), provider, number, found));
      },
      [steps](tick_atom) {
        steps.self->state.wakes_at = Instant::max();
        steps.carry_out(steps.self->state.fetches->tick(steps.options.clock()));
      },
  };
}

} // namespace strait::actors
