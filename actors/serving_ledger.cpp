#include "actors/serving_ledger.hpp"

#include <utility>

namespace strait::actors {

Serving ServingLedger::word_on(const Entry& entry) const {
  if (entry.gone)
    return Serving::unknown;
  switch (state_) {
  case Proxies::unheard:
    return Serving::unknown;
  case Proxies::none:
    return Serving::no_proxies;
  case Proxies::some:
    break;
  }
  return entry.waits ? Serving::pending : Serving::serving;
}

void ServingLedger::changed(const ServedKey& key, std::uint64_t epoch) {
  auto& entry = entries_[key];
  if (entry.waits)
    waiting_.erase({entry.epoch, key});
  entry.epoch = epoch;
  entry.gone = false;
  entry.waits = epoch > acknowledged();
  if (entry.waits)
    waiting_.emplace(epoch, key);
  touched_.insert(key);
  ++counters_.keys_looked_at;
}

void ServingLedger::removed(const ServedKey& key) {
  auto it = entries_.find(key);
  if (it == entries_.end())
    return;
  auto& entry = it->second;
  if (entry.waits)
    waiting_.erase({entry.epoch, key});
  entry.waits = false;
  entry.gone = true;
  touched_.insert(key);
  ++counters_.keys_looked_at;
}

void ServingLedger::served(std::uint64_t proxy, std::uint64_t epoch) {
  if (epoch == 0)
    return;
  auto it = proxies_.find(proxy);
  if (it != proxies_.end())
    served_.erase(served_.find(it->second));
  else if (proxies_.size() >= proxies_max)
    return;
  else
    it = proxies_.emplace(proxy, 0).first;
  it->second = epoch;
  served_.insert(epoch);
  if (state_ != Proxies::some) {
    state_ = Proxies::some;
    everything();
  }
  advance();
}

void ServingLedger::left(std::uint64_t proxy) {
  auto it = proxies_.find(proxy);
  if (it == proxies_.end())
    return;
  served_.erase(served_.find(it->second));
  proxies_.erase(it);
  advance();
}

void ServingLedger::nobody() {
  if (!proxies_.empty() || state_ == Proxies::none)
    return;
  state_ = Proxies::none;
  for (auto& [key, entry] : entries_)
    if (!entry.waits && !entry.gone) {
      entry.waits = true;
      waiting_.emplace(entry.epoch, key);
    }
  everything();
}

void ServingLedger::everything() {
  for (auto& [key, entry] : entries_)
    touched_.insert(key);
  counters_.keys_looked_at += entries_.size();
}

void ServingLedger::advance() {
  auto until = acknowledged();
  while (!waiting_.empty() && waiting_.begin()->first <= until) {
    auto key = waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    entries_.at(key).waits = false;
    touched_.insert(std::move(key));
    ++counters_.keys_looked_at;
  }
}

std::vector<std::pair<ServedKey, Serving>> ServingLedger::take() {
  std::vector<std::pair<ServedKey, Serving>> out;
  for (auto& key : touched_) {
    auto& entry = entries_.at(key);
    auto word = word_on(entry);
    if (word != std::exchange(entry.told, word))
      out.emplace_back(key, word);
    if (entry.gone)
      entries_.erase(key);
  }
  touched_.clear();
  return out;
}

} // namespace strait::actors
