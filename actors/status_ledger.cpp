#include "actors/status_ledger.hpp"

namespace strait::actors {

using model::ConditionType;
using model::ObjectStatus;
using model::Reason;

ObjectStatus StatusLedger::Entry::merged(const model::ObjectKey& object) const {
  ObjectStatus status = own.value_or(ObjectStatus{});
  if (!of_set.empty())
    status = of_set.begin()->second;
  status.object = object;
  auto max = object.kind == model::Kind::backend_tls_policy ? ancestors_max : parents_max;
  for (auto& [gateway, of_gateway] : parents)
    for (auto& parent : of_gateway)
      if (status.parents.size() < max)
        status.parents.push_back(parent);
  if (health)
    status.conditions.push_back(
        {.type = ConditionType::healthy_actor,
         .status = health->running,
         .reason = health->running ? Reason::running : Reason::actor_restarting,
         .message = health->why});
  return status;
}

void StatusLedger::touch(const model::ObjectKey& object) {
  entries_[object].dirty = true;
  dirty_.insert(object);
}

void StatusLedger::own(const ObjectStatus& status) {
  entries_[status.object].own = status;
  touch(status.object);
}

void StatusLedger::says_no_more(const model::Name& gateway, const model::ObjectKey& object) {
  auto it = by_gateway_.find(gateway);
  if (it == by_gateway_.end())
    return;
  it->second.erase(object);
  if (it->second.empty())
    by_gateway_.erase(it);
}

void StatusLedger::route(const RouteStatus& status) {
  auto& parents = entries_[status.route].parents;
  if (status.parents.empty()) {
    parents.erase(status.gateway);
    says_no_more(status.gateway, status.route);
  } else {
    parents[status.gateway] = status.parents;
    by_gateway_[status.gateway].insert(status.route);
  }
  touch(status.route);
}

void StatusLedger::listener_set(const ListenerSetStatus& status) {
  auto& of_set = entries_[status.set].of_set;
  if (status.status) {
    of_set[status.gateway] = *status.status;
    by_gateway_[status.gateway].insert(status.set);
  } else {
    of_set.erase(status.gateway);
    says_no_more(status.gateway, status.set);
  }
  touch(status.set);
}

void StatusLedger::forget(const model::Name& gateway, bool routes_too) {
  auto it = by_gateway_.find(gateway);
  if (it == by_gateway_.end())
    return;
  std::erase_if(it->second, [&](auto& object) {
    if (!routes_too && strait::gateway::resolve::is_route(object.kind))
      return false;
    auto& entry = entries_[object];
    entry.parents.erase(gateway);
    entry.of_set.erase(gateway);
    touch(object);
    return true;
  });
  if (it->second.empty())
    by_gateway_.erase(it);
}

void StatusLedger::health(const ActorHealth& health) {
  entries_[health.object].health = health;
  touch(health.object);
}

std::vector<ObjectStatus> StatusLedger::take() {
  std::vector<ObjectStatus> ready;
  for (auto it = dirty_.begin(); it != dirty_.end();) {
    auto& entry = entries_[*it];
    if (entry.under_way) {
      ++it;
      continue;
    }
    entry.under_way = true;
    entry.dirty = false;
    ready.push_back(entry.merged(*it));
    it = dirty_.erase(it);
  }
  return ready;
}

void StatusLedger::written(const model::ObjectKey& object, bool ok) {
  auto it = entries_.find(object);
  if (it == entries_.end())
    return;
  it->second.under_way = false;
  if (!ok)
    touch(object);
  else if (!it->second.dirty && it->second.nothing())
    entries_.erase(it);
}

} // namespace strait::actors
