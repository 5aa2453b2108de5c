#include "catalog/key_set_fetches.hpp"

#include <algorithm>

namespace strait::catalog {

KeySetFetches::Effects KeySetFetches::look(Instant now, const View& view) {
  Effects effects;
  for (auto& [name, it] : providers_)
    it.seen = false;
  for (auto& [name, record] : view.table<model::JwtProvider>()) {
    auto& given = record->value;
    auto* kept = view.find<model::KeySet>(name);
    if (given.remote_uri.empty()) {
      if (kept && !kept->uri.empty() && !providers_.contains(name))
        effects.push_back(Write{{.provider = name}});
      continue;
    }
    auto& provider = providers_[name];
    provider.seen = true;
    if (provider.uid != given.meta.uid || provider.uri.empty())
      provider.kept = kept ? *kept : model::KeySet{.provider = name};
    else if (provider.uri == given.remote_uri && provider.refetch == given.refetch &&
             provider.policy == given.fetch)
      continue;
    provider.uid = given.meta.uid;
    provider.uri = given.remote_uri;
    provider.refetch = given.refetch;
    provider.policy = given.fetch;
    provider.number = 0;
    provider.failures = 0;
    plan(name, provider, now);
  }
  for (auto it = providers_.begin(); it != providers_.end();) {
    if (it->second.seen) {
      ++it;
      continue;
    }
    plan(it->first, it->second, Instant::max());
    if (view.find<model::JwtProvider>(it->first) && !it->second.kept.uri.empty())
      effects.push_back(Write{{.provider = it->first}}); // It has a local key set now.
    it = providers_.erase(it);
  }
  start_due(now, effects);
  return effects;
}

KeySetFetches::Effects KeySetFetches::tick(Instant now) {
  Effects effects;
  start_due(now, effects);
  return effects;
}

Instant KeySetFetches::next_due() const {
  return due_.empty() || running_ >= limits_.fetches_running_max ? Instant::max()
                                                                 : due_.begin()->first;
}

void KeySetFetches::plan(const model::Name& name, Provider& provider, Instant due) {
  due_.erase({provider.due, name});
  provider.due = due;
  if (due != Instant::max())
    due_.insert({due, name});
}

void KeySetFetches::start_due(Instant now, Effects& effects) {
  while (!due_.empty() && due_.begin()->first <= now && running_ < limits_.fetches_running_max) {
    auto name = due_.begin()->second;
    auto& provider = providers_.at(name);
    plan(name, provider, Instant::max());
    provider.number = ++last_number_;
    ++running_;
    auto timeout = provider.policy.request_timeout.value_or(Millis{0});
    auto connect = provider.policy.connect_timeout.value_or(Millis{0});
    effects.push_back(Fetch{.provider = name,
                            .number = provider.number,
                            .uri = provider.uri,
                            .ca_pem = provider.policy.ca_pem,
                            .timeout = timeout > Millis{0} ? std::min(timeout, limits_.timeout_max)
                                                           : limits_.timeout_default,
                            .connect_timeout = connect > Millis{0}
                                                   ? std::min(connect, limits_.timeout_max)
                                                   : limits_.connect_timeout_default});
  }
}

Millis KeySetFetches::refetch_of(const Provider& provider) const {
  auto said = provider.refetch.value_or(Millis{0});
  return said > Millis{0} ? std::clamp(said, limits_.refetch_min, limits_.refetch_max)
                          : limits_.refetch_default;
}

/// As many tries as the provider's policy has come within its bounds; later ones go on doubling
/// until they are as rare as fetches that succeed. The jitter takes up to half of the wait.
Millis KeySetFetches::wait_after_failure(const Provider& provider) {
  auto refetch = refetch_of(provider);
  auto& policy = provider.policy;
  auto base = std::max(policy.backoff_base.value_or(limits_.backoff_base_default),
                       limits_.backoff_base_min);
  auto bound = std::max(policy.backoff_max.value_or(limits_.backoff_max_default), base);
  auto retries = std::min(policy.retries.value_or(0), limits_.retries_max);
  auto wait = base;
  for (std::uint32_t failure = 1; failure < provider.failures && wait < refetch; ++failure) {
    wait *= 2;
    if (failure < retries)
      wait = std::min(wait, bound);
  }
  wait = std::min(wait, std::max(refetch, base));
  auto half = wait.count() / 2;
  return Millis{wait.count() - half +
                static_cast<Millis::rep>(random_() % static_cast<std::uint64_t>(half + 1))};
}

/// While a set that was fetched before serves, the tries that the policy allows are made first.
bool KeySetFetches::worth_telling(const Provider& provider) const {
  bool serves = provider.kept.uri == provider.uri && !provider.kept.jwks.empty();
  return !serves || provider.failures > provider.policy.retries.value_or(0);
}

KeySetFetches::Effects KeySetFetches::found(Instant now, WallTime wall, const model::Name& name,
                                            std::uint64_t number, const Result<std::string>& jwks) {
  Effects effects;
  --running_;
  auto it = providers_.find(name);
  if (it == providers_.end() || it->second.number != number) {
    start_due(now, effects);
    return effects;
  }
  auto& provider = it->second;
  provider.number = 0;
  auto set = provider.kept;
  set.provider = name;
  if (set.uri != provider.uri)
    set = {.provider = name, .uri = provider.uri};
  if (jwks) {
    provider.failures = 0;
    set.problem.clear();
    if (set.jwks != *jwks || set.fetched == WallTime{}) {
      set.jwks = *jwks;
      set.fetched = wall;
    }
    plan(name, provider, now + refetch_of(provider));
  } else {
    provider.failures += provider.failures < UINT32_MAX ? 1 : 0;
    if (worth_telling(provider))
      set.problem = jwks.error().detail.substr(0, limits_.problem_bytes_max);
    plan(name, provider, now + wait_after_failure(provider));
  }
  if (set != provider.kept && (!set.jwks.empty() || !set.problem.empty())) {
    provider.kept = set;
    effects.push_back(Write{std::move(set)});
  }
  start_due(now, effects);
  return effects;
}

} // namespace strait::catalog
