#include "gateway/snapshot/config.hpp"

namespace strait::gateway {
namespace {

template <class T>
void apply_changes(Resources<T>& resources, const Changed<T>& changes) {
  for (const auto& [key, value] : changes)
    change(resources, key, value);
}

template <class T>
Changed<T> all_of(const Resources<T>& resources) {
  Changed<T> changes;
  changes.reserve(resources.size());
  resources.each([&](const auto& item) {
    changes.push_back(item);
    return true;
  });
  return changes;
}

template <class T>
Changed<T> changes_between(const Resources<T>& from, const Resources<T>& to) {
  Changed<T> changes;
  Resources<T>::differences(from, to, [&](const auto* old, const auto* now) {
    if (!now)
      changes.emplace_back(old->first, nullptr);
    else if (!old || (old->second != now->second && *old->second != *now->second))
      changes.push_back(*now);
    return true;
  });
  return changes;
}

} // namespace

Config apply(Config config, const Delta& delta) {
  if (delta.from == 0)
    config = {};
  config.epoch = delta.epoch;
  apply_changes(config.listeners, delta.listeners);
  apply_changes(config.routes, delta.routes);
  apply_changes(config.clusters, delta.clusters);
  apply_changes(config.certificates, delta.certificates);
  apply_changes(config.exports, delta.exports);
  apply_changes(config.trust, delta.trust);
  return config;
}

Delta whole(const Config& config) {
  Delta delta;
  delta.epoch = config.epoch;
  delta.listeners = all_of(config.listeners);
  delta.routes = all_of(config.routes);
  delta.clusters = all_of(config.clusters);
  delta.certificates = all_of(config.certificates);
  delta.exports = all_of(config.exports);
  delta.trust = all_of(config.trust);
  return delta;
}

Delta difference(const Config& from, const Config& to) {
  Delta delta;
  delta.from = from.epoch;
  delta.epoch = to.epoch;
  delta.listeners = changes_between(from.listeners, to.listeners);
  delta.routes = changes_between(from.routes, to.routes);
  delta.clusters = changes_between(from.clusters, to.clusters);
  delta.certificates = changes_between(from.certificates, to.certificates);
  delta.exports = changes_between(from.exports, to.exports);
  delta.trust = changes_between(from.trust, to.trust);
  return delta;
}

} // namespace strait::gateway
