#include "gateway/proxy/cors.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy {

namespace {

std::string said(const HeaderEdits& edits, std::string_view name) {
  for (const auto* list : {&edits.set, &edits.add})
    for (const auto& edit : *list)
      if (edit.name == name)
        return edit.value;
  return {};
}

HeaderEdits edits_of(const Cors& cors, const CorsRequest& request) {
  HeaderEdits edits;
  add_cors_edits(cors, request, edits);
  return edits;
}

CorsRequest preflight(std::string_view origin, std::string_view method,
                      std::string_view headers = {}) {
  return {"OPTIONS", origin, method, headers};
}

} // namespace

TEST_CASE("origins match by wildcard, without case and without their scheme's own port") {
  struct Row {
    std::string pattern;
    std::string_view origin;
    bool allowed;
  };
  const Row rows[]{
      {"*", "https://a.org", true},
      {"*", "null", true},
      {"*", "", false},
      {"https://www.foo.com", "https://www.foo.com", true},
      {"https://www.foo.com", "HTTPS://WWW.foo.com", true},
      {"https://www.foo.com", "http://www.foo.com", false},
      {"https://www.foo.com", "https://foo.com", false},
      {"https://www.foo.com", "https://www.foo.com.evil.org", false},
      {"https://www.foo.com", "https://www.foo.com:443", true},
      {"https://www.foo.com:443", "https://www.foo.com", true},
      {"https://www.foo.com", "https://www.foo.com:80", false},
      {"http://www.foo.com", "http://www.foo.com:80", true},
      {"https://www.foo.com:8443", "https://www.foo.com:8443", true},
      {"https://www.foo.com:8443", "https://www.foo.com", false},
      {"https://*.bar.com", "https://www.bar.com", true},
      {"https://*.bar.com", "https://xpto.www.bar.com", true},
      {"https://*.bar.com", "https://bar.com", false},
      {"https://*.bar.com", "https://foobar.com", false},
      {"https://*.bar.com", "https://evil.org/.bar.com", false},
      {"https://*.bar.com", "https://evil.org?.bar.com.org", false},
      {"https://*", "https://a.b.c:12345", true},
      {"https://*", "http://a.b.c", false},
      {"https://*.a.*.org", "https://x.a.b.a.c.org", true},
      {"https://*.a.*.org", "https://a.b.org", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.pattern, row.origin);
    Cors cors;
    cors.allow_origins = {"https://other.example", row.pattern};
    CHECK(allows_origin(cors, row.origin) == row.allowed);
  }
}

TEST_CASE("a preflight is told everything, another request what concerns its answer") {
  Cors cors;
  cors.allow_origins = {"https://www.foo.com"};
  cors.allow_methods = {"GET", "OPTIONS"};
  cors.allow_headers = {"x-1", "x-2"};
  cors.expose_headers = {"x-3", "x-4"};
  cors.allow_credentials = true;
  cors.max_age = 3600;
  const auto asked = edits_of(cors, preflight("https://www.foo.com", "GET", "x-1"));
  CHECK(said(asked, "access-control-allow-origin") == "https://www.foo.com");
  CHECK(said(asked, "access-control-allow-methods") == "GET, OPTIONS");
  CHECK(said(asked, "access-control-allow-headers") == "x-1, x-2");
  CHECK(said(asked, "access-control-expose-headers") == "x-3, x-4");
  CHECK(said(asked, "access-control-max-age") == "3600");
  CHECK(said(asked, "access-control-allow-credentials") == "true");
  CHECK(said(asked, "vary") == "Origin");

  const auto simple = edits_of(cors, {"GET", "https://www.foo.com", "GET", "x-1"});
  CHECK(said(simple, "access-control-allow-origin") == "https://www.foo.com");
  CHECK(said(simple, "access-control-allow-credentials") == "true");
  CHECK(said(simple, "access-control-expose-headers") == "x-3, x-4");
  CHECK(said(simple, "access-control-allow-methods").empty());
  CHECK(said(simple, "access-control-max-age").empty());
}

TEST_CASE("an origin that is not allowed gets nothing, and loses what the backend gave") {
  Cors cors;
  cors.allow_origins = {"https://www.foo.com"};
  for (const auto& request :
       {preflight("https://evil.org", "GET"), CorsRequest{"GET", "https://evil.org", {}, {}}}) {
    const auto edits = edits_of(cors, request);
    CHECK(edits.set.empty());
    CHECK(said(edits, "vary") == "Origin");
    CHECK(std::count(edits.remove.begin(), edits.remove.end(), "access-control-allow-origin") == 1);
  }
  const auto without_origin = edits_of(cors, {"GET", {}, {}, {}});
  CHECK(without_origin.set.empty());
  CHECK(without_origin.remove.empty());
  CHECK(said(without_origin, "vary") == "Origin");
}

TEST_CASE("with credentials \"*\" is never said") {
  Cors cors;
  cors.allow_origins = cors.allow_methods = cors.allow_headers = cors.expose_headers = {"*"};
  for (bool credentials : {false, true}) {
    cors.allow_credentials = credentials;
    const auto edits = edits_of(cors, preflight("https://a.org", "PUT", "x-1, x-2"));
    CHECK(said(edits, "access-control-allow-origin") == (credentials ? "https://a.org" : "*"));
    CHECK(said(edits, "access-control-allow-methods") == "PUT");
    CHECK(said(edits, "access-control-allow-headers") == "x-1, x-2");
    CHECK(said(edits, "access-control-expose-headers") == (credentials ? "" : "*"));
    CHECK(said(edits, "access-control-max-age") == "5");
    CHECK(said(edits, "vary") == (credentials ? "Origin" : ""));
  }
  const auto no_headers = edits_of(cors, preflight("https://a.org", "PUT"));
  CHECK(said(no_headers, "access-control-allow-headers").empty());
}

TEST_CASE("only OPTIONS with an origin and a method is a preflight") {
  CHECK(is_preflight(preflight("https://a.org", "GET")));
  CHECK_FALSE(is_preflight(preflight("", "GET")));
  CHECK_FALSE(is_preflight(preflight("https://a.org", "")));
  CHECK_FALSE(is_preflight({"GET", "https://a.org", "GET", {}}));
}

} // namespace strait::gateway::proxy
