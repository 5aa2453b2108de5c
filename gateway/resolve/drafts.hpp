#pragma once

#include "gateway/snapshot/config.hpp"

#include <set>

namespace strait::gateway::resolve {

template <class T>
using Ptr = std::shared_ptr<const T>;

/// Resources in the making, and which keys were touched since the last take().
template <class T>
class Drafts {
public:
  explicit Drafts(Resources<T> Config::*field) : field_{field} {}

  /// False if it was so before.
  bool set(Config& config, const std::string& key, Ptr<T> value) {
    auto& resources = config.*field_;
    if (auto* old = resources.find(key); old && **old == *value)
      return false;
    resources = resources.with(key, std::move(value));
    touched_.insert(key);
    return true;
  }
  bool unset(Config& config, const std::string& key) {
    auto& resources = config.*field_;
    if (!resources.contains(key))
      return false;
    resources = resources.without(key);
    touched_.insert(key);
    return true;
  }
  /// Sets exactly these: for resources that come as one small whole.
  void replace(Config& config, const Resources<T>& with) {
    std::vector<std::string> gone;
    for (auto& [key, value] : config.*field_)
      if (!with.contains(key))
        gone.push_back(key);
    for (auto& key : gone)
      unset(config, key);
    for (auto& [key, value] : with)
      set(config, key, value);
  }
  /// What differs from the config taken before: a change that was undone is none.
  Changed<T> take(const Config& config, const Config& before) {
    Changed<T> changed;
    for (auto& key : touched_) {
      auto *now = (config.*field_).find(key), *then = (before.*field_).find(key);
      bool same = now && then ? **now == **then : now == then;
      if (!same)
        changed.emplace_back(key, now ? *now : nullptr);
    }
    touched_.clear();
    return changed;
  }

private:
  Resources<T> Config::*field_;
  std::set<std::string> touched_;
};

} // namespace strait::gateway::resolve
