#include "gateway/proxy/exchange.hpp"

namespace strait::gateway::proxy {

void Exchange::pump_request() {
  for (;;) {
    if (!request_done_ && !to_upstream_.borrows())
      queue_request();
    if (phase_ != Phase::streaming)
      return;
    if (!to_upstream_.empty()) {
      const auto flow = upstream_->channel.flush(to_upstream_);
      if (flow == Channel::Flow::blocked)
        return;
      if (flow == Channel::Flow::failed)
        return to_upstream_.clear(); // Reading will tell: an answer may have come before the end.
    }
    if (!keep_request_) {
      client_->in.consume(request_read_);
      request_read_ = 0;
    }
    if (request_done_ || upstream_->channel.failed())
      return;
    if (client_->in.size() > request_read_)
      continue;
    if (!may_read())
      return;
    switch (client_->fill()) {
    case Channel::Flow::moved:
      owner_->expect(stream_idle());
      break;
    case Channel::Flow::blocked:
      return;
    case Channel::Flow::full:
      keep_request_ = false; // The buffer is needed; from here on it can be sent only once.
      break;
    default: // The client left within its request.
      abort_ = true;
      return;
    }
  }
}

void Exchange::queue_request() {
  const auto bytes = client_->in.bytes().substr(request_read_);
  if (bytes.empty())
    return;
  const auto step = request_body_.skip(bytes);
  if (step.state == net::http1::BodyStep::State::failed) {
    worker_.counters.add(Counter::requests_refused);
    lingers_ = true;
    return reply(net::http1::status_of(request_body_.error()),
                 net::http1::to_string(request_body_.error()));
  }
  const auto body_max = worker_.options.limits.body_bytes_max;
  if (body_max != 0 && request_body_.payload_bytes() > body_max) {
    lingers_ = true;
    return reply(413, "the request's body is too large");
  }
  if (!to_upstream_.borrow(bytes.substr(0, step.consumed)))
    return; // The head is still waiting to be written.
  request_read_ += step.consumed;
  if (filtered_ && !filters_->mirrors.empty())
    copy_for_mirrors(bytes.substr(0, step.consumed));
  if (request_body_.done()) {
    request_done_ = true;
    if (filtered_ && !filters_->mirrors.empty())
      send_mirrors();
    owner_->expect(response_wait());
  }
}

} // namespace strait::gateway::proxy
