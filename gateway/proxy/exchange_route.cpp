#include "base/ascii.hpp"
#include "gateway/proxy/exchange.hpp"
#include "gateway/proxy/grpc_status.hpp"
#include "net/http2_http1.hpp"

#include <charconv>

namespace strait::gateway::proxy {

using net::http1::HeaderId;
using net::http1::Method;
using net::http1::Progress;

namespace {

/// How often a request is sent again that may be acted on twice (RFC 9110 §9.2.2), after
/// connections that ended without an answer: of backends that are rolled, several may end at once.
constexpr unsigned resends_max = 2;

void lower_case(std::string_view text, std::string& out) {
  out.assign(text);
  for (char& c : out)
    c = ascii_lower(c);
}

} // namespace

void Exchange::read_head() {
  for (;;) {
    switch (request_.parse(client_->in.bytes())) {
    case Progress::done:
      request_.head().rebase(client_->in.base());
      return route();
    case Progress::failed:
      worker_.counters.add(Counter::requests_refused);
      return reply(net::http1::status_of(request_.error()),
                   net::http1::to_string(request_.error()));
    case Progress::need_more:
      break;
    }
    switch (client_->fill()) {
    case Channel::Flow::moved:
      break;
    case Channel::Flow::blocked:
      return;
    case Channel::Flow::full:
      worker_.counters.add(Counter::requests_refused);
      return reply(431, "the request's head is too large");
    default: // The client left before it had asked anything.
      close_client_ = true;
      abort_ = client_->failed() || !client_->in.empty();
      phase_ = Phase::done;
      return;
    }
  }
}

void Exchange::route() {
  auto& counters = worker_.counters;
  auto& head = request_.head();
  phase_ = Phase::connecting;
  owner_->expect(std::nullopt);
  counters.add(Counter::requests);
  request_read_ = head.bytes();
  request_body_.start(head);
  request_done_ = request_body_.done();
  close_client_ = close_client_ || !head.keep_alive() || port_->closing;
  served_ = port_->served;
  if (worker_.access_log) {
    began_wall_ = now_wall();
    log_method_ = head.method_text();
    log_host_ = head.host();
    log_target_ = head.target();
    log_agent_ = head.get(HeaderId::user_agent);
    log_id_ = head.get(HeaderId::x_request_id);
  }
  lower_case(head.host(), host_);
  grpc_ = net::http2::is_grpc(head.get(HeaderId::content_type));

  if (head.method() == Method::connect)
    return reply(501, "CONNECT is not supported");
  const auto body_max = worker_.options.limits.body_bytes_max;
  if (body_max != 0 && head.content_length() > body_max)
    return reply(413, "the request's body is too large");

  listener_ = port_->table->find(host_);
  if (!listener_) {
    counters.add(Counter::no_listener);
    return reply(404, "no listener for this host");
  }
  listener_counts_ = &counters.listeners.find_or_add(listener_->listener->name);
  if (client_->stream().is_tls()) {
    lower_case(client_->stream().sni(), sni_);
    const auto* by_server_name = port_->table->find(sni_);
    if (!by_server_name || misdirected(*port_->table, *by_server_name, host_)) {
      counters.add(Counter::misdirected);
      return reply(421, "this host is served by another listener");
    }
  }
  header_views_.clear();
  for (const auto& field : head.fields())
    header_views_.push_back({head.name(field), head.value(field)});
  matched_ = match(*listener_, {.method = head.method_text(),
                                .host = host_,
                                .path = head.path(),
                                .query = head.query(),
                                .headers = header_views_});
  if (!matched_) {
    counters.add(Counter::no_route);
    return reply(404, "no route for this request");
  }
  if (matched_.rule->request_timeout > Millis{0})
    deadline_.start(*matched_.rule->request_timeout);
  if (needs_filters(*matched_.rule))
    return filter();
  forward();
}

void Exchange::forward() {
  auto& counters = worker_.counters;
  auto& head = request_.head();
  if (!matched_.rule->session || !choose_by_session())
    choice_ = worker_.routing.choose(matched_.rule_id, matched_.rule->backends, *served_);
  if (!choice_.cluster) {
    counters.add(Counter::backend_refused);
    // Of a GRPCRoute, what cannot be reached is UNAVAILABLE.
    return reply(grpc_route() ? 503 : choice_.refusal,
                 "the route has no valid backend for this request");
  }
  if (choice_.cluster->cluster()->refused) {
    counters.add(Counter::backend_refused);
    return reply(grpc_route() ? 503 : 500, "the backend must not be reached");
  }
  choice_.cluster->counts().requests.add();
  const auto wanted = head.get(HeaderId::upgrade);
  // h2c would take what follows out of our sight.
  wants_upgrade_ = head.upgrade() && request_done_ &&
                   !net::http1::equal_ignoring_case(wanted.substr(0, 3), "h2c");
  start_attempt(UpstreamEndpoint::Reuse::any, nullptr);
}

bool Exchange::grpc_route() const {
  const auto* route = std::get_if<HttpRoute>(&matched_.route->route);
  return route && route->grpc;
}

/// Where to try next, for a request that has come as far as it has.
Pick Exchange::pick(const UpstreamEndpoint* avoid) {
  // Nothing holds its own cluster while another one stands in: it is looked up again.
  auto* own = path_.place() == 0 && choice_.cluster
                  ? choice_.cluster
                  : worker_.routing.cluster(choice_.backend->cluster, *served_);
  return own ? worker_.routing.pick(*own, *served_, avoid, path_.passed_over()) : Pick{};
}

void Exchange::start_attempt(UpstreamEndpoint::Reuse reuse, const UpstreamEndpoint* avoid) {
  if (filtered_ && filters_->session && !avoid && path_.place() == 0 && choice_.cluster)
    if (auto* endpoint = choice_.cluster->find(*filters_->session))
      return try_at({endpoint, 0}, reuse);
  auto next = pick(avoid);
  if (!next.endpoint && (avoid || path_.passed_over() > 0)) { // Again, where it was tried before.
    path_ = {};
    choice_.cluster = nullptr;
    next = pick(nullptr);
  }
  if (!next.endpoint) {
    worker_.counters.add(Counter::no_endpoint);
    return reply(503, "no endpoint is ready");
  }
  try_at(next, reuse);
}

void Exchange::try_at(const Pick& pick, UpstreamEndpoint::Reuse reuse) {
  using Reuse = UpstreamEndpoint::Reuse;
  auto& endpoint = *pick.endpoint;
  if (pick.place > 0 && pick.place != path_.place())
    endpoint.cluster().counts().requests.add();
  path_.go_to(pick.place);
  choice_.cluster = &endpoint.cluster();
  attempted_ = &endpoint;
  if (matched_.rule->backend_timeout > Millis{0})
    attempt_timer_.start(*matched_.rule->backend_timeout);
  if (worker_.access_log) {
    log_cluster_ = choice_.cluster->id();
    log_endpoint_ = endpoint.name();
  }
  phase_ = Phase::connecting;
  owner_->expect(std::nullopt);
  // What must not be sent twice should not meet a connection that has ended.
  if (reuse == Reuse::any && !idempotent(request_.head().method()))
    reuse = Reuse::checked;
  UpstreamConnection* connection = nullptr;
  const bool http2 = choice_.cluster->cluster()->http2 || grpc_route();
  ticket_.speak(http2 && !wants_upgrade_ ? UpstreamProtocol::http2 : UpstreamProtocol::http1);
  switch (endpoint.lease(ticket_, reuse, connection)) {
  case UpstreamEndpoint::Leased::now:
    return use(*connection);
  case UpstreamEndpoint::Leased::later:
    return;
  case UpstreamEndpoint::Leased::overflow:
    return reply(503, "too many requests wait for the upstream");
  }
}

void Exchange::use(UpstreamConnection& connection) {
  upstream_ = &connection;
  connection.channel.set_owner(*this);
  upstream_out_before_ = connection.channel.bytes_out();
  auto& head = request_.head();
  head.rebase(client_->in.base());
  request_read_ = head.bytes();
  request_body_.start(head);
  request_done_ = request_body_.done();
  response_.reset();
  response_read_ = 0;
  response_begun_ = false;
  if (filtered_)
    filters_->body_seen = 0;
  phase_ = Phase::streaming;
  text_.clear();
  RequestForward how{.client_ip = client_ip_,
                     .tls = client_->stream().is_tls(),
                     .upgrade = wants_upgrade_,
                     .edits = {nullptr, &matched_.rule->request, &choice_.backend->request}};
  if (filtered_) {
    how.edits[0] = &filters_->request;
    how.target = filters_->target;
    how.host = filters_->host;
  }
  const bool written = forwarded_.write_request(head, how, text_);
  if (!written || !to_upstream_.copy(text_))
    return reply(500, "the route's header edits cannot be carried out");
  owner_->expect(request_done_ ? response_wait() : stream_idle());
}

void Exchange::drop_upstream() {
  to_upstream_.clear();
  std::exchange(upstream_, nullptr)->discard();
}

void Exchange::attempt_failed(std::string_view why) {
  auto& counters = worker_.counters;
  const bool sent_nothing =
      upstream_->channel.bytes_out() == upstream_out_before_ || upstream_->unprocessed();
  const bool reused = upstream_->reused();
  auto& endpoint = upstream_->endpoint();
  counters.add(Counter::upstream_failures);
  // A kept connection may have been closed for its age: that says nothing of the endpoint.
  if (!reused)
    endpoint.failed();
  worker_.options.log.debug("{} {}: {}", choice_.cluster->id(), endpoint.name(), why);
  if (worker_.access_log)
    log_failure_ = why;
  const auto* avoid = reused ? nullptr : &endpoint;
  drop_upstream();
  // One such connection does not use up the try that a request has: after it comes a new one.
  const bool stale = reused && !std::exchange(met_stale_, true);
  const bool again = !response_begun_ && keep_request_ && (stale || retries_ < resends_max) &&
                     (reused || !matched_.rule->retry) &&
                     (sent_nothing || idempotent(request_.head().method()));
  if (!again && retry({.how = FailedAttempt::How::ended, .sent_nothing = sent_nothing}))
    return;
  if (!again)
    return reply(502, "the upstream ended the connection before it answered");
  retries_ += stale ? 0 : 1;
  counters.add(Counter::retries);
  start_attempt(UpstreamEndpoint::Reuse::none, avoid);
  if (phase_ == Phase::streaming) // A stream of HTTP/2 is there at once: the request is to be sent.
    owner_->go_on_later();
}

void Exchange::reply(int status, std::string_view text) {
  const std::array<HeaderView, 1> fields{{{"content-type", "text/plain"}}};
  body_.assign(text).append(1, '\n');
  answer(status, fields, body_);
}

void Exchange::answer(int status, std::span<const HeaderView> fields, std::string_view body) {
  if (upstream_)
    drop_upstream();
  ticket_.cancel();
  attempt_timer_.cancel();
  backoff_.cancel();
  if (filtered_ && filters_->auth)
    filters_->auth->cancel();
  if (head_sent_ || phase_ == Phase::replying) {
    abort_ = true;
    return;
  }
  close_client_ = close_client_ || port_->closing;
  if (phase_ == Phase::head) // Where this request ends is not known.
    close_client_ = lingers_ = true;
  // A body that is at hand whole is passed over; else the connection cannot serve on.
  if (!request_done_ && keep_request_ && !lingers_) {
    const auto step = request_body_.skip(client_->in.bytes().substr(request_read_));
    request_read_ += step.consumed;
    request_done_ = request_body_.done();
  }
  if (!request_done_)
    close_client_ = lingers_ = true;
  const bool bodiless = request_.head().method() == Method::head;
  status_ = status;
  if (status >= 500 && choice_.cluster)
    choice_.cluster->counts().failures.add();
  // Trailers-Only: the status of gRPC stands in the head, there is no content.
  std::array<char, 4> number{};
  std::array<HeaderView, 3> trailers_only;
  if (grpc_ && status >= 400) {
    grpc_message_.clear();
    append_grpc_message(body.substr(0, body.find('\n')), grpc_message_);
    const auto digits =
        std::to_chars(number.data(), number.data() + number.size(), grpc_status(status)).ptr;
    trailers_only = {{{"content-type", "application/grpc"},
                      {"grpc-status", {number.data(), digits}},
                      {"grpc-message", grpc_message_}}};
    fields = trailers_only;
    body = {};
    status = 200;
  }
  char length[20];
  const auto end = std::to_chars(length, length + sizeof length, body.size()).ptr;
  own_fields_.assign(fields.begin(), fields.end());
  if (status != 204 && status != 304)
    own_fields_.push_back({"content-length", {length, static_cast<std::size_t>(end - length)}});
  text_.clear();
  const bool written = forwarded_.write_own(
      status, own_fields_,
      {.http10 = request_.head().version_minor() == 0,
       .close = close_client_,
       .edits = {filtered_ ? &filters_->response : nullptr,
                 matched_ && matched_.rule->redirect ? &matched_.rule->response : nullptr}},
      text_);
  if (!written)
    abort_ = true;
  if (!bodiless)
    text_.append(body);
  // Interim heads that wait already go before it.
  if (!to_client_.copy(text_))
    abort_ = true;
  phase_ = Phase::replying;
  owner_->expect(stream_idle());
}

} // namespace strait::gateway::proxy
