#include "base/overload.hpp"
#include "catalog/change.hpp"
#include "catalog/kinds.hpp"

#include <algorithm>

/// Kubernetes-style objects, config entries, and the conditions of objects.
namespace strait::catalog {

bool is_mirrored(const model::Meta& meta) {
  constexpr std::size_t version_digit = 14;
  return !meta.uid.empty() && !(meta.uid.size() == 36 && meta.uid[version_digit] == '8');
}

namespace {

template <HasMeta T>
bool spec_differs(const T& a, T b) {
  b.meta = a.meta;
  return !(a == b);
}

template <HasMeta T>
void put_object(Change& change, T object, const RecordPtr<T>& stored, WallTime now) {
  auto& meta = object.meta;
  if (!is_mirrored(meta)) {
    bool ours = stored && !is_mirrored(stored->value.meta);
    meta.uid = ours ? stored->value.meta.uid : derive_uid(model::key_of(object), change.revision());
    meta.created = ours ? stored->value.meta.created : now;
    meta.generation = ours ? stored->value.meta.generation : 1;
    if (ours && spec_differs(stored->value, object))
      ++meta.generation;
  } else if (meta.created == WallTime{}) {
    meta.created = stored ? stored->value.meta.created : now;
  }
  change.put(std::move(object));
}

/// What is kept of a route goes with it, and what is kept for a Gateway with that.
void forget_kept(Change& change, const model::ObjectKey& removed) {
  auto& table = change.view().table<model::KeptRoute>();
  std::vector<model::Name> gone;
  if (removed.kind == model::Kind::gateway) {
    for (auto& [name, record] : table)
      if (record->value.gateway == removed.name)
        gone.push_back(name);
  } else {
    auto of_route = to_string(removed);
    for (auto it = table.lower_bound(model::Name{of_route, ""});
         it != table.end() && it->first.ns == of_route; ++it)
      gone.push_back(it->first);
  }
  for (auto& name : gone)
    change.erase<model::KeptRoute>(name);
}

/// What nobody says anything of yet, whether proxies serve it, stands as it was said last: after a
/// restart the proxies are there again before long.
void keep_serving(std::vector<model::Condition>& conditions,
                  const std::vector<model::Condition>* stored) {
  auto serving = [](auto& it) { return it.type == model::ConditionType::serving; };
  if (!stored || conditions.empty() || std::any_of(conditions.begin(), conditions.end(), serving))
    return;
  auto last = std::find_if(stored->begin(), stored->end(), serving);
  if (last != stored->end())
    conditions.push_back(*last);
}

/// lastTransitionTime stays as long as the status does.
void keep_transitions(std::vector<model::Condition>& conditions,
                      const std::vector<model::Condition>* stored, WallTime now) {
  for (auto& condition : conditions) {
    condition.transition = now;
    if (!stored)
      continue;
    auto same = std::find_if(stored->begin(), stored->end(),
                             [&](auto& it) { return it.type == condition.type; });
    if (same != stored->end() && same->status == condition.status)
      condition.transition = same->transition;
  }
}

} // namespace

void apply(Change& change, const CommandLimits&, const Put& command, WallTime now) {
  auto key = key_of(command.object);
  std::visit(
      [&]<class T>(const T& object) {
        auto stored = change.view().template record<T>(key.name);
        require(change, key, command.cas, stored ? stored->modified : 0);
        if (change.refused())
          return;
        if constexpr (HasMeta<T>)
          if (command.mirrored && stored && !is_mirrored(stored->value.meta))
            return change.refuse(Errc::conflict,
                                 "{}: one of that name is written here, so the mirrored one is "
                                 "left out",
                                 model::to_string(key));
        if constexpr (HasMeta<T>)
          put_object(change, object, stored, now);
        else if constexpr (std::is_same_v<T, model::ExportedServices> ||
                           std::is_same_v<T, model::ServiceIntentions>)
          change.put(object);
        else
          change.refuse(Errc::invalid, "{}: is not written by Put", model::to_string(key));
      },
      command.object);
}

void apply(Change& change, const CommandLimits&, const Remove& command, WallTime) {
  bool known = with_kind(command.key.kind, [&]<class T>() {
    if constexpr (HasMeta<T> || std::is_same_v<T, model::ExportedServices> ||
                  std::is_same_v<T, model::ServiceIntentions>) {
      auto stored = change.view().template record<T>(command.key.name);
      require(change, command.key, command.cas, stored ? stored->modified : 0);
      if (change.refused())
        return;
      if (!change.template erase<T>(command.key.name))
        change.refuse(Errc::not_found, "{}: does not exist", model::to_string(command.key));
      model::ObjectStatus status{.object = command.key};
      change.template erase<model::ObjectStatus>(model::key_of(status).name);
      if (T::kind == model::Kind::jwt_provider)
        change.template erase<model::KeySet>(command.key.name);
      forget_kept(change, command.key);
    } else {
      change.refuse(Errc::invalid, "{}: is not removed by Remove", model::to_string(command.key));
    }
  });
  if (!known)
    change.refuse(Errc::invalid, "{}: is not removed by Remove", model::to_string(command.key));
}

void apply(Change& change, const CommandLimits&, const ReportStatus& command, WallTime now) {
  auto status = command.status;
  auto name = model::key_of(status).name;
  bool exists = false;
  with_kind(status.object.kind,
            [&]<class T>() { exists = change.view().template find<T>(status.object.name); });
  if (!exists) {
    change.erase<model::ObjectStatus>(name);
    return;
  }
  auto* stored = change.view().find<model::ObjectStatus>(name);
  keep_transitions(status.conditions, stored ? &stored->conditions : nullptr, now);
  for (auto& listener : status.listeners) {
    const std::vector<model::Condition>* before = nullptr;
    if (stored)
      for (auto& it : stored->listeners)
        if (it.name == listener.name)
          before = &it.conditions;
    keep_serving(listener.conditions, before);
    keep_transitions(listener.conditions, before, now);
  }
  for (auto& parent : status.parents) {
    const std::vector<model::Condition>* before = nullptr;
    if (stored)
      for (auto& it : stored->parents)
        if (it.parent == parent.parent && it.controller == parent.controller)
          before = &it.conditions;
    keep_serving(parent.conditions, before);
    keep_transitions(parent.conditions, before, now);
  }
  change.put(std::move(status));
}

void apply(Change& change, const CommandLimits&, const WriteAuthority& command, WallTime) {
  change.put(command.authority);
}

void apply(Change& change, const CommandLimits&, const WriteKeySet& command, WallTime) {
  if (!change.view().find<model::JwtProvider>(command.set.provider))
    return change.refuse(Errc::not_found, "KeySet {}: there is no JWTProvider of that name",
                         model::to_string(command.set.provider));
  if (command.set.uri.empty())
    change.erase<model::KeySet>(command.set.provider);
  else
    change.put(command.set);
}

void apply(Change& change, const CommandLimits& limits, const KeepRoute& command, WallTime) {
  model::KeptRoute named{.gateway = command.gateway, .route = command.route};
  if (!command.kept) {
    change.erase<model::KeptRoute>(model::key_of(named).name);
    return;
  }
  bool there = false;
  with_kind(command.route.kind,
            [&]<class T>() { there = change.view().template find<T>(command.route.name); });
  if (!there || !change.view().find<model::Gateway>(command.gateway))
    return change.refuse(Errc::not_found, "KeptRoute: there is no {}, or no Gateway {}",
                         to_string(command.route), to_string(command.gateway));
  if (command.kept->content.size() > limits.object_bytes_max)
    return change.refuse(Errc::exhausted, "KeptRoute of {}: {} bytes, more than {}",
                         to_string(command.route), command.kept->content.size(),
                         limits.object_bytes_max);
  change.put(*command.kept);
}

} // namespace strait::catalog
