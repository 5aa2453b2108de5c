#include "gateway/proxy/exchange.hpp"

namespace strait::gateway::proxy {

std::optional<Millis> Exchange::stream_idle() const {
  if (!matched_ || !matched_.rule->idle_timeout)
    return worker_.options.timeouts.stream_idle;
  return *matched_.rule->idle_timeout > Millis{0} ? matched_.rule->idle_timeout : std::nullopt;
}

/// The time from the request sent to the answer's head: as idle as a stream may be, if the rule
/// says that; else up to the rule's other time-outs, if it has any or switches them off; else the
/// proxy's own.
std::optional<Millis> Exchange::response_wait() const {
  const auto& rule = *matched_.rule;
  if (rule.idle_timeout)
    return stream_idle();
  if (rule.request_timeout || rule.backend_timeout)
    return std::nullopt;
  return worker_.options.timeouts.upstream_response;
}

/// Whether the rule wants the attempt made again; then it will be, after a while.
bool Exchange::retry(FailedAttempt attempt) {
  if (!matched_.rule->retry || head_sent_)
    return false;
  const auto& policy = *matched_.rule->retry;
  attempt.retries = policy_retries_;
  attempt.replayable = keep_request_;
  attempt.idempotent = idempotent(request_.head().method());
  if (!wants_retry(policy, attempt, worker_.options.limits.retries_max))
    return false;
  answered_ = attempt.how == FailedAttempt::How::status;
  let_go_of_attempt();
  worker_.counters.add(Counter::retries);
  backoff_.start(retry_delay(policy.backoff, policy_retries_++, worker_.random.next()));
  phase_ = Phase::connecting;
  owner_->expect(std::nullopt);
  return true;
}

/// Keeps the connection if its answer has been read to the end.
void Exchange::let_go_of_attempt() {
  ticket_.cancel();
  attempt_timer_.cancel();
  // Nothing holds the cluster while nothing is asked of it: it is looked up again.
  choice_.cluster = nullptr;
  if (!upstream_)
    return;
  auto& head = response_.head();
  auto& in = upstream_->channel.in;
  bool whole = false;
  if (request_done_ && to_upstream_.empty() && head.bytes() > 0 && head.status() >= 200 &&
      head.keep_alive() && head.framing() != net::http1::Framing::until_close) {
    response_body_.start(head);
    const auto step = response_body_.skip(in.bytes().substr(head.bytes()));
    whole = response_body_.done();
    if (whole)
      in.consume(head.bytes() + step.consumed);
  }
  if (!whole)
    return drop_upstream();
  to_upstream_.clear();
  std::exchange(upstream_, nullptr)->release();
}

void Exchange::retry_now() {
  const auto* own = worker_.routing.cluster(choice_.backend->cluster, *served_);
  // An endpoint that answers is fit for use: its cluster needs nobody to stand in.
  const auto* avoid = own && answered_ && !own->available(attempted_) ? nullptr : attempted_;
  if (own)
    start_attempt(UpstreamEndpoint::Reuse::any, avoid);
  else
    reply(500, "the route has no valid backend for this request");
  owner_->on_exchange();
}

void Exchange::on_deadline() {
  worker_.counters.add(Counter::request_timeouts);
  if (head_sent_)
    abort_ = true;
  else
    reply(504, "the request was not answered in time");
  owner_->on_exchange();
}

void Exchange::on_attempt_timeout() {
  worker_.counters.add(Counter::backend_timeouts);
  if (phase_ == Phase::connecting && !upstream_)
    return ticket_.time_out(); // Comes back as on_upstream_failed().
  const bool sent_nothing = !upstream_ || upstream_->channel.bytes_out() == upstream_out_before_;
  if (head_sent_)
    abort_ = !response_done_ || abort_;
  else if (!retry({.how = FailedAttempt::How::timed_out, .sent_nothing = sent_nothing}))
    reply(504, "the upstream did not answer in time");
  owner_->on_exchange();
}

} // namespace strait::gateway::proxy
