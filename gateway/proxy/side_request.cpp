#include "gateway/proxy/side_request.hpp"

#include "gateway/proxy/forwarded_head.hpp"

#include <utility>

namespace strait::gateway::proxy {

using net::http1::BodyStep;
using net::http1::Framing;
using net::http1::Progress;

SideRequest::SideRequest(WorkerContext& worker, User& user)
    : worker_{worker}, user_{user}, ticket_{worker.loop, *this}, timer_{worker.loop,
                                                                        [this] { on_timer(); }},
      resume_{worker.loop, [this] { advance(); }}, out_{worker.buffers},
      response_{worker.options.limits.head}, reader_{worker.options.limits.head} {}

void SideRequest::start(UpstreamCluster& cluster, ServedPtr under, std::string bytes,
                        const Options& options) {
  cancel();
  under_ = std::move(under);
  cluster_id_ = cluster.id();
  path_ = {};
  attempted_ = nullptr;
  bytes_ = std::move(bytes);
  options_ = options;
  resent_ = false;
  failure_ = failure_soon_ = {};
  status_ = 0;
  fields_.clear();
  trailers_.clear();
  body_.clear();
  running_ = true;
  timer_.start(options.timeout);
  if (cluster.cluster()->refused) {
    failure_soon_ = "the backend must not be reached";
    return timer_.start(Millis{0});
  }
  connect(pick(), UpstreamEndpoint::Reuse::any);
}

void SideRequest::cancel() {
  running_ = false;
  timer_.cancel();
  resume_.cancel();
  ticket_.cancel();
  drop();
  under_ = nullptr;
}

Pick SideRequest::pick() {
  auto* own = worker_.routing.cluster(cluster_id_, *under_);
  return own ? worker_.routing.pick(*own, *under_, attempted_, path_.passed_over()) : Pick{};
}

void SideRequest::connect(const Pick& pick, UpstreamEndpoint::Reuse reuse) {
  UpstreamConnection* connection = nullptr;
  if (!pick.endpoint) {
    failure_soon_ = "no endpoint is ready";
    return timer_.start(Millis{0});
  }
  auto& endpoint = *pick.endpoint;
  path_.go_to(pick.place);
  attempted_ = &endpoint;
  if (reuse == UpstreamEndpoint::Reuse::any && !options_.resend)
    reuse = UpstreamEndpoint::Reuse::checked;
  ticket_.speak(options_.http2 || endpoint.cluster().cluster()->http2 ? UpstreamProtocol::http2
                                                                      : UpstreamProtocol::http1);
  switch (endpoint.lease(ticket_, reuse, connection)) {
  case UpstreamEndpoint::Leased::now:
    return on_upstream(*connection);
  case UpstreamEndpoint::Leased::later:
    return;
  case UpstreamEndpoint::Leased::overflow:
    failure_soon_ = "too many requests wait for the endpoint";
    return timer_.start(Millis{0});
  }
}

void SideRequest::on_upstream(UpstreamConnection& connection) {
  upstream_ = &connection;
  connection.channel.set_owner(*this);
  out_before_ = connection.channel.bytes_out();
  response_.reset();
  head_done_ = too_long_ = false;
  out_.clear();
  if (!out_.borrow(bytes_)) {
    failure_soon_ = "the request is too large";
    return timer_.start(Millis{0});
  }
  advance();
}

void SideRequest::on_upstream_failed(bool timed_out, std::string_view) {
  path_.not_connected(timed_out);
  const auto next = pick();
  if (next.endpoint)
    return connect(next, UpstreamEndpoint::Reuse::none);
  fail(timed_out ? "no connection in time" : "it cannot be reached");
}

void SideRequest::on_timer() { fail(failure_soon_.empty() ? "no answer in time" : failure_soon_); }

void SideRequest::advance() {
  if (!failure_soon_.empty() || !upstream_)
    return;
  if (!out_.empty())
    upstream_->channel.flush(out_); // If it fails, reading tells: an answer may have come before.
  for (unsigned reads = 0; read(); ++reads)
    if (reads >= worker_.options.limits.reads_per_turn_max)
      return resume_.start(Millis{0});
}

/// Whether there may be more to read.
bool SideRequest::read() {
  auto& channel = upstream_->channel;
  switch (channel.fill()) {
  case Channel::Flow::moved:
    break;
  case Channel::Flow::blocked:
    return false;
  case Channel::Flow::full:
    fail("the answer's head is too large");
    return false;
  default:
    connection_ended();
    return false;
  }
  return (head_done_ || take_head()) && (!head_done_ || take_body());
}

/// False: it is over.
bool SideRequest::take_head() {
  auto& in = upstream_->channel.in;
  for (;;) {
    const auto answers =
        options_.head ? net::http1::ResponseTo::head : net::http1::ResponseTo::other;
    switch (response_.parse(in.bytes(), answers)) {
    case Progress::need_more:
      return true;
    case Progress::failed:
      fail("the answer is not HTTP/1.1");
      return false;
    case Progress::done:
      break;
    }
    response_.head().rebase(in.base());
    upstream_->endpoint().succeeded();
    if (response_.head().status() == 101) {
      fail("the protocol was changed without being asked");
      return false;
    }
    if (!response_.head().interim())
      break;
    in.consume(response_.head().bytes());
    response_.reset();
  }
  head_done_ = true;
  take_fields();
  reader_.start(response_.head());
  in.consume(response_.head().bytes());
  return true;
}

void SideRequest::take_fields() {
  const auto& head = response_.head();
  status_ = head.status();
  if (!options_.keep_answer)
    return;
  for (const auto& field : head.fields())
    if (!field.hop_by_hop && !frames_message(head.name(field)))
      fields_.push_back({std::string{head.name(field)}, std::string{head.value(field)}});
}

/// False: it is over.
bool SideRequest::take_body() {
  auto& in = upstream_->channel.in;
  while (!reader_.done() && !in.empty()) {
    const auto step = reader_.next(in.bytes());
    if (step.state == BodyStep::State::failed) {
      fail("the answer's framing is broken");
      return false;
    }
    if (reader_.payload_bytes() > options_.answer_bytes_max) {
      too_long_ = true;
      body_.clear();
      succeed();
      return false;
    }
    if (options_.keep_answer)
      body_.append(step.payload);
    in.consume(step.consumed);
  }
  if (!reader_.done())
    return true;
  if (options_.keep_answer)
    for (const auto& [name, value] : reader_.trailers())
      trailers_.push_back({std::string{name}, std::string{value}});
  succeed();
  return false;
}

void SideRequest::connection_ended() {
  auto& channel = upstream_->channel;
  if (head_done_ && !channel.failed() && reader_.finish_at_close())
    return succeed();
  const bool stale = upstream_->reused() && !head_done_ && response_.idle();
  const bool sent_nothing = channel.bytes_out() == out_before_;
  if (!upstream_->reused())
    upstream_->endpoint().failed();
  if (!stale || resent_ || !(sent_nothing || options_.resend))
    return fail("the connection ended before the answer");
  resent_ = true;
  resume_.cancel();
  drop();
  attempted_ = nullptr; // A kept connection that has ended says nothing of its endpoint.
  connect(pick(), UpstreamEndpoint::Reuse::none);
}

void SideRequest::drop() {
  out_.clear();
  if (upstream_)
    std::exchange(upstream_, nullptr)->discard();
}

void SideRequest::succeed() {
  auto* upstream = std::exchange(upstream_, nullptr);
  const bool reusable = out_.empty() && reader_.done() && !too_long_ &&
                        response_.head().keep_alive() &&
                        response_.head().framing() != Framing::until_close;
  out_.clear();
  if (reusable)
    upstream->release();
  else
    upstream->discard();
  timer_.cancel();
  resume_.cancel();
  running_ = false;
  under_ = nullptr;
  user_.on_side_request(*this);
}

void SideRequest::fail(std::string_view why) {
  cancel();
  failure_ = why;
  user_.on_side_request(*this);
}

} // namespace strait::gateway::proxy
