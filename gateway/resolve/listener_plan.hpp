#pragma once

#include "gateway/resolve/plan.hpp"

namespace strait::gateway::resolve {

/// Writes a listener's conditions from what was found of it, and what it serves if it is in order.
/// `bind` is the address that its port is bound to; empty: every one.
ListenerPlan listener_plan(ListenerEntry entry, ListenerFindings found,
                           const model::ReferencePolicy& policy, const std::string& bind);

/// Whether nothing at all is wrong with a listener.
bool clean(const ListenerPlan& listener);

/// The listener would serve, but its Gateway does not: no condition may claim otherwise.
void silence(ListenerPlan& listener);

} // namespace strait::gateway::resolve
