#include "actors/query_actor.hpp"

namespace strait::actors {

namespace {

using catalog::Topic;

struct Steps {
  QueryActor::stateful_pointer<QueryState> self;
  CatalogActor catalog;
  QueryActorOptions options;

  const AnswerPtr& evaluate(QueryState::Waiters& waiters, const Query& query) const {
    auto& state = self->state;
    if (!waiters.last || waiters.seen != state.view->revision) {
      ++state.evaluations;
      waiters.last = std::make_shared<const Answer>(query.evaluate(*state.view));
      waiters.seen = state.view->revision;
    }
    return waiters.last;
  }

  void wait_for(const QueryPtr& query) const {
    auto& state = self->state;
    if (state.waiting >= options.waiting_max) {
      QueryState::Waiters nobody;
      query->reply(evaluate(nobody, *query));
      return;
    }
    auto& waiters = state.by_key[query->key];
    if (waiters.queries.insert(query).second)
      ++state.waiting;
    for (auto& topic : query->topics)
      state.keys_of[topic].insert(query->key);
    self->delayed_send(self, query->wait, tick_atom::value, query);
    if (!subscribe())
      answer(query);
  }

  /// Answers the one that came, if its index has been passed; the others of its key were looked at
  /// when they came.
  void answer(const QueryPtr& query) const {
    auto now = evaluate(self->state.by_key.at(query->key), *query);
    if (now->index <= query->min_index)
      return;
    query->reply(now);
    forget(query);
  }

  /// True if the catalog was asked: its answer brings the view to evaluate.
  bool subscribe() const {
    auto& state = self->state;
    std::set<Topic> topics;
    for (auto& [topic, keys] : state.keys_of)
      topics.insert(topic);
    if (topics == state.topics)
      return false;
    auto added = topics;
    for (auto& topic : state.topics)
      added.erase(topic);
    state.topics = topics;
    self->request(catalog, caf::infinite, watch_atom::value, Watcher{self}, topics)
        .then([*this, added](const catalog::ViewPtr& view) {
          self->state.view = view;
          for (auto& topic : added)
            look(topic);
        });
    return true;
  }

  /// Answers those of one key whose index has been passed.
  void answer(const std::string& key) const {
    auto& state = self->state;
    auto it = state.by_key.find(key);
    if (it == state.by_key.end() || it->second.queries.empty() || !state.view)
      return;
    auto now = evaluate(it->second, **it->second.queries.begin());
    auto queries = it->second.queries;
    for (auto& query : queries)
      if (now->index > query->min_index) {
        query->reply(now);
        forget(query);
      }
  }

  void look(const Topic& topic) const {
    for (auto& wanted :
         std::set{topic, Topic{topic.kind, {topic.name.ns, ""}}, Topic{topic.kind, {}}})
      if (auto it = self->state.keys_of.find(wanted); it != self->state.keys_of.end())
        for (auto& key : std::set{it->second})
          answer(key);
  }

  void forget(const QueryPtr& query) const {
    auto& state = self->state;
    auto it = state.by_key.find(query->key);
    if (it == state.by_key.end() || it->second.queries.erase(query) == 0)
      return;
    --state.waiting;
    if (!it->second.queries.empty())
      return;
    for (auto& topic : query->topics) {
      auto keys = state.keys_of.find(topic);
      keys->second.erase(query->key);
      if (keys->second.empty())
        state.keys_of.erase(keys);
    }
    state.by_key.erase(it);
  }

  void deadline(const QueryPtr& query) const {
    auto it = self->state.by_key.find(query->key);
    if (it == self->state.by_key.end() || !it->second.queries.contains(query))
      return;
    query->reply(evaluate(it->second, *query));
    forget(query);
    subscribe();
  }
};

} // namespace

QueryActor::behavior_type query_actor(QueryActor::stateful_pointer<QueryState> self,
                                      CatalogActor catalog, QueryActorOptions options) {
  Steps steps{self, std::move(catalog), options};
  self->state.view = std::make_shared<const catalog::View>();
  return {
      [steps](change_atom, const Change& change) {
        steps.self->state.view = change.view;
        for (auto& topic : change.topics)
          steps.look(topic);
        steps.subscribe();
        steps.self->send(steps.catalog, done_atom::value);
      },
      [steps](query_atom, const QueryPtr& query) { steps.wait_for(query); },
      [steps](cancel_atom, const QueryPtr& query) {
        steps.forget(query);
        steps.subscribe();
      },
      [steps](tick_atom, const QueryPtr& query) { steps.deadline(query); },
  };
}

CommandActor::behavior_type command_actor(CommandActor::pointer self, CatalogActor catalog) {
  return {
      [=](apply_atom, const catalog::Command& command,
          const std::function<void(const Applied&)>& reply) {
        self->request(catalog, caf::infinite, apply_atom::value, command)
            .then([reply](const Applied& applied) { reply(applied); },
                  [=](caf::error& error) {
                    reply(Applied{fail(Errc::unavailable, "the catalog does not answer: {}",
                                       self->system().render(error))});
                  });
      },
  };
}

} // namespace strait::actors
