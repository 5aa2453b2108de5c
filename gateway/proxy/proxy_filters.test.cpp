#include "gateway/proxy/proxy_fixture.test.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy::testing {

namespace {

/// Answers with the head that it got.
std::unique_ptr<Backend> echo() {
  return std::make_unique<Backend>([](Wire& wire, Backend& self) {
    for (;;) {
      const auto head = wire.head();
      if (head.empty())
        return;
      wire.body(head);
      ++self.requests;
      wire.send("HTTP/1.1 200 OK\r\nVary: Accept\r\nAccess-Control-Allow-Origin: *\r\n"
                "Content-Length: " +
                std::to_string(head.size()) + "\r\n\r\n" + head);
    }
  });
}

/// One rule under "/" at a listener of its own, in front of one backend.
struct OneRule {
  explicit OneRule(HttpRule rule_, std::vector<Endpoint> endpoints = {},
                   ProxyOptions options = {.workers = 1, .seed = 1})
      : world{std::move(options)} {
    port = world.serve(std::move(endpoints));
    set(std::move(rule_));
  }
  void set(HttpRule rule_) {
    world.route("web", "HTTPRoute default/all", {{}, {std::move(rule_)}}).apply();
  }
  Answer ask(std::string_view request) const { return testing::ask(port, request); }

  World world;
  std::uint16_t port = 0;
};

} // namespace

TEST_CASE("a redirect is answered by the gateway, with the listener's port") {
  auto made = rule("/old", {});
  made.redirect = Redirect{.path = PathEdit{PathEdit::Type::prefix, "/new"}, .status = 301};
  made.response.set = {{"x-from", "gateway"}};
  OneRule one{made};
  auto answer = one.ask(get("/old/lemon?a=b", "example.org:1234"));
  CHECK(answer.status == 301);
  CHECK(answer.field("location") ==
        "http://example.org:" + std::to_string(one.port) + "/new/lemon?a=b");
  CHECK(answer.field("content-length") == "0");
  CHECK(answer.field("x-from") == "gateway");
  CHECK(one.world.counted(Counter::redirects) == 1);

  for (int status : {302, 303, 307, 308}) {
    made.redirect = Redirect{
        .scheme = "https", .hostname = "b.org", .status = static_cast<std::uint16_t>(status)};
    one.set(made);
    auto wire = Wire::dial(one.port);
    answer = ask(wire, "POST /old HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    CHECK(answer.status == status);
    CHECK(answer.field("location") == "https://b.org/old");
    CHECK(ask(wire, get("/old")).status == status); // The connection serves on.
  }
}

TEST_CASE("a rewrite changes path and host of what the backend gets, and keeps the query") {
  auto backend = echo();
  auto made = rule("/old", {share("backend")});
  made.rewrite = Rewrite{"one.example.org", PathEdit{PathEdit::Type::prefix, "/"}};
  OneRule one{made, {backend->endpoint()}};
  auto answer = one.ask(get("/old/a/b?c=d"));
  CHECK(answer.body.starts_with("GET /a/b?c=d HTTP/1.1\r\n"));
  CHECK(field_of(answer.body, "host") == "one.example.org");
  answer = one.ask("GET http://example.com/old HTTP/1.1\r\nHost: other\r\n\r\n");
  CHECK(answer.body.starts_with("GET / HTTP/1.1\r\n"));
  CHECK(field_of(answer.body, "host") == "one.example.org");

  made.rewrite = Rewrite{"", PathEdit{PathEdit::Type::full, "/all"}};
  one.set(made);
  answer = one.ask(get("/old/a?x", "keep.org:80"));
  CHECK(answer.body.starts_with("GET /all?x HTTP/1.1\r\n"));
  CHECK(field_of(answer.body, "host") == "keep.org:80");
}

TEST_CASE("a preflight is answered by the gateway, another request's answer says who may read it") {
  auto backend = echo();
  auto made = rule("/", {share("backend")});
  made.cors = Cors{.allow_origins = {"https://*.foo.com"}, .allow_credentials = true};
  made.cors->allow_methods = {"GET", "PUT"};
  OneRule one{made, {backend->endpoint()}};
  auto answer = one.ask("OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: https://a.foo.com\r\n"
                        "Access-Control-Request-Method: PUT\r\n\r\n");
  CHECK(answer.status == 204);
  CHECK(answer.field("access-control-allow-origin") == "https://a.foo.com");
  CHECK(answer.field("access-control-allow-methods") == "GET, PUT");
  CHECK(answer.field("access-control-allow-credentials") == "true");
  CHECK(answer.field("access-control-max-age") == "5");
  CHECK(answer.field("vary") == "Origin");
  CHECK(answer.field("content-length").empty());
  CHECK(backend->requests == 0);
  CHECK(one.world.counted(Counter::cors_preflights) == 1);

  answer = one.ask("OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: https://evil.org\r\n"
                   "Access-Control-Request-Method: PUT\r\n\r\n");
  CHECK(answer.status == 204);
  CHECK(answer.field("access-control-allow-origin").empty());

  answer = one.ask("GET / HTTP/1.1\r\nHost: a\r\nOrigin: https://a.foo.com\r\n\r\n");
  CHECK(answer.status == 200);
  CHECK(answer.field("access-control-allow-origin") == "https://a.foo.com");
  CHECK(answer.field("vary") == "Accept,Origin");
  answer = one.ask("GET / HTTP/1.1\r\nHost: a\r\nOrigin: https://evil.org\r\n\r\n");
  CHECK(answer.status == 200);
  CHECK(answer.field("access-control-allow-origin").empty());
  // OPTIONS that asks for nothing goes on.
  answer = one.ask("OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: https://a.foo.com\r\n\r\n");
  CHECK(answer.status == 200);
  CHECK(answer.body.starts_with("OPTIONS / "));

  SECTION("the gateway's own failures too") {
    one.world.cluster("backend", {}).apply();
    answer = one.ask("GET / HTTP/1.1\r\nHost: a\r\nOrigin: https://a.foo.com\r\n\r\n");
    CHECK(answer.status == 503);
    CHECK(answer.field("access-control-allow-origin") == "https://a.foo.com");
  }
}

TEST_CASE("a cluster that must not be reached is 500") {
  auto backend = echo();
  OneRule one{rule("/", {share("backend")}), {backend->endpoint()}};
  CHECK(one.ask(get("/")).status == 200);
  Cluster refused{"backend", {backend->endpoint()}};
  refused.refused = true;
  one.world.config.clusters = one.world.config.clusters.with(
      "backend", std::make_shared<const Cluster>(std::move(refused)));
  one.world.apply();
  CHECK(one.ask(get("/")).status == 500);
}

} // namespace strait::gateway::proxy::testing
