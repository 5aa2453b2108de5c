#include "gateway/proxy/exchange.hpp"
#include "gateway/proxy/external_auth.hpp"
#include "gateway/proxy/grpc_auth.hpp"
#include "net/http1_writer.hpp"

#include <iterator>

namespace strait::gateway::proxy {

using net::http1::BodyStep;
using net::http1::HeaderId;

void Exchange::authorize() {
  const auto& auth = *matched_.rule->auth;
  if (auth.cluster.empty()) {
    worker_.counters.add(Counter::backend_refused);
    return reply(auth.refusal ? auth.refusal : 500, "the route's authorizer is not valid");
  }
  auto& state = filters();
  if (!state.auth)
    state.auth = std::make_unique<SideRequest>(worker_, *this);
  state.auth_body.clear();
  state.auth_read = 0;
  state.auth_reader = net::http1::BodyReader{worker_.options.limits.head};
  state.auth_reader.start(request_.head());
  if (auth.forward_body == 0 || request_done_)
    return ask_authorizer();
  phase_ = Phase::gathering;
  owner_->expect(stream_idle());
  if (request_.head().expects_continue() && !to_client_.copy(net::http1::continue_head))
    abort_ = true;
  gather_for_authorizer();
}

/// The body stays in the client's buffer, from where it is forwarded; the authorizer gets a copy.
void Exchange::gather_for_authorizer() {
  auto& state = *filters_;
  const auto too_large = [&] { reply(413, "the request's body is too large for its authorizer"); };
  if (client_->flush(to_client_) == Channel::Flow::failed) {
    abort_ = true;
    return;
  }
  for (;;) {
    const auto bytes = client_->in.bytes().substr(request_.head().bytes() + state.auth_read);
    const auto step = state.auth_reader.next(bytes);
    if (step.state == BodyStep::State::failed)
      return reply(400, "the request's body is malformed");
    state.auth_read += step.consumed;
    state.auth_body.append(step.payload);
    if (state.auth_body.size() > matched_.rule->auth->forward_body)
      return too_large();
    if (state.auth_reader.done())
      return ask_authorizer();
    if (step.consumed > 0)
      continue;
    switch (client_->fill()) {
    case Channel::Flow::moved:
      request_.head().rebase(client_->in.base());
      break;
    case Channel::Flow::blocked:
      return;
    case Channel::Flow::full:
      return too_large();
    default:
      abort_ = true;
      return;
    }
  }
}

void Exchange::ask_authorizer() {
  const auto& auth = *matched_.rule->auth;
  auto& state = *filters_;
  phase_ = Phase::authorizing;
  owner_->expect(std::nullopt);
  request_.head().rebase(client_->in.base());
  std::string question;
  const auto timeout = worker_.options.timeouts.external_auth;
  if (auth.grpc) {
    const auto message = grpc_auth_message(auth, {.head = request_.head(),
                                                  .client_ip = client_ip_,
                                                  .tls = client_->stream().is_tls(),
                                                  .began = now_wall(),
                                                  .body = state.auth_body});
    question = grpc_auth_head(request_.head().authority(), message.size(), timeout) + message;
  } else {
    if (!append_auth_request(auth, request_.head(), state.auth_body.size(), question))
      return reply(500, "the authorizer cannot be asked");
    question.append(state.auth_body);
  }
  auto* cluster = worker_.routing.cluster(auth.cluster, *served_);
  if (!cluster)
    return reply(500, "the route's authorizer is not known");
  state.auth->start(*cluster, served_, std::move(question),
                    {.timeout = timeout,
                     .answer_bytes_max = worker_.options.limits.auth_answer_bytes_max,
                     .keep_answer = true,
                     .head = !auth.grpc && request_.head().method() == net::http1::Method::head,
                     .http2 = auth.grpc,
                     .resend = true});
}

void Exchange::on_side_request(SideRequest& request) {
  if (!request.failure().empty()) {
    auth_failed(request.failure());
  } else if (matched_.rule->auth->grpc) {
    on_grpc_verdict(request);
  } else if (request.status() == auth_permitted) {
    add_permitted_fields(*matched_.rule->auth, request.fields(), filters_->request);
    pass_authorized();
  } else {
    worker_.counters.add(Counter::auth_denied);
    own_answer_fields_.clear();
    for (const auto& field : request.fields())
      own_answer_fields_.push_back({field.name, field.value});
    answer(request.status(), own_answer_fields_, request.body());
  }
  owner_->on_exchange();
}

/// Nothing passes that nobody allowed.
void Exchange::auth_failed(std::string_view why) {
  worker_.counters.add(Counter::auth_failures);
  worker_.options.log.warn("{}: no answer from its authorizer: {}", matched_.route->id, why);
  reply(403, "the request could not be authorized");
}

void Exchange::on_grpc_verdict(const SideRequest& request) {
  const auto said = [](const std::vector<HeaderEdit>& fields) -> std::string_view {
    for (const auto& field : fields)
      if (net::http1::equal_ignoring_case(field.name, "grpc-status"))
        return field.value;
    return {};
  };
  const auto in_trailers = said(request.trailers());
  const auto status = in_trailers.empty() ? said(request.fields()) : in_trailers;
  if (request.status() != 200 || status != "0")
    return auth_failed("the call failed");
  auto verdict = read_grpc_verdict(request.body());
  if (!verdict)
    return auth_failed("the verdict cannot be read");
  auto& state = filters();
  if (verdict->allowed) {
    const auto append = [](std::vector<HeaderEdit>& to, std::vector<HeaderEdit>& from) {
      std::move(from.begin(), from.end(), std::back_inserter(to));
    };
    append(state.response.set, verdict->response.set);
    append(state.response.add, verdict->response.add);
    append(state.request.set, verdict->request.set);
    append(state.request.add, verdict->request.add);
    for (auto& name : verdict->request.remove)
      state.request.remove.push_back(std::move(name));
    return pass_authorized();
  }
  worker_.counters.add(Counter::auth_denied);
  own_answer_fields_.clear();
  for (const auto& field : verdict->fields)
    own_answer_fields_.push_back({field.name, field.value});
  answer(verdict->status, own_answer_fields_, verdict->body);
}

void Exchange::pass_authorized() {
  worker_.counters.add(Counter::auth_allowed);
  // The client's buffer may have moved.
  request_.head().rebase(client_->in.base());
  phase_ = Phase::connecting;
  redirect_or_forward();
}

} // namespace strait::gateway::proxy
