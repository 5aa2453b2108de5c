#include "gateway/resolve/listener_sets.hpp"

#include "gateway/resolve/conditions.hpp"
#include "gateway/resolve/references.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

namespace {

using model::ConditionType;
using model::FromNamespaces;
using model::Kind;
using model::Reason;

bool allows(const View& view, const model::Gateway& gateway, const std::string& ns) {
  switch (gateway.listener_sets) {
  case FromNamespaces::none:
    return false;
  case FromNamespaces::all:
    return true;
  case FromNamespaces::same:
    return ns == gateway.meta.name.ns;
  case FromNamespaces::selector: {
    auto* found = view.find<model::Namespace>({"", ns});
    return found && model::matches(gateway.listener_sets_selector, found->meta.labels);
  }
  }
  return false;
}

} // namespace

model::Name gateway_of(const model::ListenerSet& set) {
  if (set.parent.group != gateway_group || set.parent.kind != "Gateway")
    return {};
  return {set.parent.ns.empty() ? set.meta.name.ns : set.parent.ns, set.parent.name};
}

FoundListenerSets find_listener_sets(const View& view, const model::Gateway& gateway,
                                     Topics& depends) {
  FoundListenerSets found;
  found.selects_namespaces = gateway.listener_sets == FromNamespaces::selector;
  depends.insert({Kind::listener_set, {}});
  for (auto& [name, record] : view.table<model::ListenerSet>()) {
    if (gateway_of(record->value) != gateway.meta.name)
      continue;
    FoundListenerSets::Set set{&record->value, {}};
    if (!allows(view, gateway, name.ns))
      set.refused = Problem{Reason::not_allowed,
                            fmt::format("Gateway {}: spec.allowedListeners allows no ListenerSet "
                                        "of namespace {}",
                                        to_string(gateway.meta.name), name.ns)};
    else if (auto* broken = broken_outside(record->value.unsupported))
      set.refused = Problem{Reason::listeners_not_valid, to_string(*broken)};
    found.sets.push_back(std::move(set));
  }
  std::sort(found.sets.begin(), found.sets.end(), [](auto& a, auto& b) {
    return std::tie(a.object->meta.created, a.object->meta.name) <
           std::tie(b.object->meta.created, b.object->meta.name);
  });
  return found;
}

std::vector<ListenerEntry> entries_of(const model::Gateway& gateway,
                                      const FoundListenerSets& sets) {
  std::vector<ListenerEntry> entries;
  auto add = [&](auto& object, const std::optional<model::Name>& set) {
    for (std::size_t i = 0; i < object.listeners.size(); ++i)
      entries.push_back({object.listeners[i], set, object.meta.name.ns, object.meta.generation,
                         broken_in(object.unsupported, i)});
  };
  add(gateway, std::nullopt);
  for (auto& set : sets.sets)
    if (!set.refused)
      add(*set.object, set.object->meta.name);
  return entries;
}

ListenerSetPlan conclude_set(const FoundListenerSets::Set& set, bool gateway_accepted,
                             const std::vector<ListenerPlan>& listeners) {
  ListenerSetPlan plan;
  plan.name = set.object->meta.name;
  auto problem = set.refused;
  if (!problem && !gateway_accepted)
    problem = Problem{Reason::parent_not_accepted, "its Gateway is not accepted"};
  bool all = true, any = false;
  for (auto& it : listeners)
    if (it.entry.set == plan.name) {
      all &= it.programmed;
      any |= it.programmed;
    }
  if (!problem && !any)
    problem = Problem{Reason::listeners_not_valid, "see the conditions of its listeners"};
  auto generation = set.object->meta.generation;
  auto accepted = condition(ConditionType::accepted, Reason::accepted, problem, generation);
  if (!problem && !all) {
    accepted.reason = Reason::listeners_not_valid;
    accepted.message = "see the conditions of its listeners";
  }
  plan.conditions = {std::move(accepted),
                     condition(ConditionType::programmed, Reason::programmed, problem, generation)};
  return plan;
}

} // namespace strait::gateway::resolve
