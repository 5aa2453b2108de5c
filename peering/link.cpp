#include "peering/link.hpp"

#include "base/overload.hpp"

#include <algorithm>

namespace strait::peering {

using model::PeeringState;

Link::Link(LinkOptions options)
    : options_{std::move(options)}, backoff_{options_.backoff}, exports_{options_.peering.name,
                                                                         options_.exports,
                                                                         options_.export_limits},
      imports_{options_.peering.name, options_.import_limits},
      imported_{options_.peering.imported_store_id, options_.peering.imported_revision},
      state_{options_.peering.state}, status_{options_.peering.status} {
  if (state_ == PeeringState::terminated)
    phase_ = Phase::terminated;
}

Link::Effects Link::tick(Moment now) {
  Effects effects;
  if (!started_at_)
    started_at_ = now.instant;
  if (phase_ == Phase::idle && state_ == PeeringState::active &&
      now.instant >= *started_at_ + options_.restart_grace)
    fail_with("there is no stream since this agent was started");
  if (phase_ == Phase::idle && options_.peering.state == PeeringState::deleting)
    remove(now, effects);
  if (phase_ == Phase::idle && dials()) {
    if (!dial_at_)
      dial_at_ = now.instant + options_.first_dial_delay;
    if (now.instant >= *dial_at_)
      dial(now, effects);
  } else if (phase_ == Phase::dialing && now.instant >= deadline_) {
    hang_up(now, Code::unavailable, "no connection within the time limit", effects);
  } else if (phase_ == Phase::farewell && now.instant >= deadline_) {
    effects.push_back(HangUp{stream_, Code::ok, "the peer does not close the stream"});
    forget(effects);
  } else if (phase_ == Phase::live) {
    if (now.instant >= heard_at_ + options_.heartbeat_timeout) {
      hang_up(now, Code::unavailable, "heartbeat timeout", effects);
    } else if (now.instant >= beat_at_) {
      beat_at_ = now.instant + options_.heartbeat;
      send(now, Heartbeat{}, true, effects);
    }
  }
  if (view_is_new_ && now.instant >= refreshed_at_ + options_.refresh_interval)
    refresh(now);
  pump(now, effects);
  return effects;
}

Link::Effects Link::connected(Moment now, StreamId stream) {
  Effects effects;
  if (phase_ != Phase::dialing || stream != stream_)
    return {HangUp{stream, Code::cancelled, "nobody waits for this stream"}};
  begin(now, stream, effects);
  pump(now, effects);
  return effects;
}

Link::Effects Link::accepted(Moment now, StreamId stream) {
  Effects effects;
  if (phase_ != Phase::idle && phase_ != Phase::live)
    return {HangUp{stream, Code::aborted, "the peering is being deleted"}};
  if (phase_ == Phase::live) { // A half-dead stream must not keep the peer out.
    effects.push_back(HangUp{stream_, Code::cancelled, "the peer opened a newer stream"});
    end(now, Code::cancelled, "the peer opened a newer stream", effects);
  }
  begin(now, stream, effects);
  pump(now, effects);
  return effects;
}

Link::Effects Link::received(Moment now, StreamId stream, Message message) {
  Effects effects;
  if (stream != stream_ || phase_ == Phase::dialing || phase_ == Phase::farewell)
    return effects; // Of a stream that is over, or while we only wait for its end.
  ++counters_.messages_received;
  status_.last_receive = now.wall;
  std::visit(overload{[&](Open&) {
                        hang_up(now, Code::invalid_argument,
                                "an Open message is only for the start of a stream", effects);
                      },
                      [&](Terminated&) { terminated(now, effects); },
                      [&](auto& other) { on(now, other, effects); }},
             message);
  pump(now, effects);
  return effects;
}

Link::Effects Link::lost(Moment now, StreamId stream, Code code, const std::string& why) {
  Effects effects;
  if (stream != stream_)
    return effects;
  if (phase_ == Phase::farewell)
    forget(effects);
  else if (phase_ == Phase::dialing || phase_ == Phase::live)
    end(now, code, why.empty() ? "stream ended unexpectedly" : why, effects);
  pump(now, effects);
  return effects;
}

Link::Effects Link::committed(Moment now, ImportQueue::Ticket ticket, const Status& status) {
  Effects effects;
  auto done = imports_.end(ticket, status);
  if (!done)
    return effects;
  if (!done->failure.empty()) {
    status_.last_error = done->failure;
    status_changed_ = true;
  }
  if (done->services) {
    std::sort(done->services->begin(), done->services->end());
    status_.imported = std::move(*done->services);
    status_changed_ = true;
  }
  if (phase_ == Phase::live && !done->answer.url.empty()) {
    list_seen_ = list_seen_ || done->answer.url == type_url(Resource::exported_service_list);
    counters_.nacks_sent += done->answer.failure ? 1 : 0;
    if (dials())
      done->answer.peer_id = options_.peering.peer_id;
    send(now, std::move(done->answer), true, effects);
  }
  pump(now, effects);
  return effects;
}

Link::Effects Link::exports_changed(Moment now, catalog::ViewPtr view) {
  Effects effects;
  view_ = std::move(view);
  view_is_new_ = true;
  if (now.instant >= refreshed_at_ + options_.refresh_interval || exports_.revision() == 0)
    refresh(now);
  pump(now, effects);
  return effects;
}

Link::Effects Link::peering_changed(Moment now, const model::Peering& peering,
                                    const std::string& stream_secret) {
  Effects effects;
  bool again =
      peering.peer_id != options_.peering.peer_id || stream_secret != options_.stream_secret;
  options_.peering = peering;
  options_.stream_secret = stream_secret;
  if (peering.state == PeeringState::deleting) {
    remove(now, effects);
    return effects;
  }
  if (phase_ == Phase::terminated && peering.state != PeeringState::terminated)
    phase_ = Phase::idle; // Established again, or a new token was made for it.
  if (again && phase_ == Phase::idle) {
    state_ = peering.state;
    backoff_.reset();
    dial_at_.reset();
  }
  // Somebody wrote another state over what this link knows.
  state_changed_ = state_changed_ || (phase_ != Phase::terminated && peering.state != state_);
  pump(now, effects);
  return effects;
}

Instant Link::wake_at() const {
  auto next = Instant::max();
  auto sooner = [&](Instant at) { next = std::min(next, at); };
  if (phase_ == Phase::idle && dials())
    sooner(dial_at_.value_or(Instant::min()));
  if (phase_ == Phase::dialing || phase_ == Phase::farewell)
    sooner(deadline_);
  if (view_is_new_)
    sooner(refreshed_at_ + options_.refresh_interval);
  if (phase_ == Phase::live) {
    sooner(std::min(beat_at_, heard_at_ + options_.heartbeat_timeout));
    if (auto retry = exports_.retry_at())
      sooner(*retry);
    if (peer_resumes_ && exports_.synced() && marked_ != exports_.revision())
      sooner(mark_at_);
  }
  if (status_changed_ || imported_changed_ || state_changed_)
    sooner(report_at_);
  return next;
}

} // namespace strait::peering
