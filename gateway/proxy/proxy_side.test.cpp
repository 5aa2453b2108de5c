#include "gateway/proxy/proxy_fixture.test.hpp"

#include <catch2/catch.hpp>

/// Mirrors and external authorizers through a running proxy.
namespace strait::gateway::proxy::testing {

namespace {

/// Remembers the requests that it got, and answers them all alike.
class Recorder {
public:
  explicit Recorder(std::string answer)
      : backend_{[this, answer](Wire& wire, Backend& self) {
          for (;;) {
            const auto head = wire.head();
            if (head.empty())
              return;
            const auto body = wire.body(head);
            {
              std::lock_guard lock{mutex_};
              requests_.push_back(head + body);
            }
            ++self.requests;
            if (!wire.send(answer))
              return;
          }
        }} {}
  Endpoint endpoint() const { return backend_.endpoint(); }
  int count() const { return backend_.requests; }
  /// Waits until there were so many.
  std::vector<std::string> requests(int wanted) {
    const auto until = now_instant() + Millis{10'000};
    while (count() < wanted && now_instant() < until)
      std::this_thread::yield();
    std::lock_guard lock{mutex_};
    return requests_;
  }

private:
  std::mutex mutex_;
  std::vector<std::string> requests_;
  Backend backend_;
};

std::string with_body(std::string_view status, std::string_view fields, std::string_view body) {
  std::string text{"HTTP/1.1 "};
  text.append(status).append("\r\n").append(fields);
  return text.append("Content-Length: ")
      .append(std::to_string(body.size()))
      .append("\r\n\r\n")
      .append(body);
}

const std::string fine = with_body("200 OK", "", "fine");

struct OneRule {
  explicit OneRule(std::vector<Endpoint> endpoints,
                   ProxyOptions options = {.workers = 1, .seed = 1})
      : world{std::move(options)}, port{world.serve(std::move(endpoints))},
        made{rule("/", {share("backend")})} {}
  void apply() { world.route("web", "HTTPRoute default/all", {{}, {made}}).apply(); }

