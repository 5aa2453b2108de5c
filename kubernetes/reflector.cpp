#include "kubernetes/reflector.hpp"

#include <algorithm>

namespace strait::kubernetes {

Reflector::Effects Reflector::start(Instant, const std::vector<model::Name>& known) {
  Effects effects;
  for (auto& name : known)
    known_.emplace(name, std::string{}); // No version: told anew if it is still there.
  list(effects);
  return effects;
}

void Reflector::list(Effects& effects) {
  phase_ = Phase::listing;
  continue_token_.clear();
  listed_.clear();
  effects.push_back(List{{}, limit_});
}

void Reflector::watch(Instant now, Effects& effects) {
  phase_ = Phase::watching;
  watching_since_ = now;
  brought_ = false;
  effects.push_back(Watch{resource_version_});
}

void Reflector::wait(Phase then, Millis at_least, Effects& effects) {
  phase_ = then;
  delay_ = std::clamp(delay_ * 2, options_.delay_min, options_.delay_max);
  // Many replicas that lost the same server must not all come back in the same moment.
  auto spared = std::uniform_int_distribution<std::int64_t>{0, delay_.count() / 2}(random_);
  effects.push_back(Wait{std::max(at_least, delay_ - Millis{spared})});
}

void Reflector::worked() {
  delay_ = Millis{0};
  barren_ = 0;
  problem_.clear();
}

void Reflector::problem(const std::string& text, Effects& effects) {
  if (text.empty() || problem_ == text)
    return;
  problem_ = text;
  effects.push_back(Problem{text});
}

void Reflector::put(Item item, Effects& effects) {
  auto& version = known_[item.name];
  if (version == item.resource_version && !version.empty())
    return;
  version = item.resource_version;
  effects.push_back(Put{std::move(item)});
}

Reflector::Effects Reflector::listed(Instant now, ListPage page) {
  Effects effects;
  if (phase_ != Phase::listing)
    return effects;
  worked();
  for (auto& item : page.items) {
    listed_.insert(item.name);
    put(std::move(item), effects);
  }
  resource_version_ = page.resource_version;
  continue_token_ = page.continue_token;
  if (!continue_token_.empty()) {
    effects.push_back(List{continue_token_, limit_});
    return effects;
  }
  for (auto it = known_.begin(); it != known_.end();) {
    if (listed_.contains(it->first)) {
      ++it;
      continue;
    }
    effects.push_back(Remove{it->first});
    it = known_.erase(it);
  }
  listed_.clear();
  limit_ = options_.page_max;
  synced_ = true;
  effects.push_back(Synced{});
  watch(now, effects);
  return effects;
}

Reflector::Effects Reflector::list_failed(Instant, const Failure& failure) {
  Effects effects;
  if (phase_ != Phase::listing)
    return effects;
  if (failure.kind == Failure::Kind::too_large && limit_ > 1) {
    limit_ /= 2;
    effects.push_back(List{continue_token_, limit_});
    return effects;
  }
  if (failure.kind == Failure::Kind::expired && !continue_token_.empty()) {
    list(effects); // The pages' snapshot is gone: from the first page.
    return effects;
  }
  problem(failure.text, effects);
  wait(Phase::waiting_to_list, failure.retry_after, effects);
  return effects;
}

Reflector::Effects Reflector::event(Instant, WatchEvent event) {
  Effects effects;
  if (phase_ != Phase::watching)
    return effects;
  if (event.type == EventType::error) {
    effects.push_back(StopWatch{});
    if (event.code == 410) {
      list(effects);
    } else {
      problem("the watch failed: " + event.message, effects);
      wait(Phase::waiting_to_list, {}, effects);
    }
    return effects;
  }
  worked();
  brought_ = true;
  resource_version_ = event.item.resource_version;
  switch (event.type) {
  case EventType::added:
  case EventType::modified:
    put(std::move(event.item), effects);
    break;
  case EventType::deleted:
    if (known_.erase(event.item.name) > 0)
      effects.push_back(Remove{event.item.name});
    break;
  case EventType::bookmark:
  case EventType::error:
    break;
  }
  return effects;
}

Reflector::Effects Reflector::corrupt_event(Instant, const std::string& text) {
  Effects effects;
  if (phase_ != Phase::watching)
    return effects;
  effects.push_back(StopWatch{});
  problem(text, effects);
  wait(Phase::waiting_to_list, {}, effects);
  return effects;
}

Reflector::Effects Reflector::watch_ended(Instant now, const Failure* failure) {
  Effects effects;
  if (phase_ != Phase::watching)
    return effects;
  if (failure && failure->kind == Failure::Kind::expired) {
    list(effects);
    return effects;
  }
  if (!failure && (brought_ || now - watching_since_ >= options_.watch_healthy_after)) {
    watch(now, effects);
    return effects;
  }
  if (failure)
    problem(failure->text, effects);
  if (!brought_ && ++barren_ >= options_.barren_watches_max)
    wait(Phase::waiting_to_list, failure ? failure->retry_after : Millis{0}, effects);
  else
    wait(Phase::waiting_to_watch, failure ? failure->retry_after : Millis{0}, effects);
  return effects;
}

Reflector::Effects Reflector::due(Instant now) {
  Effects effects;
  if (phase_ == Phase::waiting_to_list)
    list(effects);
  else if (phase_ == Phase::waiting_to_watch)
    watch(now, effects);
  return effects;
}

Reflector::Effects Reflector::vanish() {
  Effects effects;
  if (phase_ == Phase::watching)
    effects.push_back(StopWatch{});
  phase_ = Phase::idle;
  for (auto& [name, version] : known_)
    effects.push_back(Remove{name});
  known_.clear();
  listed_.clear();
  synced_ = false;
  delay_ = Millis{0};
  return effects;
}

} // namespace strait::kubernetes
