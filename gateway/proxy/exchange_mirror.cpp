#include "gateway/proxy/exchange.hpp"
#include "gateway/proxy/mirrors.hpp"

namespace strait::gateway::proxy {

/// Draws which mirrors get a copy, and writes its head as the rule would have it.
void Exchange::draw_mirrors() {
  auto& state = filters();
  for (const auto& mirror : matched_.rule->mirrors)
    if (mirror.denominator != 0 && worker_.random.below(mirror.denominator) < mirror.numerator)
      state.mirrors.push_back(&mirror.cluster);
  if (state.mirrors.empty())
    return;
  state.mirror_bytes.clear();
  state.body_seen = 0;
  const RequestForward how{.client_ip = client_ip_,
                           .tls = client_->stream().is_tls(),
                           .edits = {&state.request, &matched_.rule->request, nullptr},
                           .target = state.target,
                           .host = state.host};
  if (!forwarded_.write_request(request_.head(), how, state.mirror_bytes))
    return abandon_mirrors();
  state.mirror_head = state.mirror_bytes.size();
  if (request_done_)
    send_mirrors();
}

/// Bytes of the body go to the backend; of an attempt made again, they were copied before.
void Exchange::copy_for_mirrors(std::string_view bytes) {
  auto& state = *filters_;
  const auto have = state.mirror_bytes.size() - state.mirror_head;
  const auto known = std::min(bytes.size(), have - std::min(have, state.body_seen));
  state.body_seen += bytes.size();
  bytes.remove_prefix(known);
  if (have + bytes.size() > worker_.options.limits.mirror_body_bytes_max)
    return abandon_mirrors();
  state.mirror_bytes.append(bytes);
}

void Exchange::send_mirrors() {
  auto& state = *filters_;
  const auto method = request_.head().method();
  for (const auto* cluster : state.mirrors)
    worker_.mirrors.send(*cluster, served_, state.mirror_bytes,
                         {.head = method == net::http1::Method::head,
                          .resend = idempotent(method),
                          .http2 = grpc_route()});
  state.mirrors.clear();
}

void Exchange::abandon_mirrors() {
  worker_.mirrors.abandon(filters_->mirrors.size());
  filters_->mirrors.clear();
}

} // namespace strait::gateway::proxy
