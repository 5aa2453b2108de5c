#include "gateway/proxy/cors.hpp"
#include "gateway/proxy/exchange.hpp"
#include "gateway/proxy/redirect.hpp"
#include "gateway/proxy/rewrite.hpp"

#include <array>

namespace strait::gateway::proxy {

using net::http1::HeaderId;

FilterState& Exchange::filters() {
  if (!filters_)
    filters_ = std::make_unique<FilterState>();
  if (!filtered_)
    filters_->clear();
  filtered_ = true;
  return *filters_;
}

void Exchange::filter() {
  const auto& rule = *matched_.rule;
  if (rule.cors && answered_by_cors())
    return;
  if (!rule.jwt.empty() && refused_by_jwt())
    return;
  if (rule.auth)
    return authorize();
  redirect_or_forward();
}

bool Exchange::answered_by_cors() {
  const auto& head = request_.head();
  const CorsRequest request{.method = head.method_text(),
                            .origin = head.get(HeaderId::origin),
                            .requested_method = head.get("access-control-request-method"),
                            .requested_headers = head.get("access-control-request-headers")};
  add_cors_edits(*matched_.rule->cors, request, filters().response);
  if (!is_preflight(request))
    return false;
  worker_.counters.add(Counter::cors_preflights);
  answer(204, {}, {});
  return true;
}

void Exchange::redirect_or_forward() {
  const auto& rule = *matched_.rule;
  if (rule.redirect)
    return redirect();
  if (rule.rewrite || (filtered_ && filters_->query))
    rewrite();
  if (!rule.mirrors.empty())
    draw_mirrors();
  forward();
}

void Exchange::redirect() {
  const auto& head = request_.head();
  const auto& redirect = *matched_.rule->redirect;
  const bool cut = filtered_ && filters_->query;
  const auto& listener = *listener_->listener;
  text_.clear();
  append_location(redirect, *matched_.match,
                  {.tls = client_->stream().is_tls(),
                   .host = head.host(),
                   .path = head.path(),
                   .has_query = cut ? !filters_->query->empty() : head.has_query(),
                   .query = cut ? std::string_view{*filters_->query} : head.query(),
                   .listener_port = listener.public_port ? listener.public_port : listener.port},
                  text_);
  filters().location = text_;
  worker_.counters.add(Counter::redirects);
  const std::array<HeaderView, 1> fields{{{"location", filters_->location}}};
  answer(redirect.status, fields, {});
}

void Exchange::rewrite() {
  const auto& head = request_.head();
  const auto rewrite = matched_.rule->rewrite.value_or(Rewrite{});
  auto& state = filters();
  state.host = rewrite.hostname;
  const bool cut = state.query.has_value();
  if (rewrite.path || cut)
    append_rewritten_target(rewrite, *matched_.match, head.path(),
                            cut ? !state.query->empty() : head.has_query(),
                            cut ? std::string_view{*state.query} : head.query(), state.target);
}

} // namespace strait::gateway::proxy
