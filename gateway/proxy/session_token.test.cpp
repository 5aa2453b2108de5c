#include "gateway/proxy/session_token.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy {

TEST_CASE("a session's token names its endpoint until it expires") {
  const SessionScope scope{"key", "HTTPRoute default/web", "checkout"};
  const auto endpoint = session_endpoint("service/default/web/80", "10.0.0.1:8080");
  const auto at = [](std::int64_t ms) { return WallTime{Millis{ms}}; };
  const auto token = make_session_token(scope, endpoint, at(1000));
  CHECK(token.size() == 32);
  CHECK(read_session_token(scope, token, at(999)) == endpoint);
  CHECK_FALSE(read_session_token(scope, token, at(1000)));
  CHECK(read_session_token(scope, make_session_token(scope, endpoint, {}), at(1'000'000)) ==
        endpoint);
  CHECK(session_endpoint("a", "b") != session_endpoint("ab", ""));
}

TEST_CASE("a token that was changed, cut or made for another rule is none") {
  const SessionScope scope{"key", "HTTPRoute default/web", "checkout"};
  const auto token = make_session_token(scope, 7, WallTime{Millis{1000}});
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    CHECK_FALSE(read_session_token(scope, changed, {}));
    CHECK_FALSE(read_session_token(scope, token.substr(0, i), {}));
  }
  CHECK_FALSE(read_session_token(scope, token + "A", {}));
  CHECK_FALSE(read_session_token(scope, std::string(32, '!'), {}));
  CHECK_FALSE(read_session_token({"other", scope.route, scope.rule}, token, {}));
  CHECK_FALSE(read_session_token({"key", "HTTPRoute default/other", scope.rule}, token, {}));
  CHECK_FALSE(read_session_token({"key", scope.route, "other"}, token, {}));
}

TEST_CASE("a permanent cookie says how long it lives, one over TLS that it is secret") {
  SessionPersistence session;
  session.name = "sticky";
  session.absolute_timeout = Millis{3'600'000};
  CHECK(session_cookie(session, "abc", false) == "sticky=abc; Path=/; HttpOnly");
  CHECK(session_cookie(session, "abc", true) == "sticky=abc; Path=/; HttpOnly; Secure");
  session.permanent = true;
  CHECK(session_cookie(session, "abc", false) == "sticky=abc; Path=/; HttpOnly; Max-Age=3600");
}

} // namespace strait::gateway::proxy
