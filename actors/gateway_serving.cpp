#include "actors/gateway_serving.hpp"

#include <algorithm>

namespace strait::actors {

namespace {

using gateway::resolve::Binder;
using model::Condition;
using model::ConditionType;

void say_not_served(std::vector<Condition>& conditions, std::string_view why) {
  auto generation = conditions.empty() ? 0 : conditions.front().observed_generation;
  conditions.push_back({.type = ConditionType::serving,
                        .status = false,
                        .reason = model::Reason::not_programmed,
                        .message = std::string{why},
                        .observed_generation = generation});
}

bool is_programmed(const std::vector<Condition>& conditions) {
  return std::any_of(conditions.begin(), conditions.end(), [](const Condition& it) {
    return it.type == ConditionType::programmed && it.status;
  });
}

} // namespace

void GatewayServing::took(Binder::Taken& taken) {
  auto epoch = taken.config ? taken.config->epoch : ServingLedger::not_yet;
  if (taken.gateway)
    took_listeners({model::Kind::gateway, gateway_}, taken.gateway->listeners, epoch);
  for (auto& [set, status] : taken.listener_sets) {
    std::vector<model::ListenerStatus> none;
    took_listeners(set, status ? status->listeners : none, epoch);
  }
  took_config(taken);
  took_routes(taken, epoch);
}

void GatewayServing::took_listeners(const model::ObjectKey& owner,
                                    std::vector<model::ListenerStatus>& listeners,
                                    std::uint64_t epoch) {
  std::map<std::string, Conditions> now;
  auto& before = listeners_[owner];
  for (auto& listener : listeners) {
    if (!is_programmed(listener.conditions)) {
      say_not_served(listener.conditions, "the listener is not programmed");
      continue;
    }
    auto it = before.find(listener.name);
    if (it == before.end() || it->second != listener.conditions)
      ledger_.changed({owner, listener.name}, epoch);
    now[listener.name] = listener.conditions;
  }
  for (auto& [name, conditions] : before)
    if (!now.contains(name))
      ledger_.removed({owner, name});
  before = std::move(now);
  if (before.empty())
    listeners_.erase(owner);
}

/// What a configuration changes of listeners without a word in their status: what is bound, and
/// their certificates.
void GatewayServing::took_config(const Binder::Taken& taken) {
  if (!taken.config) {
    epoch_ = 0;
    return;
  }
  auto epoch = taken.config->epoch;
  if (std::exchange(epoch_, epoch) == epoch)
    return;
  if (!taken.delta) {
    for (auto& [owner, listeners] : listeners_)
      for (auto& [name, conditions] : listeners)
        ledger_.changed({owner, name}, epoch);
    return;
  }
  for (auto& [name, listener] : taken.delta->listeners)
    changed(name, epoch);
  if (taken.delta->certificates.empty())
    return;
  std::set<std::string> renewed;
  for (auto& [id, certificate] : taken.delta->certificates)
    renewed.insert(id);
  for (auto& [name, listener] : taken.config->listeners) {
    auto& used = listener->tls.certificates;
    if (std::any_of(used.begin(), used.end(), [&](auto& id) { return renewed.contains(id); }))
      changed(name, epoch);
  }
}

/// Listeners of sets are "NS~SET~NAME" in a configuration (gateway/resolve).
void GatewayServing::changed(const std::string& config_listener, std::uint64_t epoch) {
  model::ObjectKey owner{model::Kind::gateway, gateway_};
  auto name = config_listener;
  if (auto first = name.find('~'); first != std::string::npos) {
    auto second = name.find('~', first + 1);
    owner = {model::Kind::listener_set,
             {name.substr(0, first), name.substr(first + 1, second - first - 1)}};
    name.erase(0, second + 1);
  }
  auto it = listeners_.find(owner);
  if (it != listeners_.end() && it->second.contains(name))
    ledger_.changed({owner, name}, epoch);
}

void GatewayServing::took_routes(Binder::Taken& taken, std::uint64_t epoch) {
  for (auto& [route, service] : taken.services) {
    auto& parents = service.parents;
    if (std::find(parents.begin(), parents.end(), true) == parents.end())
      ledger_.removed({route, ""});
    else
      ledger_.changed({route, ""}, service.waits ? ServingLedger::not_yet : epoch);
    auto told = taken.routes.find(route);
    if (told == taken.routes.end())
      continue;
    for (std::size_t i = 0; i < told->second.size() && i < parents.size(); ++i)
      if (!parents[i])
        say_not_served(told->second[i].conditions, "no listener of the gateway serves it");
  }
}

std::vector<ServingStatus> GatewayServing::words() {
  std::vector<ServingStatus> out;
  for (auto& [key, word] : ledger_.take())
    out.push_back({key.object, gateway_, key.listener, word});
  return out;
}

} // namespace strait::actors
