#include "gateway/proxy/exchange.hpp"

namespace strait::gateway::proxy {

Exchange::Exchange(WorkerContext& worker)
    : worker_{worker}, request_{worker.options.limits.head},
      request_body_{worker.options.limits.head}, ticket_{worker.loop, *this},
      deadline_{worker.loop, [this] { on_deadline(); }}, attempt_timer_{worker.loop,
                                                                        [this] {
                                                                          on_attempt_timeout();
                                                                        }},
      backoff_{worker.loop, [this] { retry_now(); }}, response_{worker.options.limits.head},
      response_body_{worker.options.limits.head}, to_upstream_{worker.buffers},
      to_client_{worker.buffers} {}

Exchange::~Exchange() { reset(); }

void Exchange::begin(ExchangeOwner& owner, Channel& client, const PortState& port,
                     std::string_view client_ip) {
  owner_ = &owner;
  client_ = &client;
  port_ = &port;
  client_ip_ = client_ip;
  phase_ = Phase::head;
  began_ = worker_.loop.now();
  client_out_before_ = client.bytes_out();
  client_in_before_ = client.bytes_in() - client.in.size();
  owner_->expect(worker_.options.timeouts.request_head);
}

void Exchange::reset() {
  ticket_.cancel();
  deadline_.cancel();
  attempt_timer_.cancel();
  backoff_.cancel();
  if (filtered_) {
    abandon_mirrors();
    if (filters_->auth)
      filters_->auth->cancel();
  }
  filtered_ = false;
  to_upstream_.clear();
  to_client_.clear();
  relay_.reset();
  if (upstream_)
    drop_upstream();
  phase_ = Phase::idle;
  served_ = nullptr;
  listener_ = nullptr;
  listener_counts_ = nullptr;
  matched_ = {};
  choice_ = {};
  request_.reset();
  response_.reset();
  request_read_ = response_read_ = 0;
  keep_request_ = true;
  request_done_ = wants_upgrade_ = response_begun_ = head_sent_ = response_done_ = false;
  close_client_ = lingers_ = abort_ = grpc_ = false;
  retries_ = policy_retries_ = 0;
  path_ = {};
  answered_ = met_stale_ = false;
  status_ = 0;
  log_cluster_.clear();
  log_endpoint_.clear();
  log_failure_.clear();
}

/// Whether this turn's share of reads is not used up; if it is, the next turn goes on.
bool Exchange::may_read() {
  if (reads_++ < worker_.options.limits.reads_per_turn_max)
    return true;
  owner_->go_on_later();
  return false;
}

Exchange::Outcome Exchange::advance() {
  reads_ = 0;
  if (phase_ == Phase::head)
    read_head();
  if (phase_ == Phase::gathering)
    gather_for_authorizer();
  if (phase_ == Phase::streaming) {
    pump_request();
    if (phase_ == Phase::streaming && !abort_)
      pump_response();
    // The answer's first byte may have freed the buffer that the request waits for.
    if (phase_ == Phase::streaming && !abort_ && !request_done_ && !response_done_)
      pump_request();
  }
  if (phase_ == Phase::tunnel) {
    const auto state = relay_->advance(worker_.options.limits.reads_per_turn_max);
    if (state == Relay::State::running && relay_->more())
      owner_->go_on_later();
    if (state != Relay::State::running) {
      response_done_ = true;
      abort_ = state == Relay::State::failed;
      close_client_ = true;
      phase_ = Phase::done;
    } else if (relay_->moved()) {
      owner_->expect(stream_idle());
    }
  }
  if (phase_ == Phase::replying && !abort_) {
    switch (client_->flush(to_client_)) {
    case Channel::Flow::moved:
      response_done_ = true;
      phase_ = Phase::done;
      break;
    case Channel::Flow::failed:
      abort_ = true;
      break;
    default:
      break;
    }
  }
  if (phase_ == Phase::streaming && response_done_ && to_client_.empty())
    phase_ = Phase::done;
  if (abort_ || phase_ == Phase::done)
    return finish();
  if (client_->broken() && phase_ != Phase::head) {
    abort_ = true;
    return finish();
  }
  return Outcome::waiting;
}

Exchange::Outcome Exchange::time_out() {
  switch (phase_) {
  case Phase::head:
    if (client_->in.empty())
      return Outcome::close;
    worker_.counters.add(Counter::requests_refused);
    reply(408, "the request's head did not arrive in time");
    break;
  case Phase::gathering:
    reply(408, "the request's body did not arrive in time");
    break;
  case Phase::streaming:
    if (head_sent_) {
      abort_ = true;
    } else if (request_done_) {
      worker_.counters.add(Counter::upstream_response_timeouts);
      if (!retry({.how = FailedAttempt::How::timed_out}))
        reply(504, "the upstream did not answer in time");
    } else {
      reply(408, "the request's body did not arrive in time");
    }
    break;
  default:
    abort_ = true;
  }
  return advance();
}

Exchange::Outcome Exchange::finish() {
  owner_->expect(std::nullopt);
  deadline_.cancel();
  attempt_timer_.cancel();
  backoff_.cancel();
  to_upstream_.clear();
  to_client_.clear();
  if (upstream_) {
    const bool reusable = !abort_ && response_done_ && request_done_ && !relay_ &&
                          response_.head().keep_alive() &&
                          response_.head().framing() != net::http1::Framing::until_close;
    auto* upstream = std::exchange(upstream_, nullptr);
    if (reusable) {
      upstream->channel.in.consume(response_read_);
      upstream->release();
    } else {
      upstream->discard();
    }
    response_read_ = 0;
  }
  ticket_.cancel();
  if (status_ != 0 || abort_) {
    auto& counters = worker_.counters;
    if (abort_ && status_ != 101)
      counters.add(Counter::requests_aborted);
    if (status_ != 0)
      counters.add_response(status_);
    if (listener_counts_) {
      listener_counts_->requests.add();
      if (status_ >= 500)
        listener_counts_->failures.add();
    }
    log();
  }
  if (abort_)
    return Outcome::abort;
  if (close_client_)
    return lingers_ ? Outcome::linger : Outcome::close;
  // What the next request begins with stays.
  client_->in.consume(request_read_);
  request_read_ = 0;
  return Outcome::next;
}

void Exchange::log() {
  if (!worker_.access_log)
    return;
  AccessEntry entry;
  entry.began = began_wall_;
  entry.took = worker_.loop.now() - began_;
  entry.client = client_ip_;
  entry.method = log_method_;
  entry.host = log_host_;
  entry.target = log_target_;
  entry.user_agent = log_agent_;
  entry.request_id = log_id_;
  entry.endpoint = log_endpoint_;
  entry.failure = log_failure_;
  if (listener_)
    entry.listener = listener_->listener->name;
  if (matched_)
    entry.route = matched_.route->id;
  if (!log_cluster_.empty()) // The cluster itself may be forgotten by now.
    entry.cluster = log_cluster_;
  else if (choice_.backend)
    entry.cluster = choice_.backend->cluster;
  entry.status = status_;
  entry.bytes_in = client_->bytes_in() - client_in_before_;
  entry.bytes_out = client_->bytes_out() - client_out_before_;
  if (!worker_.access_log->add(entry))
    worker_.counters.add(Counter::access_log_dropped);
}

void Exchange::on_channel(Channel&) { owner_->on_exchange(); }

void Exchange::on_upstream(UpstreamConnection& connection) {
  use(connection);
  owner_->on_exchange();
}

void Exchange::on_upstream_failed(bool timed_out, std::string_view why) {
  worker_.options.log.debug("{}: {}", choice_.cluster->id(), why);
  if (worker_.access_log)
    log_failure_ = why;
  path_.not_connected(timed_out);
  using How = FailedAttempt::How;
  if (!retry({.how = timed_out ? How::timed_out : How::not_connected, .sent_nothing = true})) {
    // Nothing of the request went out: it may go elsewhere, whatever it is. But a rule that says
    // how often it may be tried again has had its way with this cluster.
    if (matched_.rule->retry)
      path_.pass_over();
    const auto next = pick(attempted_);
    if (next.endpoint)
      try_at(next, UpstreamEndpoint::Reuse::none);
    else
      reply(timed_out ? 504 : 502,
            timed_out ? "no connection to the upstream in time" : "the upstream cannot be reached");
  }
  owner_->on_exchange();
}

} // namespace strait::gateway::proxy
