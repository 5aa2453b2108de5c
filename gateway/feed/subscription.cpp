#include "gateway/feed/subscription.hpp"

#include "base/overload.hpp"
#include "gateway/feed/feed_codec.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace strait::gateway::feed {
namespace {

std::vector<std::string> told(const std::vector<Error>& errors) {
  std::vector<std::string> texts;
  const auto shown = std::min(errors.size(), max_ack_errors);
  for (std::size_t i = 0; i < shown; ++i)
    texts.push_back(errors[i].detail.substr(0, max_error_bytes));
  if (errors.size() > shown)
    texts.push_back(fmt::format("and {} more", errors.size() - shown));
  return texts;
}

} // namespace

Subscription::Effects Subscription::start(Instant now, std::optional<Config> saved) {
  dial_at_ = now;
  Effects effects;
  if (saved && saved->epoch != 0) {
    effects.emplace_back(Apply{whole(*saved)});
    pending_ = std::move(*saved);
    pending_is_saved_ = true;
  }
  for (auto& effect : tick(now))
    effects.push_back(std::move(effect));
  return effects;
}

Subscription::Effects Subscription::tick(Instant now) {
  auto effects = tick_stream(now);
  save_if_due(now, effects);
  return effects;
}

void Subscription::save_if_due(Instant now, Effects& effects) {
  if (!unsaved_since_ || saving_)
    return;
  if (saved_once_ && now - changed_at_ < options_.save_calm &&
      now - *unsaved_since_ < options_.save_overdue)
    return;
  unsaved_since_.reset();
  saving_ = saved_once_ = true;
  effects.emplace_back(Save{config_});
}

Subscription::Effects Subscription::tick_stream(Instant now) {
  switch (phase_) {
  case Phase::down:
    if (now < dial_at_)
      return {};
    phase_ = Phase::dialing;
    dialed_at_ = now;
    return {Dial{address_}};
  case Phase::dialing:
    return now - dialed_at_ >= options_.dial_within
               ? hang_up(now,
                         fmt::format("no connection within {} ms", options_.dial_within.count()))
               : Effects{};
  case Phase::live:
    break;
  }
  if (!address_.empty() && !heard_ && now - heard_at_ >= options_.redirect_within)
    return hang_up(
        now, fmt::format("{}: no word within {} ms", address_, options_.redirect_within.count()));
  if (now - heard_at_ >= options_.max_silence)
    return hang_up(now, "the agent went silent");
  if (hello_due_ || now - status_at_ < options_.status_every)
    return {};
  status_at_ = now;
  return {Send{ProxyStatus{config_.epoch, counters_}}};
}

Subscription::Send Subscription::greeting() const {
  return {Hello{options_.gateway_namespace, options_.gateway_name, options_.proxy_id,
                options_.version, config_.epoch, config_.epoch ? digest(config_) : "", true,
                unreachable_}};
}

Subscription::Effects Subscription::connected(Instant now) {
  phase_ = Phase::live;
  heard_ = false;
  heard_at_ = status_at_ = now;
  hello_due_ = pending_.has_value();
  ack_due_ = false;
  if (hello_due_)
    return {};
  return {greeting()};
}

Subscription::Effects Subscription::received(Instant now, ConfigFrame frame) {
  if (phase_ != Phase::live)
    return {}; // From a stream that was given up.
  heard_ = true;
  heard_at_ = now;
  if (!address_.empty() && !std::holds_alternative<AgentRedirect>(frame))
    unreachable_.clear();
  return std::visit(
      overload{[&](Delta& delta) {
                 if (pending_ || hello_due_)
                   return hang_up(now, "a delta before the last was acknowledged");
                 retry_ = options_.retry_min;
                 return take(std::move(delta));
               },
               [&](Heartbeat&) {
                 retry_ = options_.retry_min;
                 return Effects{};
               },
               [&](Refuse& refuse) { return hang_up(now, "refused: " + refuse.why); },
               [&](AgentRedirect& redirect) { return follow(now, redirect.address); }},
      frame);
}

/// At once: an agent feeds a proxy for a while before it sends it on, so that two that send to each
/// other are not dialled without a rest.
Subscription::Effects Subscription::follow(Instant now, const std::string& address) {
  auto effects = hang_up(now, "the agent sends this proxy to " + address);
  std::get<HangUp>(effects.front()).trouble = false;
  address_ = address;
  dial_at_ = now;
  for (auto& effect : tick_stream(now))
    effects.push_back(std::move(effect));
  return effects;
}

Subscription::Effects Subscription::take(Delta delta) {
  if (delta.epoch == 0 || (delta.from != 0 && delta.from != config_.epoch))
    return {Send{Ack{config_.epoch, {}, true}}};
  pending_ = apply(config_, delta);
  ack_due_ = true;
  return {Apply{std::move(delta)}};
}

Subscription::Effects Subscription::applied(Instant now, const std::vector<Error>& errors) {
  if (!pending_)
    return {};
  config_ = std::move(*pending_);
  pending_.reset();
  Effects effects;
  if (!std::exchange(pending_is_saved_, false)) {
    changed_at_ = now;
    if (!unsaved_since_)
      unsaved_since_ = now;
  }
  if (hello_due_) {
    hello_due_ = false;
    status_at_ = now;
    effects.emplace_back(greeting());
  } else if (ack_due_) {
    effects.emplace_back(Send{Ack{config_.epoch, told(errors), false}});
  }
  ack_due_ = false;
  save_if_due(now, effects); // Last: the agent's next delta need not wait for the disk.
  return effects;
}

Subscription::Effects Subscription::refused(Instant now, const Error& error) {
  if (!pending_)
    return {};
  pending_.reset();
  pending_is_saved_ = false;
  last_error_ = error.detail;
  Effects effects;
  if (hello_due_) {
    hello_due_ = false;
    status_at_ = now;
    effects.emplace_back(greeting());
  } else if (ack_due_) {
    effects.emplace_back(Send{Ack{config_.epoch, told({error}), true}});
  }
  ack_due_ = false;
  return effects;
}

void Subscription::count(std::map<std::string, std::uint64_t> counters) {
  while (counters.size() > max_status_counters)
    counters.erase(std::prev(counters.end()));
  counters_ = std::move(counters);
}

Subscription::Effects Subscription::lost(Instant now, std::string why) {
  if (phase_ != Phase::down)
    fall(now, std::move(why));
  return {};
}

Subscription::Effects Subscription::hang_up(Instant now, std::string why) {
  fall(now, why);
  return {HangUp{std::move(why)}};
}

void Subscription::fall(Instant now, std::string why) {
  phase_ = Phase::down;
  hello_due_ = false;
  ack_due_ = false;
  last_error_ = std::move(why);
  if (!address_.empty())
    unreachable_ = std::exchange(address_, {});
  // Not all proxies of an agent that comes back shall dial it in the same moment.
  const auto half = retry_.count() / 2;
  dial_at_ = now + Millis{retry_.count() - static_cast<std::int64_t>(
                                               random_() % static_cast<std::uint64_t>(half + 1))};
  retry_ = std::min(retry_ * 2, options_.retry_max);
}

} // namespace strait::gateway::feed
