#include "actors/status_ledger.hpp"

#include <algorithm>

namespace strait::actors {

using model::Condition;
using model::ConditionType;
using model::ObjectStatus;
using model::Reason;

namespace {

/// Says whether all proxies serve it, unless something is said of that already.
void add_serving(std::vector<Condition>& conditions, Serving word) {
  bool said = std::any_of(conditions.begin(), conditions.end(),
                          [](auto& it) { return it.type == ConditionType::serving; });
  if (said || conditions.empty() || word == Serving::unknown)
    return;
  Condition it{.type = ConditionType::serving};
  it.status = word == Serving::serving;
  it.observed_generation = conditions.front().observed_generation;
  if (word == Serving::serving) {
    it.reason = Reason::serving;
  } else if (word == Serving::pending) {
    it.reason = Reason::pending;
    it.message = "not every proxy of the gateway has acknowledged it yet";
  } else {
    it.reason = Reason::no_proxies;
    it.message = "no proxy of the gateway is connected";
  }
  conditions.push_back(std::move(it));
}

/// What is not deployed is not programmed. A Gateway that is wrong by itself says that instead.
void add_obstacle(std::vector<Condition>& conditions, const gateway::resolve::Problem& obstacle) {
  for (auto& it : conditions) {
    bool free = it.status || it.reason == Reason::address_not_assigned;
    if (!free || (it.type != ConditionType::programmed && it.type != ConditionType::ready))
      continue;
    it.status = false;
    it.reason =
        it.type == ConditionType::programmed ? obstacle.reason : Reason::listeners_not_ready;
    it.message = obstacle.message;
  }
}

} // namespace

ObjectStatus StatusLedger::Entry::merged(const model::ObjectKey& object) const {
  ObjectStatus status = own.value_or(ObjectStatus{});
  const model::Name* gateway = &object.name;
  if (!of_set.empty()) {
    status = of_set.begin()->second;
    gateway = &of_set.begin()->first;
  }
  auto word_on = [&](const model::Name& of, const std::string& listener) {
    auto it = services.find({of, listener});
    return it == services.end() ? Serving::unknown : it->second.word;
  };
  status.object = object;
  if (obstacle)
    add_obstacle(status.conditions, *obstacle);
  for (auto& listener : status.listeners)
    add_serving(listener.conditions, word_on(*gateway, listener.name));
  auto max = object.kind == model::Kind::backend_tls_policy ? ancestors_max : parents_max;
  for (auto& [of, of_gateway] : parents)
    for (auto& parent : of_gateway)
      if (status.parents.size() < max) {
        status.parents.push_back(parent);
        add_serving(status.parents.back().conditions, word_on(of, ""));
      }
  if (health)
    status.conditions.push_back(
        {.type = ConditionType::healthy_actor,
         .status = health->running,
         .reason = health->running ? Reason::running : Reason::actor_restarting,
         .message = health->why});
  return status;
}

bool StatusLedger::Entry::pending() const {
  return std::any_of(services.begin(), services.end(),
                     [](auto& it) { return it.second.word == Serving::pending; });
}

void StatusLedger::unqueue(const model::ObjectKey& object, Entry& entry) {
  if (entry.dirty && !entry.under_way)
    due_.erase({entry.due, object});
}

void StatusLedger::queue(const model::ObjectKey& object, Entry& entry) {
  entry.due = entry.pending() ? *entry.dirty + serving_wait_max : *entry.dirty;
  auto settled = std::min(entry.not_while_changing, entry.touched + write_quiet);
  entry.due = std::max({entry.due, entry.not_before, settled});
  due_.emplace(entry.due, object);
}

void StatusLedger::touch(Instant now, const model::ObjectKey& object, Entry& entry) {
  unqueue(object, entry);
  entry.touched = now;
  if (!entry.dirty)
    entry.dirty = now;
  if (!entry.under_way)
    queue(object, entry);
}

void StatusLedger::own(Instant now, const ObjectStatus& status) {
  auto& entry = entries_[status.object];
  entry.own = status;
  touch(now, status.object, entry);
}

void StatusLedger::says_no_more(const model::Name& gateway, const model::ObjectKey& object) {
  auto it = by_gateway_.find(gateway);
  if (it == by_gateway_.end())
    return;
  it->second.erase(object);
  if (it->second.empty())
    by_gateway_.erase(it);
}

void StatusLedger::route(Instant now, const RouteStatus& status) {
  auto& entry = entries_[status.route];
  if (status.parents.empty()) {
    entry.parents.erase(status.gateway);
    says_no_more(status.gateway, status.route);
  } else {
    entry.parents[status.gateway] = status.parents;
    by_gateway_[status.gateway].insert(status.route);
  }
  touch(now, status.route, entry);
}

void StatusLedger::listener_set(Instant now, const ListenerSetStatus& status) {
  auto& entry = entries_[status.set];
  if (status.status) {
    entry.of_set[status.gateway] = *status.status;
    by_gateway_[status.gateway].insert(status.set);
  } else {
    entry.of_set.erase(status.gateway);
    says_no_more(status.gateway, status.set);
  }
  touch(now, status.set, entry);
}

void StatusLedger::serving(Instant now, const ServingStatus& status) {
  auto it = entries_.try_emplace(status.object).first;
  auto& entry = it->second;
  if (status.word == Serving::unknown)
    entry.services.erase({status.gateway, status.listener});
  else
    entry.services[{status.gateway, status.listener}] = status;
  if (entry.says())
    touch(now, status.object, entry);
  else if (entry.nothing() && !entry.dirty && !entry.under_way)
    entries_.erase(it);
}

void StatusLedger::deployment(Instant now, const DeploymentStatus& status) {
  model::ObjectKey object{model::Kind::gateway, status.gateway};
  auto it = entries_.try_emplace(object).first;
  auto& entry = it->second;
  entry.obstacle = status.problem;
  if (entry.says())
    touch(now, object, entry);
  else if (entry.nothing() && !entry.dirty && !entry.under_way)
    entries_.erase(it);
}

void StatusLedger::forget(Instant now, const model::Name& gateway, bool routes_too) {
  auto drop_services = [&](Entry& entry) {
    std::erase_if(entry.services, [&](auto& it) { return it.first.first == gateway; });
  };
  if (auto own = entries_.find({model::Kind::gateway, gateway}); own != entries_.end())
    drop_services(own->second);
  auto it = by_gateway_.find(gateway);
  if (it == by_gateway_.end())
    return;
  std::erase_if(it->second, [&](auto& object) {
    if (!routes_too && strait::gateway::resolve::is_route(object.kind))
      return false;
    auto& entry = entries_[object];
    entry.parents.erase(gateway);
    entry.of_set.erase(gateway);
    drop_services(entry);
    touch(now, object, entry);
    return true;
  });
  if (it->second.empty())
    by_gateway_.erase(it);
}

void StatusLedger::health(Instant now, const ActorHealth& health) {
  auto& entry = entries_[health.object];
  entry.health = health;
  touch(now, health.object, entry);
}

std::vector<ObjectStatus> StatusLedger::take(Instant now) {
  std::vector<ObjectStatus> ready;
  while (!due_.empty() && due_.begin()->first <= now) {
    auto object = due_.begin()->second;
    due_.erase(due_.begin());
    auto& entry = entries_.at(object);
    entry.under_way = true;
    entry.dirty.reset();
    bool again = entry.last && now - *entry.last <= 2 * entry.interval;
    entry.interval = again ? std::min(2 * entry.interval, write_interval_max) : write_interval_min;
    entry.last = now;
    entry.not_before = now + write_interval_min;
    entry.not_while_changing = now + entry.interval;
    ready.push_back(entry.merged(object));
  }
  return ready;
}

std::optional<Instant> StatusLedger::due() const {
  return due_.empty() ? std::nullopt : std::optional{due_.begin()->first};
}

void StatusLedger::written(Instant now, const model::ObjectKey& object, bool ok) {
  auto it = entries_.find(object);
  if (it == entries_.end())
    return;
  auto& entry = it->second;
  entry.under_way = false;
  if (!ok) {
    entry.not_before = now + write_retry;
    if (!entry.dirty)
      entry.dirty = now;
  }
  if (entry.dirty)
    queue(object, entry);
  else if (entry.nothing())
    entries_.erase(it);
}

} // namespace strait::actors
