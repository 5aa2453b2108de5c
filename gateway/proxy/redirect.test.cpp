#include "gateway/proxy/redirect.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy {

TEST_CASE("the port of a redirect is its own, else its scheme's, else the listener's") {
  struct Row {
    bool tls;
    std::uint16_t listener_port;
    std::string_view scheme;
    std::uint16_t port;
    std::string_view expected;
  };
  const Row rows[]{
      {false, 80, "", 0, "http://a.org/p"},
      {false, 80, "", 80, "http://a.org/p"},
      {false, 80, "", 8080, "http://a.org:8080/p"},
      {false, 80, "https", 0, "https://a.org/p"},
      {false, 80, "https", 443, "https://a.org/p"},
      {false, 80, "https", 8443, "https://a.org:8443/p"},
      {false, 8080, "", 0, "http://a.org:8080/p"},
      {false, 8080, "", 80, "http://a.org/p"},
      {false, 8080, "https", 0, "https://a.org/p"},
      {false, 8080, "http", 0, "http://a.org/p"},
      {true, 443, "", 0, "https://a.org/p"},
      {true, 443, "", 443, "https://a.org/p"},
      {true, 443, "", 8443, "https://a.org:8443/p"},
      {true, 443, "http", 0, "http://a.org/p"},
      {true, 443, "http", 80, "http://a.org/p"},
      {true, 443, "http", 8080, "http://a.org:8080/p"},
      {true, 443, "http", 443, "http://a.org:443/p"},
      {true, 8443, "", 0, "https://a.org:8443/p"},
      {false, 443, "", 0, "http://a.org:443/p"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.tls, row.listener_port, row.scheme, row.port);
    Redirect redirect;
    redirect.scheme = row.scheme;
    redirect.port = row.port;
    std::string out;
    append_location(
        redirect, {},
        {.tls = row.tls, .host = "a.org", .path = "/p", .listener_port = row.listener_port}, out);
    CHECK(out == row.expected);
  }
}

TEST_CASE("a request without a host is told the path alone, which names no other host") {
  const auto location = [](std::string_view path) {
    std::string out;
    append_location({}, {}, {.path = path, .listener_port = 8080}, out);
    return out;
  };
  CHECK(location("/a/b") == "/a/b");
  CHECK(location("/") == "/");
  CHECK(location("//evil.org/a") == "/evil.org/a");
  CHECK(location("///") == "/");
}

TEST_CASE("a redirect changes what it names and keeps the rest, the query included") {
  Match match;
  match.path = "/old";
  const RedirectSource request{.host = "[::1]",
                               .path = "/old/lemon",
                               .has_query = true,
                               .query = "a=b",
                               .listener_port = 80};
  const auto location = [&](const Redirect& redirect) {
    std::string out;
    append_location(redirect, match, request, out);
    return out;
  };
  Redirect redirect;
  CHECK(location(redirect) == "http://[::1]/old/lemon?a=b");
  redirect.hostname = "example.org";
  CHECK(location(redirect) == "http://example.org/old/lemon?a=b");
  redirect.path = PathEdit{PathEdit::Type::prefix, "/new"};
  CHECK(location(redirect) == "http://example.org/new/lemon?a=b");
  redirect.path = PathEdit{PathEdit::Type::full, "/whole"};
  CHECK(location(redirect) == "http://example.org/whole?a=b");
}

} // namespace strait::gateway::proxy
