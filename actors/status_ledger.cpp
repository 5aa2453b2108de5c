#include "actors/status_ledger.hpp"

namespace strait::actors {

using model::ConditionType;
using model::ObjectStatus;
using model::Reason;

ObjectStatus StatusLedger::Entry::merged(const model::ObjectKey& object) const {
  ObjectStatus status = own.value_or(ObjectStatus{});
  status.object = object;
  for (auto& [gateway, of_gateway] : parents)
    status.parents.insert(status.parents.end(), of_gateway.begin(), of_gateway.end());
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

void StatusLedger::route(const RouteStatus& status) {
  auto& parents = entries_[status.route].parents;
  if (status.parents.empty())
    parents.erase(status.gateway);
  else
    parents[status.gateway] = status.parents;
  touch(status.route);
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
