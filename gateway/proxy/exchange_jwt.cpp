#include "gateway/proxy/cookies.hpp"
#include "gateway/proxy/exchange.hpp"

#include <algorithm>
#include <array>

namespace strait::gateway::proxy {

using net::http1::HeaderId;

/// Each of the rule's demands must be met by one of its providers; the answer names the fault of
/// the token that came furthest.
bool Exchange::refused_by_jwt() {
  const auto& head = request_.head();
  const auto now = now_wall();
  for (const auto& jwt : matched_.rule->jwt) {
    auto fault = JwtFault::missing;
    for (const auto& provider : jwt.providers) {
      for (const auto& location : jwt_locations(provider)) {
        const auto token = jwt_at(location, head);
        if (token.empty())
          continue;
        const auto found =
            provider.jwks.empty()
                ? JwtFault::signature
                : check_jwt(provider, worker_.key_sets.get(provider.jwks), token, now);
        fault = found == JwtFault::none ? found : std::max(fault, found);
        if (fault != JwtFault::none)
          continue;
        if (!location.forward)
          keep_back(location);
        break;
      }
      if (fault == JwtFault::none)
        break;
    }
    if (fault != JwtFault::none) {
      refuse_token(fault);
      return true;
    }
  }
  return false;
}

/// The backend does not get to see the token.
void Exchange::keep_back(const Jwt::Location& location) {
  const auto& head = request_.head();
  auto& state = filters();
  switch (location.type) {
  case Jwt::Location::Type::header:
    state.request.remove.push_back(location.name);
    return;
  case Jwt::Location::Type::query: {
    const std::string query = state.query.value_or(std::string{head.query()});
    state.query.emplace();
    append_without_parameter(query, location.name, *state.query);
    return;
  }
  case Jwt::Location::Type::cookie: {
    auto& edits = state.request.set;
    auto kept = std::find_if(edits.begin(), edits.end(),
                             [](const HeaderEdit& edit) { return edit.name == "cookie"; });
    std::string cookies;
    if (kept != edits.end()) { // Of another token.
      append_without_cookie(kept->value, location.name, cookies);
      edits.erase(kept);
    } else {
      for (const auto& field : head.fields()) {
        if (field.id != HeaderId::cookie)
          continue;
        std::string rest;
        append_without_cookie(head.value(field), location.name, rest);
        cookies.append(cookies.empty() || rest.empty() ? "" : "; ").append(rest);
      }
      state.request.remove.emplace_back("cookie");
    }
    if (!cookies.empty())
      edits.push_back({"cookie", std::move(cookies)});
    return;
  }
  }
}

/// RFC 6750 §3.
void Exchange::refuse_token(JwtFault fault) {
  worker_.counters.add(Counter::jwt_denied);
  std::string challenge{"Bearer"};
  if (fault != JwtFault::missing)
    challenge
        .append(fault == JwtFault::claims ? " error=\"insufficient_scope\""
                                          : " error=\"invalid_token\"")
        .append(", error_description=\"")
        .append(to_string(fault))
        .append("\"");
  const std::array<HeaderView, 2> fields{
      {{"content-type", "text/plain"}, {"www-authenticate", challenge}}};
  body_.assign(to_string(fault)).append(1, '\n');
  answer(fault == JwtFault::claims ? 403 : 401, fields, body_);
}

} // namespace strait::gateway::proxy
