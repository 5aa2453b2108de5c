#include "actors/catalog_actor.hpp"

#include "catalog/recoverable.hpp"

namespace strait::actors {

namespace {

/// The handlers' shared steps; lives as long as the behaviour, which the actor owns.
struct Steps {
  CatalogActor::stateful_pointer<CatalogState> self;
  StorageActor storage;
  CatalogActorOptions options;

  void send(const std::vector<Publisher::Send>& sends) const {
    for (auto& send : sends)
      self->send(self->state.watchers.at(send.to), change_atom::value, send.change);
  }

  void commit_next() const {
    auto& state = self->state;
    if (state.under_way > 0 || state.waiting.empty())
      return;
    auto commits = std::make_shared<std::vector<storage::Commit>>();
    std::size_t bytes = 0;
    for (auto& command : state.waiting) {
      bytes += storage::bytes_of(command.outcome.commit);
      if (commits->size() == options.commands_per_sync_max ||
          (!commits->empty() && bytes > options.bytes_per_sync_max))
        break;
      commits->push_back(command.outcome.commit);
    }
    state.under_way = commits->size();
    self->request(storage, caf::infinite, commit_atom::value, CommitsPtr{std::move(commits)})
        .then([*this](const Committed& done) { done.status ? publish() : start_over(done.status); },
              [*this](caf::error& error) {
                start_over(fail(Errc::unavailable, "storage: {}", self->system().render(error)));
              });
  }

  void publish() const {
    auto& state = self->state;
    std::vector<catalog::Topic> topics;
    std::vector<WaitingCommand> done;
    for (; state.under_way > 0; --state.under_way) {
      done.push_back(std::move(state.waiting.front()));
      state.waiting.pop_front();
      auto more = topics_of(done.back().outcome);
      topics.insert(topics.end(), more.begin(), more.end());
    }
    // Seen before it is answered: whoever was answered reads what was written.
    state.committed = done.back().outcome.view;
    options.view->store(state.committed);
    for (auto& command : done)
      command.answer(Applied{command.outcome.commit.revision});
    send(state.publisher.publish(state.committed, topics));
    commit_next();
  }

  /// Nothing that is not on disk may be seen: forget it all and read what is.
  void start_over(const Status& why) const {
    auto& state = self->state;
    options.log.error("a commit failed, reading the store anew: {}", why.error().detail);
    for (auto& command : state.waiting)
      command.answer(Applied{fail(why.error())});
    state.waiting.clear();
    state.under_way = 0;
    state.catalog.reset();
    load();
  }

  /// Nobody else is heard until the store has answered: a view before that would be a wrong one.
  void load() const {
    self->request(storage, caf::infinite, load_atom::value)
        .await(
            [*this](const Loaded& loaded) {
              auto& state = self->state;
              if (loaded.catalog) {
                state.catalog = *loaded.catalog;
                state.committed = state.catalog->view();
                options.view->store(state.committed);
                state.loaded_before = true;
                return;
              }
              options.log.error("{}", loaded.catalog.error().detail);
              if (!state.loaded_before)
                return self->quit(
                    caf::make_error(caf::sec::cannot_open_file, loaded.catalog.error().detail));
              state.closed_because = loaded.catalog.error().detail;
              self->delayed_send(self, retry_load, tick_atom::value);
            },
            [*this](caf::error& error) { self->quit(std::move(error)); });
  }

  void apply(const catalog::Command& command, caf::typed_response_promise<Applied> promise) const {
    auto& state = self->state;
    if (state.waiting.size() >= options.commands_waiting_max) {
      promise.deliver(Applied{fail(Errc::exhausted, "{} commands wait for the disk already",
                                   options.commands_waiting_max)});
      return;
    }
    if (!state.catalog) {
      promise.deliver(Applied{
          fail(Errc::unavailable, "the store does not take writes: {}", state.closed_because)});
      return;
    }
    auto before = state.catalog->view();
    auto outcome = state.catalog->apply(command, options.clock());
    if (outcome)
      outcome->commit.recoverable = catalog::is_recoverable(command, *before);
    if (!outcome) {
      promise.deliver(Applied{fail(std::move(outcome.error()))});
    } else if (outcome->nothing() && state.waiting.empty()) {
      promise.deliver(Applied{state.catalog->view()->revision});
    } else if (outcome->nothing()) {
      // It may equal what is not on disk yet: answered together with the newest that waits.
      state.waiting.back().followers.push_back(std::move(promise));
    } else {
      state.waiting.push_back({std::move(*outcome), std::move(promise), {}});
      commit_next();
    }
  }

  static constexpr std::chrono::seconds retry_load{1};
};

} // namespace

CatalogActor::behavior_type catalog_actor(CatalogActor::stateful_pointer<CatalogState> self,
                                          StorageActor storage, CatalogActorOptions options) {
  Steps steps{self, std::move(storage), std::move(options)};
  self->set_down_handler([self](caf::down_msg& down) {
    auto& state = self->state;
    if (auto it = state.numbers.find(down.source); it != state.numbers.end()) {
      state.publisher.unsubscribe(it->second);
      state.watchers.erase(it->second);
      state.numbers.erase(it);
    }
  });
  steps.load();
  return {
      [steps](apply_atom, const catalog::Command& command) -> caf::result<Applied> {
        auto promise = steps.self->make_response_promise<Applied>();
        steps.apply(command, promise);
        return promise;
      },
      [self](view_atom) { return self->state.committed; },
      [self](watch_atom, const Watcher& watcher, const std::set<catalog::Topic>& topics) {
        auto& state = self->state;
        auto [it, added] = state.numbers.emplace(watcher.address(), state.next_number);
        if (added) {
          state.watchers.emplace(state.next_number++, watcher);
          self->monitor(watcher);
        }
        state.publisher.subscribe(it->second, topics);
        return state.committed;
      },
      [steps](done_atom) {
        auto& state = steps.self->state;
        auto source = caf::actor_cast<caf::actor_addr>(steps.self->current_sender());
        if (auto it = state.numbers.find(source); it != state.numbers.end())
          steps.send(state.publisher.acknowledged(it->second));
      },
      [steps](tick_atom) { steps.load(); },
  };
}

} // namespace strait::actors