  World world;
  std::uint16_t port;
  HttpRule made;
};

} // namespace

TEST_CASE("a mirror gets a copy of the request as the rule makes it, head and body") {
  Recorder main{fine}, mirror{with_body("500 X", "", "nobody reads this")};
  OneRule one{{main.endpoint()}};
  one.world.cluster("mirror", {mirror.endpoint()});
  one.made.mirrors = {{"mirror"}};
  one.made.rewrite = Rewrite{"m.org", PathEdit{PathEdit::Type::prefix, "/to"}};
  one.made.request.set = {{"x-set", "1"}};
  one.apply();
  auto wire = Wire::dial(one.port);
  CHECK(ask(wire, get("/a?b")).body == "fine");
  REQUIRE(mirror.requests(1).size() == 1); // Copies have connections of their own: no order.
  const std::string chunked{"PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"};
  CHECK(ask(wire, chunked).body == "fine");
  auto copies = mirror.requests(2);
  REQUIRE(copies.size() == 2);
  CHECK(copies[0] == main.requests(2)[0]);
  CHECK(copies[0].starts_with("GET /to/a?b HTTP/1.1\r\n"));
  CHECK(field_of(copies[0], "x-set") == "1");
  CHECK(copies[1] == main.requests(2)[1]);
  CHECK(copies[1].ends_with("\r\n\r\nabcde"));
  CHECK(one.world.counted(Counter::mirrors_sent) == 2);
}

TEST_CASE("mirrors are drawn one by one, by their fraction") {
  Recorder main{fine}, half{fine}, tenth{fine}, never{fine};
  OneRule one{{main.endpoint()}};
  one.world.cluster("half", {half.endpoint()}).cluster("tenth", {tenth.endpoint()});
  one.world.cluster("never", {never.endpoint()});
  one.made.mirrors = {{"half", 50, 100}, {"tenth", 1, 10}, {"never", 0, 100}};
  one.apply();
  auto wire = Wire::dial(one.port);
  for (int i = 0; i < 400; ++i)
    REQUIRE(ask(wire, get("/")).status == 200);
  const auto sent = one.world.counted(Counter::mirrors_sent);
  REQUIRE(one.world.counted(Counter::mirrors_abandoned) == 0);
  const auto until = now_instant() + Millis{10'000};
  while (half.count() + tenth.count() < static_cast<int>(sent) && now_instant() < until)
    std::this_thread::yield();
  CHECK(std::abs(half.count() - 200) <= 30);
  CHECK(std::abs(tenth.count() - 40) <= 18);
  CHECK(never.count() == 0);
}

TEST_CASE("a mirror that is slow, dead or unknown does not touch the request") {
  Recorder main{fine};
  Backend silent{[](Wire& wire, Backend&) { wire.rest(); }};
  ProxyOptions options{.workers = 1, .seed = 1};
  options.limits.mirrors_max = 3;
  options.timeouts.mirror = Millis{100};
  OneRule one{{main.endpoint()}, options};
  one.world.cluster("dead", {{"127.0.0.1", free_port(), 1}});
  one.world.cluster("silent", {silent.endpoint()}).cluster("empty", {});
  one.made.mirrors = {{"dead"}, {"unknown"}, {"empty"}};
  one.apply();
  auto wire = Wire::dial(one.port);
  CHECK(ask(wire, get("/")).body == "fine");
  CHECK(one.world.reaches(Counter::mirrors_failed, 2));
  CHECK(one.world.counted(Counter::mirrors_abandoned) == 1);

  one.made.mirrors = {{"silent"}};
  one.apply();
  for (int i = 0; i < 5; ++i)
    CHECK(ask(wire, get("/")).body == "fine");
  CHECK(one.world.counted(Counter::mirrors_abandoned) == 3); // Two more: three were under way.
  CHECK(one.world.reaches(Counter::mirrors_failed, 5));
}

TEST_CASE("a body too large to copy is not mirrored, and one that breaks off neither") {
  Recorder main{fine}, mirror{fine};
  ProxyOptions options{.workers = 1, .seed = 1};
  options.limits.mirror_body_bytes_max = 1000;
  OneRule one{{main.endpoint()}, options};
  one.world.cluster("mirror", {mirror.endpoint()});
  one.made.mirrors = {{"mirror"}};
  one.apply();
  const auto put = [&](std::size_t bytes) {
    return ask(one.port, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(bytes) +
                             "\r\n\r\n" + std::string(bytes, 'x'))
        .status;
  };
  CHECK(put(1000) == 200);
  CHECK(put(1001) == 200);
  CHECK(put(1 << 20) == 200);
  CHECK(one.world.counted(Counter::mirrors_sent) == 1);
  CHECK(one.world.counted(Counter::mirrors_abandoned) == 2);
  auto wire = Wire::dial(one.port);
  REQUIRE(wire.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"));
  REQUIRE(one.world.reaches(Counter::requests, 4));
  wire.close();
  CHECK(one.world.reaches(Counter::mirrors_abandoned, 3));
  CHECK(mirror.requests(1).size() == 1);
}

TEST_CASE("a mirror's answer of any length is read to its maximum and thrown away") {
  Recorder main{fine}, mirror{with_body("200 OK", "", std::string(100'000, 'x'))};
  ProxyOptions options{.workers = 1, .seed = 1};
  options.limits.mirror_answer_bytes_max = 1000;
  OneRule one{{main.endpoint()}, options};
  one.world.cluster("mirror", {mirror.endpoint()});
  one.made.mirrors = {{"mirror"}};
  one.apply();
  for (int i = 0; i < 3; ++i)
    CHECK(ask(one.port, get("/")).body == "fine");
  CHECK(mirror.requests(3).size() == 3);
  CHECK(one.world.reaches(Counter::upstream_closed, 3));
}

TEST_CASE("what an authorizer permits goes on, with what it says of the request") {
  Recorder main{fine}, authorizer{with_body("200 OK", "X-User: 7\r\nX-Other: 8\r\n", "welcome")};
  OneRule one{{main.endpoint()}};
  one.world.cluster("auth", {authorizer.endpoint()});
  one.made.auth = ExternalAuth{.cluster = "auth",
                               .path = "/check",
                               .allowed_headers = {"x-tenant"},
                               .allowed_response_headers = {"x-user", "x-role"}};
  one.apply();
  auto wire = Wire::dial(one.port);
  for (int i = 0; i < 2; ++i)
    CHECK(ask(wire, "POST /a?b HTTP/1.1\r\nHost: h.org\r\nAuthorization: Bearer t\r\n"
                    "X-Tenant: 1\r\nX-Role: root\r\nX-Private: 2\r\nContent-Length: 3\r\n\r\nabc")
              .body == "fine");
  const auto asked = authorizer.requests(2);
  REQUIRE(asked.size() == 2);
  CHECK(asked[1] == "POST /check/a?b HTTP/1.1\r\nhost: h.org\r\nAuthorization: Bearer t\r\n"
                    "X-Tenant: 1\r\ncontent-length: 0\r\n\r\n");
  const auto forwarded = main.requests(2)[1];
  CHECK(field_of(forwarded, "x-user") == "7");
  CHECK(field_of(forwarded, "x-other").empty());
  CHECK(field_of(forwarded, "x-role").empty()); // Only the authorizer may say it.
  CHECK(field_of(forwarded, "x-private") == "2");
  CHECK(forwarded.ends_with("\r\n\r\nabc"));
  CHECK(one.world.counted(Counter::auth_allowed) == 2);
}

TEST_CASE("an authorizer's answer may take several turns to read") {
  Recorder main{fine}, authorizer{with_body("200 OK", "X-User: 7\r\n", std::string(60'000, 'x'))};
  ProxyOptions options{.workers = 1};
  options.limits.reads_per_turn_max = 1;
  OneRule one{{main.endpoint()}, options};
  one.world.cluster("auth", {authorizer.endpoint()});
  one.made.auth = ExternalAuth{.cluster = "auth"};
  one.apply();
  for (int i = 0; i < 3; ++i)
    CHECK(ask(one.port, get("/")).status == 200);
  CHECK(field_of(main.requests(1)[0], "x-user") == "7");
}

TEST_CASE("what an authorizer refuses is answered with its own answer") {
  Recorder main{fine}, authorizer{with_body("302 Found",
                                            "Location: https://login.org/\r\nSet-Cookie: a=1\r\n"
                                            "Content-Type: text/html\r\n",
                                            "<p>")};
  OneRule one{{main.endpoint()}};
  one.world.cluster("auth", {authorizer.endpoint()});
  one.made.auth = ExternalAuth{.cluster = "auth"};
  one.apply();
  auto wire = Wire::dial(one.port);
  for (int i = 0; i < 2; ++i) {
    const auto answer = ask(wire, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab");
    CHECK(answer.status == 302);
    CHECK(answer.field("location") == "https://login.org/");
    CHECK(answer.field("set-cookie") == "a=1");
    CHECK(answer.field("content-type") == "text/html");
    CHECK(answer.body == "<p>");
  }
  CHECK(main.count() == 0);
  CHECK(one.world.counted(Counter::auth_denied) == 2);
}

TEST_CASE("a refusal longer than its maximum is passed on without its content") {
  Recorder main{fine}, authorizer{with_body("403 Forbidden", "", std::string(101, 'x'))};
  ProxyOptions options{.workers = 1};
  options.limits.auth_answer_bytes_max = 100;
  OneRule one{{main.endpoint()}, options};
  one.world.cluster("auth", {authorizer.endpoint()});
  one.made.auth = ExternalAuth{.cluster = "auth"};
  one.apply();
  const auto answer = ask(one.port, get("/"));
  CHECK(answer.status == 403);
  CHECK(answer.body.empty());
}

TEST_CASE("without an answer of its authorizer no request passes") {
  Recorder main{fine};
  Backend silent{[](Wire& wire, Backend&) { wire.rest(); }};
  Recorder mad{"220 smtp\r\n\r\n"};
  ProxyOptions options{.workers = 1};
  options.timeouts.external_auth = Millis{80};
  OneRule one{{main.endpoint()}, options};
  one.world.cluster("dead", {{"127.0.0.1", free_port(), 1}}).cluster("empty", {});
  one.world.cluster("silent", {silent.endpoint()}).cluster("mad", {mad.endpoint()});
  for (const auto* cluster : {"dead", "empty", "silent", "mad"}) {
    CAPTURE(cluster);
    one.made.auth = ExternalAuth{.cluster = cluster};
    one.apply();
    CHECK(ask(one.port, get("/")).status == 403);
  }
  CHECK(one.world.counted(Counter::auth_failures) == 4);
  one.made.auth = ExternalAuth{.cluster = "unknown"};
  one.apply();
  CHECK(ask(one.port, get("/")).status == 500);
  one.made.auth = ExternalAuth{.refusal = 503};
  one.apply();
  CHECK(ask(one.port, get("/")).status == 503);
  CHECK(main.count() == 0);

  SECTION("and the request's own time goes on meanwhile") {
    one.made.auth = ExternalAuth{.cluster = "silent"};
    one.made.request_timeout = Millis{20};
    one.apply();
    CHECK(ask(one.port, get("/")).status == 504);
  }
}

TEST_CASE("an authorizer sees the body if it is to, and the backend gets it all the same") {
  Recorder main{fine}, authorizer{fine};
  OneRule one{{main.endpoint()}};
  one.world.cluster("auth", {authorizer.endpoint()});
  one.made.auth = ExternalAuth{.cluster = "auth", .forward_body = 8};
  one.apply();
  auto wire = Wire::dial(one.port);
  REQUIRE(wire.send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n"));
  CHECK(wire.head().starts_with("HTTP/1.1 100"));
  REQUIRE(wire.send("3\r\nabc\r\n"));
  REQUIRE(wire.send("2\r\nde\r\n0\r\n\r\n"));
  CHECK(read_answer(wire).body == "fine");
  CHECK(authorizer.requests(1)[0].ends_with("content-length: 5\r\n\r\nabcde"));
  CHECK(main.requests(1)[0].ends_with("\r\n\r\nabcde"));
  CHECK(ask(wire, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n12345678").status == 200);
  CHECK(ask(wire, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123456789").status == 413);
  CHECK(ask(one.port, get("/")).status == 200);
  CHECK(authorizer.count() == 3);
}

TEST_CASE("a body that an authorizer is to see must fit into the client's buffer with its head") {
  Recorder main{fine}, authorizer{fine};
  OneRule one{{main.endpoint()}};
  one.world.cluster("auth", {authorizer.endpoint()});
  one.made.auth = ExternalAuth{.cluster = "auth", .forward_body = 65'535};
  one.apply();
  const auto put = [&](std::size_t bytes) {
    return ask(one.port, "PUT / HTTP/1.1\r\nHost: a\r\nX: " + std::string(2'000, 'x') +
                             "\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n" +
                             std::string(bytes, 'x'))
        .status;
  };
  CHECK(put(63'000) == 200);
  CHECK(put(65'000) == 413);
  CHECK(authorizer.count() == 1);
  CHECK(main.count() == 1);
}

TEST_CASE("an authorizer's kept connection that was closed costs nobody an answer") {
  Recorder main{fine};
  Backend authorizer{[](Wire& wire, Backend& self) {
    if (wire.head().empty())
      return;
    ++self.requests;
    wire.send(fine);
    wire.head(); // Unanswered.
  }};
  OneRule one{{main.endpoint()}};
  one.world.cluster("auth", {authorizer.endpoint()});
  one.made.auth = ExternalAuth{.cluster = "auth"};
  one.apply();
  auto wire = Wire::dial(one.port);
  for (int i = 0; i < 3; ++i)
    CHECK(ask(wire, get("/")).status == 200);
  CHECK(authorizer.requests == 3);
}

} // namespace strait::gateway::proxy::testing
