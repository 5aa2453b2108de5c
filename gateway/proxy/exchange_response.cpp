#include "gateway/proxy/exchange.hpp"
#include "net/http1_writer.hpp"

namespace strait::gateway::proxy {

using net::http1::Framing;
using net::http1::HeaderId;
using net::http1::Progress;

void Exchange::pump_response() {
  for (;;) {
    if (!to_client_.borrows() && !response_done_)
      queue_response();
    if (phase_ != Phase::streaming || abort_)
      return;
    if (!to_client_.empty()) {
      const auto before = to_client_.bytes();
      const auto flow = client_->flush(to_client_);
      if (to_client_.bytes() != before && head_sent_ && request_done_)
        owner_->expect(stream_idle());
      if (flow == Channel::Flow::blocked)
        return;
      if (flow == Channel::Flow::failed) {
        abort_ = true;
        return;
      }
    }
    auto& in = upstream_->channel.in;
    in.consume(response_read_);
    response_read_ = 0;
    if (response_done_)
      return;
    if (status_ == 101) {
      to_upstream_.clear();
      // What the client sent behind its request belongs to the other protocol.
      client_->in.consume(request_read_);
      request_read_ = 0;
      relay_.emplace(*client_, upstream_->channel, to_client_, to_upstream_);
      deadline_.cancel();
      attempt_timer_.cancel();
      worker_.counters.add(Counter::upgrades);
      phase_ = Phase::tunnel;
      return;
    }
    if (head_sent_ && !in.empty())
      continue;
    if (!may_read())
      return;
    switch (upstream_->channel.fill()) {
    case Channel::Flow::moved:
      response_begun_ = true;
      if (keep_request_ && !matched_.rule->retry && !to_upstream_.borrows()) {
        keep_request_ = false;
        client_->in.consume(request_read_);
        request_read_ = 0;
      }
      break;
    case Channel::Flow::blocked:
      return;
    case Channel::Flow::full:
      worker_.counters.add(Counter::upstream_failures);
      return reply(502, "the upstream's head is too large");
    default:
      response_ended();
      if (phase_ != Phase::streaming || abort_ || !response_done_)
        return;
    }
  }
}

void Exchange::queue_response() {
  auto& in = upstream_->channel.in;
  while (!head_sent_) {
    if (in.empty())
      return;
    const auto answers = request_.head().method() == net::http1::Method::head
                             ? net::http1::ResponseTo::head
                             : net::http1::ResponseTo::other;
    switch (response_.parse(in.bytes(), answers)) {
    case Progress::need_more:
      return;
    case Progress::failed:
      worker_.counters.add(Counter::upstream_failures);
      return reply(502, "the upstream's answer is not HTTP/1.1");
    case Progress::done:
      start_response();
      if (phase_ != Phase::streaming || abort_ || status_ == 101)
        return;
    }
  }
  queue_body();
}

void Exchange::start_response() {
  auto& in = upstream_->channel.in;
  auto& head = response_.head();
  head.rebase(in.base());
  upstream_->endpoint().succeeded();
  const bool http10 = request_.head().version_minor() == 0;
  ResponseForward how{.http10 = http10};
  if (head.interim()) {
    // HTTP/1.0 knows none of them (RFC 9110 §15.2).
    if (!http10) {
      text_.clear();
      if (!forwarded_.write_response(head, how, text_) || !to_client_.copy(text_))
        return reply(502, "the upstream sends too many interim answers");
      worker_.counters.add_response(head.status());
    }
    in.consume(head.bytes());
    response_.reset();
    return;
  }
  if (head.status() == 101 && !wants_upgrade_) {
    worker_.counters.add(Counter::upstream_failures);
    return reply(502, "the upstream changed the protocol without being asked");
  }
  if (matched_.rule->retry) {
    if (retry({.how = FailedAttempt::How::status, .status = head.status()}))
      return;
    if (keep_request_ && !to_upstream_.borrows()) { // This answer is the one.
      keep_request_ = false;
      client_->in.consume(request_read_);
      request_read_ = 0;
    }
  }
  status_ = head.status();
  if (status_ >= 500)
    choice_.cluster->counts().failures.add();
  if (matched_.rule->session)
    hand_out_session();
  response_body_.start(head);
  response_done_ = status_ != 101 && response_body_.done();
  transfer_ = Transfer::as_is;
  if (head.framing() == Framing::chunked && http10)
    transfer_ = Transfer::payload_only;
  else if (head.framing() == Framing::until_close && !http10)
    transfer_ = Transfer::chunk;
  // An HTTP/1.0 client sees the end of such a body by the end of the connection.
  if (http10 && (head.framing() == Framing::chunked || head.framing() == Framing::until_close))
    close_client_ = true;
  // An answer that comes before the request was read: what is left of it cannot be told from the
  // next request unless it is read, and nobody reads it.
  if (response_done_ && !request_done_)
    close_client_ = lingers_ = true;
  close_client_ = close_client_ || port_->closing;
  how.close = close_client_;
  how.chunked = transfer_ == Transfer::chunk ||
                (head.framing() == Framing::chunked && transfer_ == Transfer::as_is);
  how.edits = {&choice_.backend->response, &matched_.rule->response,
               filtered_ ? &filters_->response : nullptr};
  text_.clear();
  if (!forwarded_.write_response(head, how, text_))
    return reply(502, "the answer's header edits cannot be carried out");
  if (!to_client_.copy(text_))
    return reply(502, "the upstream sends too many interim answers");
  head_sent_ = true;
  in.consume(head.bytes());
  owner_->expect(stream_idle());
}

void Exchange::queue_body() {
  auto& in = upstream_->channel.in;
  while (!response_done_) {
    const auto bytes = in.bytes().substr(response_read_);
    if (bytes.empty())
      return;
    const auto step =
        transfer_ == Transfer::as_is ? response_body_.skip(bytes) : response_body_.next(bytes);
    if (step.state == net::http1::BodyStep::State::failed) {
      worker_.counters.add(Counter::upstream_failures);
      abort_ = true; // The head is gone: only the end of the connection can say it.
      return;
    }
    bool queued = true;
    switch (transfer_) {
    case Transfer::as_is:
      queued = to_client_.borrow(bytes.substr(0, step.consumed));
      break;
    case Transfer::payload_only:
      queued = to_client_.copy(step.payload);
      break;
    case Transfer::chunk:
      text_.clear();
      net::http1::append_chunk_size(text_, step.payload.size());
      queued = step.payload.empty() || (to_client_.copy(text_) && to_client_.borrow(step.payload) &&
                                        to_client_.copy("\r\n"));
      break;
    }
    if (!queued) { // Cannot be: the queue's maxima are above what one buffer holds.
      abort_ = true;
      return;
    }
    response_read_ += step.consumed;
    response_done_ = response_body_.done();
  }
  // The answer ended while its request goes on: nobody wants the rest.
  if (!request_done_)
    close_client_ = lingers_ = true;
}

void Exchange::response_ended() {
  auto& channel = upstream_->channel;
  if (!head_sent_)
    return attempt_failed(channel.failed() ? "connection failed" : "connection ended");
  if (channel.failed() || !response_body_.finish_at_close()) {
    worker_.counters.add(Counter::upstream_failures);
    abort_ = true;
    return;
  }
  response_done_ = true;
  if (transfer_ == Transfer::chunk && !to_client_.copy(net::http1::last_chunk))
    abort_ = true;
}

} // namespace strait::gateway::proxy
