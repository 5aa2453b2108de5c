#include "peering/link.hpp"

#include <algorithm>

/// The life of one stream: its start, its messages, its end, and what the operator is told.
namespace strait::peering {

using model::PeeringState;

void Link::dial(Moment now, Effects& effects) {
  const auto& peering = options_.peering;
  const auto& ring = peering.manual_server_addresses.empty() ? peering.peer_server_addresses
                                                             : peering.manual_server_addresses;
  phase_ = Phase::dialing;
  stream_ = ++last_stream_;
  deadline_ = now.instant + options_.dial_timeout;
  ++counters_.dials;
  effects.push_back(Dial{stream_, ring[address_++ % ring.size()], peering.peer_ca_pems,
                         peering.peer_server_name});
}

void Link::send(Moment now, Message message, bool urgent, Effects& effects) {
  ++counters_.messages_sent;
  status_.last_send = now.wall;
  effects.push_back(Send{stream_, std::move(message), urgent});
}

void Link::begin(Moment now, StreamId stream, Effects& effects) {
  phase_ = Phase::live;
  stream_ = stream;
  heard_at_ = now.instant;
  beat_at_ = now.instant + options_.heartbeat;
  peer_resumes_ = false;
  peer_imported_.reset();
  peer_list_digest_.clear();
  list_seen_ = false;
  marked_.reset();
  mark_at_ = now.instant;
  exports_.restart();
  imports_.restart();
  const auto& peering = options_.peering;
  if (dials())
    send(now, Open{peering.peer_id, options_.stream_secret, {"", options_.exports.datacenter}},
         false, effects);
  for (auto resource : {Resource::exported_service, Resource::exported_service_list,
                        Resource::trust_bundle, Resource::server_addresses}) {
    if (resource == Resource::server_addresses && !dials())
      continue;
    Request request{.peer_id = dials() ? peering.peer_id : std::string{},
                    .url = std::string{type_url(resource)}};
    if (resource == Resource::exported_service && options_.resume) {
      request.imported = imported_;
      if (imported_.revision > 0)
        request.list_digest = digest_of_names(status_.imported);
    }
    send(now, std::move(request), false, effects);
  }
  send(now, Heartbeat{}, false, effects);
}

/// The stream is over; nothing of it is to be sent or expected any more.
void Link::end(Moment now, Code code, const std::string& why, Effects& effects) {
  phase_ = Phase::idle;
  stream_ = 0;
  exports_.restart();
  imports_.restart();
  if (code == Code::aborted && dials()) { // Deleted there; its Terminated may have been lost.
    terminated(now, effects);
    return;
  }
  if (dials())
    dial_at_ = now.instant + backoff_.next(code);
  bool unknown = code == Code::invalid_argument && why.find("unknown PeerID") != std::string::npos;
  fail_with(unknown ? why + " (the other datacenter no longer has this peering: delete it here, or "
                            "establish it again with a new token)"
                    : why);
}

void Link::hang_up(Moment now, Code code, std::string why, Effects& effects) {
  effects.push_back(HangUp{stream_, code, why});
  end(now, code, why, effects);
}

void Link::on(Moment now, Request& request, Effects& effects) {
  auto resource = resource_from(request.url);
  if (!resource)
    return hang_up(now, Code::invalid_argument,
                   fmt::format("subscription request to unknown resource URL: {}", request.url),
                   effects);
  if (!exports_.subscribed(*resource)) {
    if (!request.nonce.empty() || request.failure)
      return hang_up(
          now, Code::invalid_argument,
          fmt::format("initial subscription for {} must not have a nonce or an error", request.url),
          effects);
    if (request.imported) {
      peer_resumes_ = options_.resume;
      peer_list_digest_ = request.list_digest;
      bool ours = request.imported->store_id == options_.store_id && view_ &&
                  request.imported->revision <= view_->revision;
      if (ours && options_.resume && request.imported->revision > 0) {
        peer_imported_ = request.imported;
        synced_ = request.imported->revision;
        ++counters_.resumed;
      }
    }
    exports_.subscribe(*resource, peer_imported_, peer_list_digest_);
    return;
  }
  if (request.nonce.empty())
    return; // Subscribed twice: no difference.
  if (exports_.answered(now.instant, request.nonce, request.failure) && request.failure) {
    ++counters_.nacks_received;
    status_.last_error = exports_.refusal();
    status_changed_ = true;
  }
}

void Link::on(Moment now, Response& response, Effects& effects) {
  ++counters_.responses_received;
  counters_.payload_bytes_received += response.payload ? response.payload->size() : 0;
  auto refuse = [&](Request nack) {
    ++counters_.nacks_sent;
    status_.last_error = nack.failure->message;
    status_changed_ = true;
    if (dials())
      nack.peer_id = options_.peering.peer_id;
    send(now, std::move(nack), true, effects);
  };
  if (!dials() && response.url == type_url(Resource::server_addresses))
    return refuse({.nonce = response.nonce, // With addresses this side would become a dialer.
                   .url = response.url,
                   .failure = Request::Failure{Code::invalid_argument,
                                               "server addresses were not subscribed to"}});
  auto begun = imports_.begin(std::move(response));
  if (auto* import = std::get_if<ImportQueue::Begun>(&begun))
    effects.push_back(Apply{import->ticket, std::move(import->command)});
  else
    refuse(std::move(std::get<Request>(begun)));
}

void Link::on(Moment now, Heartbeat& heartbeat, Effects&) {
  heard_at_ = now.instant;
  status_.last_heartbeat = now.wall;
  status_changed_ = true;
  backoff_.reset();
  if (heartbeat.exported && options_.resume)
    imports_.mark(std::move(*heartbeat.exported));
}

/// The peer has deleted the peering: what it exported goes, the record stays for the operator.
void Link::terminated(Moment, Effects& effects) {
  if (stream_ != 0)
    effects.push_back(HangUp{stream_, Code::ok, ""});
  phase_ = Phase::terminated;
  stream_ = 0;
  dial_at_.reset();
  imported_ = {};
  status_.imported.clear();
  status_.exported.clear();
  synced_ = 0;
  exports_.restart();
  imports_.restart();
  effects.push_back(Apply{0, catalog::ForgetPeering{options_.peering.name, true}});
  status_.last_error = "the other datacenter has deleted the peering";
  set_state(PeeringState::terminated);
  status_changed_ = true;
}

void Link::remove(Moment now, Effects& effects) {
  if (phase_ == Phase::farewell || phase_ == Phase::gone)
    return;
  if (phase_ == Phase::live) {
    send(now, Terminated{}, true, effects);
    effects.push_back(Drain{stream_});
    phase_ = Phase::farewell;
    deadline_ = now.instant + options_.farewell_timeout;
    return;
  }
  if (phase_ == Phase::dialing)
    effects.push_back(HangUp{stream_, Code::cancelled, "the peering is being deleted"});
  forget(effects);
}

void Link::forget(Effects& effects) {
  phase_ = Phase::gone;
  stream_ = 0;
  effects.push_back(Apply{0, catalog::ForgetPeering{options_.peering.name, false}});
}

void Link::refresh(Moment now) {
  refreshed_at_ = now.instant;
  view_is_new_ = false;
  exports_.refresh(view_);
}

/// Everything that may have become possible.
void Link::pump(Moment now, Effects& effects) {
  if (phase_ == Phase::live && view_) {
    for (auto& response : exports_.release(now.instant, now.wall)) {
      ++counters_.responses_sent;
      counters_.payload_bytes_sent += response.payload->size();
      send(now, std::move(response), false, effects);
    }
    mark_exports(now, effects);
  }
  if (auto passed = imports_.passed()) {
    list_seen_ = true; // Nothing was missing here.
    if (*passed != imported_) {
      imported_ = std::move(*passed);
      imported_changed_ = true;
    }
  }
  if (phase_ == Phase::live && list_seen_ && exports_.tried_all() &&
      exports_.subscribed(Resource::exported_service_list))
    set_state(PeeringState::active);
  report(now, effects);
}

/// Tells a peer that can resume up to where it has everything: at once after the first full
/// round of a stream, then at most once in an interval.
void Link::mark_exports(Moment now, Effects& effects) {
  bool complete = exports_.subscribed(Resource::exported_service) &&
                  exports_.subscribed(Resource::exported_service_list) &&
                  exports_.subscribed(Resource::trust_bundle) && exports_.synced() && !view_is_new_;
  if (complete)
    synced_ = exports_.revision();
  if (!complete || !peer_resumes_ || marked_ == exports_.revision() || now.instant < mark_at_)
    return;
  marked_ = exports_.revision();
  mark_at_ = now.instant + options_.report_interval;
  send(now, Heartbeat{StoreRevision{options_.store_id, *marked_}}, true, effects);
}

void Link::fail_with(std::string why) {
  if (status_.last_error != why) {
    status_.last_error = std::move(why);
    status_changed_ = true;
  }
  set_state(PeeringState::failing);
}

void Link::set_state(PeeringState state) {
  state_changed_ = state_changed_ || state != state_;
  state_ = state;
}

void Link::report(Moment now, Effects& effects) {
  if (phase_ == Phase::gone || phase_ == Phase::farewell)
    return;
  auto lag = exports_.revision() - std::min(synced_, exports_.revision());
  if (phase_ != Phase::terminated &&
      (status_.lag != lag || status_.exported != exports_.services())) {
    status_.lag = lag;
    status_.exported = exports_.services();
    status_changed_ = true;
  }
  bool due = status_changed_ || imported_changed_;
  if (!state_changed_ && (!due || now.instant < report_at_))
    return;
  catalog::ReportPeering report{.name = options_.peering.name, .status = status_};
  if (state_changed_)
    report.state = state_;
  if (imported_changed_)
    report.imported = {imported_.store_id, imported_.revision};
  state_changed_ = status_changed_ = imported_changed_ = false;
  report_at_ = now.instant + options_.report_interval;
  effects.push_back(Apply{0, std::move(report)});
}

} // namespace strait::peering
