#include "gateway/proxy/proxy_fixture.test.hpp"

#include <catch2/catch.hpp>

#include <future>

namespace strait::gateway::proxy::testing {

namespace {

/// Answers the first requests with these statuses (0: ends the connection, 1: never), then 200 and
/// the body of the request.
class Flaky {
public:
  explicit Flaky(std::vector<int> statuses, bool keep = true)
      : statuses_{std::move(statuses)}, backend_{[this, keep](Wire& wire, Backend& self) {
          for (;;) {
            const auto head = wire.head();
            if (head.empty())
              return;
            const auto body = wire.body(head);
            const auto number = static_cast<std::size_t>(self.requests++);
            const int status = number < statuses_.size() ? statuses_[number] : 200;
            if (status == 0)
              return;
            if (status == 1) {
              wire.rest();
              return;
            }
            const auto text = status == 200 ? "got " + body : std::to_string(status);
            wire.send("HTTP/1.1 " + std::to_string(status) +
                      " X\r\nContent-Length: " + std::to_string(text.size()) + "\r\n" +
                      (keep ? "" : "Connection: close\r\n") + "\r\n" + text);
            if (!keep)
              return;
          }
        }} {}
  Backend& operator*() { return backend_; }
  Backend* operator->() { return &backend_; }

private:
  std::vector<int> statuses_;
  Backend backend_;
};

HttpRule with(Retry retry) {
  auto made = rule("/", {share("backend")});
  made.retry = std::move(retry);
  return made;
}

struct OneRule {
  OneRule(HttpRule rule_, std::vector<Endpoint> endpoints,
          ProxyOptions options = {.workers = 1, .seed = 1})
      : world{std::move(options)}, port{world.serve(std::move(endpoints))} {
    world.route("web", "HTTPRoute default/all", {{}, {std::move(rule_)}}).apply();
  }
  World world;
  std::uint16_t port;
};

const std::string post{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"};

} // namespace

TEST_CASE("backends that are rolled may end the connections of two tries in a row") {
  Flaky flaky{{0, 0}};
  OneRule one{rule("/", {share("backend")}), {flaky->endpoint()}};
  auto wire = Wire::dial(one.port);
  CHECK(ask(wire, get("/")).status == 200);
  CHECK(flaky->requests == 3);
}

TEST_CASE("a status that the rule names is tried again, its body and all, on the same connection") {
  Flaky flaky{{500, 500}};
  OneRule one{with({.codes = {500}, .attempts = 3}), {flaky->endpoint()}};
  auto wire = Wire::dial(one.port);
  auto answer = ask(wire, post);
  CHECK(answer.status == 200);
  CHECK(answer.body == "got abc");
  CHECK(flaky->requests == 3);
  CHECK(flaky->connections == 1);
  CHECK(one.world.counted(Counter::retries) == 2);
  CHECK(ask(wire, post).status == 200);
}

TEST_CASE("when the attempts are used up the last answer is passed on") {
  Flaky flaky{{500, 503, 502, 500}, false};
  OneRule one{with({.codes = {500, 502, 503}, .attempts = 2}), {flaky->endpoint()}};
  auto wire = Wire::dial(one.port);
  auto answer = ask(wire, get("/"));
  CHECK(answer.status == 502);
  CHECK(answer.body == "502");
  CHECK(flaky->requests == 3);
}

TEST_CASE("a status that the rule does not name is passed on at once") {
  Flaky flaky{{503}};
  OneRule one{with({.codes = {500}, .attempts = 3}), {flaky->endpoint()}};
  CHECK(ask(one.port, get("/")).status == 503);
  CHECK(flaky->requests == 1);
}

TEST_CASE("no rule gets more retries than the maximum") {
  Flaky flaky{std::vector<int>(50, 500)};
  ProxyOptions options{.workers = 1, .seed = 1};
  options.limits.retries_max = 3;
  OneRule one{
      with({.codes = {500}, .attempts = 40, .backoff = Millis{1}}), {flaky->endpoint()}, options};
  CHECK(ask(one.port, get("/")).status == 500);
  CHECK(flaky->requests == 4);
}

TEST_CASE("a connection that fails is tried again if nothing can be done twice") {
  Flaky flaky{{0, 0}};
  OneRule one{with({.attempts = 3}), {flaky->endpoint()}};
  SECTION("GET") {
    CHECK(ask(one.port, get("/")).status == 200);
    CHECK(flaky->requests == 3);
  }
  SECTION("not POST") {
    CHECK(ask(one.port, post).status == 502);
    CHECK(flaky->requests == 1);
  }
  SECTION("POST that was never sent: there was no connection") {
    OneRule dead{with({.attempts = 3, .backoff = Millis{1}}), {{"127.0.0.1", free_port(), 1}}};
    CHECK(ask(dead.port, post).status == 502);
    CHECK(dead.world.counted(Counter::retries) == 3);
  }
  SECTION("unless the rule does not want it") {
    OneRule strict{with({.attempts = 3, .on_connection_error = false}),
                   {{"127.0.0.1", free_port(), 1}}};
    CHECK(ask(strict.port, get("/")).status == 502);
    CHECK(strict.world.counted(Counter::retries) == 0);
  }
}

TEST_CASE("a body too large to keep is not sent again") {
  Flaky flaky{{503}};
  OneRule one{with({.codes = {503}, .attempts = 3}), {flaky->endpoint()}};
  const std::string content(1 << 20, 'x');
  auto answer =
      ask(one.port, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n" + content);
  CHECK(answer.status == 503);
  CHECK(flaky->requests == 1);
}

TEST_CASE("the backoff is a floor") {
  Flaky flaky{{503}};
  OneRule one{with({.codes = {503}, .attempts = 1, .backoff = Millis{150}}), {flaky->endpoint()}};
  const auto began = now_instant();
  CHECK(ask(one.port, get("/")).status == 200);
  CHECK(now_instant() - began >= Millis{150});
}

TEST_CASE("a request's time is over whatever it is waiting for") {
  Flaky flaky{{503, 1}};
  auto made = with({.codes = {503}, .attempts = 5, .backoff = Millis{100}});
  made.request_timeout = Millis{60};
  SECTION("within a backoff") {
    OneRule one{made, {flaky->endpoint()}};
    CHECK(ask(one.port, get("/")).status == 504);
    CHECK(flaky->requests == 1);
    CHECK(one.world.counted(Counter::request_timeouts) == 1);
  }
  SECTION("within an attempt") {
    made.retry->backoff = Millis{1};
    OneRule one{made, {flaky->endpoint()}};
    auto wire = Wire::dial(one.port);
    CHECK(ask(wire, get("/")).status == 504);
    CHECK(flaky->requests == 2);
    CHECK(ask(wire, get("/")).status == 200);
  }
}

TEST_CASE("an attempt that takes too long is 504, or is made again") {
  Flaky flaky{{1}};
  auto made = rule("/", {share("backend")});
  made.backend_timeout = Millis{80};
  SECTION("without retries") {
    OneRule one{made, {flaky->endpoint()}};
    CHECK(ask(one.port, get("/")).status == 504);
    CHECK(one.world.counted(Counter::backend_timeouts) == 1);
    CHECK(ask(one.port, get("/")).status == 200);
  }
  SECTION("with retries") {
    made.retry = Retry{.attempts = 1};
    OneRule one{made, {flaky->endpoint()}};
    CHECK(ask(one.port, get("/")).status == 200);
    CHECK(flaky->requests == 2);
  }
  SECTION("but not a POST, which may have been acted on") {
    made.retry = Retry{.attempts = 1};
    OneRule one{made, {flaky->endpoint()}};
    CHECK(ask(one.port, post).status == 504);
    CHECK(flaky->requests == 1);
  }
}

TEST_CASE("an answer that has begun is cut off at the end of its time") {
  Backend slow{[](Wire& wire, Backend&) {
    if (wire.head().empty())
      return;
    wire.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin");
    wire.rest();
  }};
  auto made = rule("/", {share("backend")});
  SECTION("the request's") { made.request_timeout = Millis{50}; }
  SECTION("the attempt's") { made.backend_timeout = Millis{50}; }
  SECTION("between two bytes") { made.idle_timeout = Millis{50}; }
  OneRule one{made, {slow.endpoint()}};
  auto wire = Wire::dial(one.port);
  REQUIRE(wire.send(get("/")));
  CHECK(wire.head().starts_with("HTTP/1.1 200"));
  CHECK(wire.rest() == "begin");
}

TEST_CASE("a timeout of 0 leaves the wait for an answer without an end") {
  ProxyOptions options{.workers = 1};
  options.timeouts.upstream_response = Millis{50};
  options.timeouts.stream_idle = Millis{50};
  std::promise<void> enough;
  Backend slow{[go = enough.get_future().share()](Wire& wire, Backend&) {
    if (wire.head().empty())
      return;
    go.wait_for(std::chrono::seconds{10});
    wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  }};
  auto patient = rule("/patient", {share("backend")});
  SECTION("of the request") { patient.request_timeout = Millis{0}; }
  SECTION("of the attempt") { patient.backend_timeout = Millis{0}; }
  SECTION("between two bytes") { patient.idle_timeout = Millis{0}; }
  World world{options};
  const auto port = world.serve({slow.endpoint()});
  world.route("web", "HTTPRoute default/all", {{}, {patient, rule("/", {share("backend")})}});
  world.apply();
  auto waiting = Wire::dial(port);
  REQUIRE(waiting.send(get("/patient")));
  // Asked later, they wait as long as the proxy itself likes.
  CHECK(ask(port, get("/")).status == 504);
  CHECK(ask(port, get("/")).status == 504);
  enough.set_value();
  CHECK(read_answer(waiting).body == "ok");
}

TEST_CASE("an idle time of the rule's own bounds the wait for an answer") {
  Flaky flaky{{1}};
  auto made = rule("/", {share("backend")});
  made.idle_timeout = Millis{50};
  OneRule one{made, {flaky->endpoint()}};
  CHECK(ask(one.port, get("/")).status == 504);
}

} // namespace strait::gateway::proxy::testing
