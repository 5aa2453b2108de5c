#pragma once

#include "actors/messages.hpp"

#include <caf/all.hpp>

namespace strait::actors {

/// What a query answers with at one revision: encoded once, given to everyone who waits.
struct Answer {
  catalog::Revision index = 0; ///< Consul's X-Consul-Index: the last change of what was asked for.
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
};
using AnswerPtr = std::shared_ptr<const Answer>;

/// A blocking query: answered when the index passes min_index, or at the deadline with what is
/// then.
struct Query {
  /// Equal keys have equal answers: the path and the parameters, without index and wait.
  std::string key;
  std::function<Answer(const catalog::View&)> evaluate; ///< Pure; any thread.
  std::set<catalog::Topic> topics;                      ///< What the answer depends on.
  catalog::Revision min_index = 0;
  Millis wait{};
  std::function<void(const AnswerPtr&)> reply; ///< Called once, on an actor's thread.
};
using QueryPtr = std::shared_ptr<const Query>;

} // namespace strait::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::QueryPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::function<void(const strait::actors::Applied&)>)

namespace strait::actors {

using query_atom = caf::atom_constant<caf::atom("query")>;
using cancel_atom = caf::atom_constant<caf::atom("cancel")>;

/// Holds the queries that wait. One evaluation and one encoding serve all waiters of a key.
using QueryActor =
    caf::typed_actor<caf::reacts_to<change_atom, Change>,   // The catalog.
                     caf::reacts_to<query_atom, QueryPtr>,  // An API server: wait for this.
                     caf::reacts_to<cancel_atom, QueryPtr>, // An API server: the client is gone.
                     caf::reacts_to<tick_atom, QueryPtr>>;  // Itself: the deadline has come.

struct QueryState {
  static inline const char* name = "queries";
  struct Waiters {
    std::set<QueryPtr> queries;
    AnswerPtr last; ///< At the revision of `seen`.
    catalog::Revision seen = 0;
  };
  std::map<std::string, Waiters> by_key;
  std::map<catalog::Topic, std::set<std::string>> keys_of;
  std::set<catalog::Topic> topics; ///< Subscribed to.
  catalog::ViewPtr view;
  std::size_t waiting = 0;
  std::size_t evaluations = 0; ///< For the cost law.
};

struct QueryActorOptions {
  /// Queries that may wait; one more is answered at once with what is.
  std::size_t waiting_max = 100'000;
};

QueryActor::behavior_type query_actor(QueryActor::stateful_pointer<QueryState> self,
                                      CatalogActor catalog, QueryActorOptions options);

/// Carries commands from threads that are no actors to the catalog, and the answer back.
using CommandActor = caf::typed_actor<
    caf::reacts_to<apply_atom, catalog::Command, std::function<void(const Applied&)>>>;
CommandActor::behavior_type command_actor(CommandActor::pointer self, CatalogActor catalog);

} // namespace strait::actors
