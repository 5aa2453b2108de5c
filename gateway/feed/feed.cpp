#include "gateway/feed/feed.hpp"

#include "base/overload.hpp"
#include "gateway/feed/feed_codec.hpp"

#include <fmt/format.h>

namespace strait::gateway::feed {

Feed::Effects Feed::offer(Instant now, Config config) {
  if (ended_ || redirected_ || config.epoch == 0 || (wanted_ && wanted_->epoch == config.epoch))
    return {};
  wanted_ = std::move(config);
  return send_next(now);
}

Feed::Effects Feed::received(Instant now, ProxyFrame frame) {
  if (ended_)
    return {};
  if (redirected_)
    return {}; // It was said before the proxy knew.
  heard_at_ = now;
  if (!hello_ && !std::holds_alternative<Hello>(frame))
    return hang_up("the proxy did not say hello first");
  return std::visit(
      overload{[&](Hello& hello) { return greeted(now, std::move(hello)); },
               [&](Ack& ack) { return acknowledged(now, std::move(ack)); },
               [&](ProxyStatus& status) { return Effects{Reported{std::move(status)}}; }},
      frame);
}

Feed::Effects Feed::greeted(Instant now, Hello hello) {
  if (hello_)
    return hang_up("the proxy said hello twice");
  if (hello.gateway_namespace != options_.gateway_namespace ||
      hello.gateway_name != options_.gateway_name) {
    auto why = fmt::format("proxy '{}' asks for Gateway {}/{}, this is Gateway {}/{}",
                           hello.proxy_id, hello.gateway_namespace, hello.gateway_name,
                           options_.gateway_namespace, options_.gateway_name);
    auto effects = Effects{Send{Refuse{why}}};
    effects.push_back(hang_up(std::move(why)).front());
    return effects;
  }
  hello_ = std::move(hello);
  auto effects = send_next(now);
  // A word at once, so that it knows that somebody is here.
  if (!in_flight_)
    effects.push_back(beat(now));
  return effects;
}

Feed::Effect Feed::beat(Instant now) {
  sent_at_ = now;
  return Send{Heartbeat{wanted_ ? wanted_->epoch : 0}};
}

bool Feed::is_to_leave(Instant now) const {
  if (elsewhere_.empty() || !hello_->follows)
    return false;
  auto stays =
      elsewhere_ == hello_->unreachable ? options_.redirect_again : options_.redirect_after;
  return now - began_at_ >= stays;
}

Feed::Effects Feed::acknowledged(Instant now, Ack ack) {
  if (!in_flight_)
    return hang_up(fmt::format("the proxy acknowledged epoch {} unasked", ack.epoch));
  if (ack.wants_whole) {
    if (whole_in_flight_)
      return hang_up(
          fmt::format("the proxy does not take the whole config of epoch {}", in_flight_->epoch));
    in_flight_.reset();
    has_.reset();
    return send_next(now);
  }
  if (ack.epoch != in_flight_->epoch)
    return hang_up(
        fmt::format("the proxy acknowledged epoch {} instead of {}", ack.epoch, in_flight_->epoch));
  has_ = std::move(in_flight_);
  in_flight_.reset();
  told_ = true;
  Effects effects{Serving{ack.epoch, std::move(ack.errors)}};
  for (auto& effect : send_next(now))
    effects.push_back(std::move(effect));
  return effects;
}

/// A proxy that comes back has something already. Its epoch alone says little, because the agent
/// may have begun to count anew: the digest decides.
void Feed::find_out_what_it_has() {
  compared_ = true;
  if (hello_->epoch == 0 || hello_->digest != digest(*wanted_))
    return;
  has_ = wanted_;
  has_->epoch = hello_->epoch;
}

Feed::Effects Feed::send_next(Instant now) {
  if (!hello_ || !wanted_ || in_flight_)
    return {};
  if (!compared_)
    find_out_what_it_has();
  if (has_ && has_->epoch == wanted_->epoch)
    return std::exchange(told_, true) ? Effects{} : Effects{Serving{has_->epoch, {}}};
  whole_in_flight_ = !has_;
  in_flight_ = wanted_;
  sent_at_ = now;
  return {Send{has_ ? difference(*has_, *wanted_) : whole(*wanted_)}};
}

Feed::Effects Feed::tick(Instant now) {
  if (ended_)
    return {};
  if (!hello_)
    return now - began_at_ >= options_.hello_within ? hang_up("the proxy did not say hello")
                                                    : Effects{};
  if (redirected_)
    return now - sent_at_ >= options_.leave_within
               ? hang_up("the proxy did not go where it was sent")
               : Effects{};
  if (is_to_leave(now)) {
    redirected_ = true;
    sent_at_ = now;
    return {Send{AgentRedirect{elsewhere_}}};
  }
  if (in_flight_ && now - sent_at_ >= options_.ack_within)
    return hang_up(fmt::format("the proxy did not acknowledge epoch {} within {} ms",
                               in_flight_->epoch, options_.ack_within.count()));
  if (now - heard_at_ >= options_.max_silence)
    return hang_up("the proxy went silent");
  if (in_flight_ || now - sent_at_ < options_.heartbeat)
    return {};
  return {beat(now)};
}

Feed::Effects Feed::hang_up(std::string why) {
  ended_ = true;
  return {HangUp{std::move(why)}};
}

} // namespace strait::gateway::feed
