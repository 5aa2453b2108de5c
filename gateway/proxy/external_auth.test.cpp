#include "gateway/proxy/external_auth.hpp"

#include "net/http1_parser.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy {

namespace {

std::string question(const ExternalAuth& auth, std::string_view request, std::size_t body = 0) {
  net::http1::RequestParser parser;
  REQUIRE(parser.parse(request) == net::http1::Progress::done);
  parser.head().rebase(request.data());
  std::string out;
  REQUIRE(append_auth_request(auth, parser.head(), body, out));
  return out;
}

} // namespace

TEST_CASE("an authorizer sees method, target, host, authorization and what is allowed") {
  const std::string request{"PUT /a/b?c=d HTTP/1.1\r\nHost: a.org:81\r\nCookie: x=1\r\n"
                            "Authorization: Basic eA==\r\nX-Tenant: 7\r\nContent-Length: 9\r\n"
                            "Connection: x-hop\r\nX-Hop: 1\r\nExpect: 100-continue\r\n\r\n"};
  ExternalAuth auth;
  CHECK(question(auth, request) == "PUT /a/b?c=d HTTP/1.1\r\nhost: a.org:81\r\n"
                                   "Authorization: Basic eA==\r\ncontent-length: 0\r\n\r\n");
  auth.allowed_headers = {"x-tenant", "cookie", "x-hop", "content-length", "host", "expect"};
  CHECK(question(auth, request, 5) ==
        "PUT /a/b?c=d HTTP/1.1\r\nhost: a.org:81\r\nCookie: x=1\r\nAuthorization: Basic eA==\r\n"
        "X-Tenant: 7\r\ncontent-length: 5\r\n\r\n");
  for (const auto* path : {"/auth", "/auth/", "auth"}) {
    auth.path = path;
    CHECK(question(auth, request).starts_with("PUT /auth/a/b?c=d HTTP/1.1\r\n"));
  }
}

TEST_CASE("of a permission the backend sees what is allowed, or all that is not the answer's own") {
  const std::vector<HeaderEdit> fields{
      {"X-User", "7"},  {"x-role", "a"}, {"X-Role", "b"},       {"Content-Type", "text/html"},
      {"Host", "evil"}, {"Date", "now"}, {"Set-Cookie", "a=b"}, {"Transfer-Encoding", "chunked"}};
  ExternalAuth auth;
  HeaderEdits edits;
  add_permitted_fields(auth, fields, edits);
  CHECK(edits.set == std::vector<HeaderEdit>{{"X-User", "7"}, {"x-role", "a"}});
  CHECK(edits.add == std::vector<HeaderEdit>{{"X-Role", "b"}});
  CHECK(edits.remove.empty());

  edits = {};
  auth.allowed_response_headers = {"x-user", "host", "x-absent"};
  add_permitted_fields(auth, fields, edits);
  CHECK(edits.set == std::vector<HeaderEdit>{{"X-User", "7"}});
  // What the authorizer did not say, the client must not say in its place.
  CHECK(edits.remove == std::vector<std::string>{"x-user", "host", "x-absent"});
}

} // namespace strait::gateway::proxy
