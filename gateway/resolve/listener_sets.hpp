#pragma once

#include "gateway/resolve/plan.hpp"

namespace strait::gateway::resolve {

/// The ListenerSets of one Gateway (Gateway API ListenerSet): whether it takes them, and their
/// listeners.
struct FoundListenerSets {
  struct Set {
    const model::ListenerSet* object;
    std::optional<Problem> refused; ///< Why the Gateway does not take it.
  };
  std::vector<Set> sets; ///< Oldest first, then by name.
  bool selects_namespaces = false;
};
FoundListenerSets find_listener_sets(const View& view, const model::Gateway& gateway,
                                     Topics& depends);

/// The Gateway's own listeners, then those of the sets that it takes: in order of precedence.
std::vector<ListenerEntry> entries_of(const model::Gateway& gateway, const FoundListenerSets& sets);

/// What a set says of itself: of its listeners at least one must serve.
ListenerSetPlan conclude_set(const FoundListenerSets::Set& set, bool gateway_accepted,
                             const std::vector<ListenerPlan>& listeners);

} // namespace strait::gateway::resolve
