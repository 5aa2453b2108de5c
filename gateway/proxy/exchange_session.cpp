#include "gateway/proxy/cookies.hpp"
#include "gateway/proxy/exchange.hpp"
#include "gateway/proxy/session_keys.hpp"
#include "gateway/proxy/session_token.hpp"

namespace strait::gateway::proxy {

using net::http1::HeaderId;

namespace {

/// Empty: none.
std::string_view token_of(const SessionPersistence& session, const net::http1::RequestHead& head) {
  if (session.header)
    return head.get(session.name);
  for (const auto& field : head.fields())
    if (field.id == HeaderId::cookie)
      if (const auto value = cookie_value(head.value(field), session.name))
        return *value;
  return {};
}

SessionScope scope_of(const MatchedRule& matched, std::string_view key) {
  return {key, matched.route->id, matched.rule->name};
}

/// The endpoint that a token names which was signed with any of the keys.
std::optional<std::uint64_t> endpoint_of(const MatchedRule& matched, const SessionKeys& keys,
                                         std::string_view token) {
  for (const auto& key : keys.verifying())
    if (const auto found = read_session_token(scope_of(matched, key), token, now_wall()))
      return found;
  return std::nullopt;
}

} // namespace

/// Whether the request's token names an endpoint that serves: then its backend is the choice. A
/// backend without weight serves nobody, whatever was said before.
bool Exchange::choose_by_session() {
  const auto& rule = *matched_.rule;
  auto& state = filters();
  const auto token = token_of(*rule.session, request_.head());
  if (!token.empty())
    state.session = endpoint_of(matched_, worker_.session_keys, token);
  if (!state.session)
    return false;
  for (const auto& backend : rule.backends) {
    if (backend.weight == 0 || backend.cluster.empty())
      continue;
    auto* cluster = worker_.routing.cluster(backend.cluster, *served_);
    if (cluster && cluster->find(*state.session)) {
      choice_ = {&backend, cluster, 0};
      return true;
    }
  }
  state.session.reset();
  return false;
}

/// A new token if the answer comes from another endpoint than the request's token names; none for
/// an endpoint that stands in: the session goes on at its own when that is back.
void Exchange::hand_out_session() {
  if (path_.place() > 0)
    return;
  const auto endpoint = upstream_->endpoint().session();
  auto& state = filters();
  if (state.session == endpoint)
    return worker_.counters.add(Counter::sessions_kept);
  worker_.counters.add(Counter::sessions_begun);
  const auto& session = *matched_.rule->session;
  const auto expires =
      session.absolute_timeout > Millis{0} ? now_wall() + session.absolute_timeout : WallTime{};
  const auto token =
      make_session_token(scope_of(matched_, worker_.session_keys.signing()), endpoint, expires);
  if (session.header)
    state.response.set.push_back({session.name, token});
  else
    state.response.add.push_back(
        {"set-cookie", session_cookie(session, token, client_->stream().is_tls())});
}

} // namespace strait::gateway::proxy
