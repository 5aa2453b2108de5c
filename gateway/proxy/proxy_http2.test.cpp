#include "gateway/proxy/http2_fixture.test.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy::testing {

namespace {

/// Answers with what it saw, in HTTP/1.1.
std::unique_ptr<Backend> echo_backend() {
  return std::make_unique<Backend>([](Wire& wire, Backend& self) {
    for (;;) {
      const auto head = wire.head();
      if (head.empty())
        return;
      const auto body = wire.body(head);
      ++self.requests;
      const auto seen = head + body;
      std::string answer{"HTTP/1.1 200 OK\r\nX-Case: Kept\r\nContent-Length: "};
      answer += std::to_string(seen.size()) + "\r\n\r\n";
      if (!head.starts_with("HEAD "))
        answer += seen;
      if (!wire.send(answer))
        return;
    }
  });
}

} // namespace

TEST_CASE("a client of HTTP/2 with prior knowledge is served on the port of HTTP/1.1") {
  World world;
  auto backend = echo_backend();
  const auto port = world.serve({backend->endpoint()});
  auto client = dial_http2(port);
  const auto& answer =
      client.finish(client.ask("GET", "/a?b=c", {{"cookie", "x=1"}, {"cookie", "y=2"}}));
  CHECK(answer.field(":status") == "200");
  CHECK(answer.field("x-case") == "Kept");
  CHECK(answer.body.starts_with("GET /a?b=c HTTP/1.1\r\nhost: example.com\r\ncookie: x=1; y=2\r\n"
                                "x-forwarded-for: 127.0.0.1\r\nx-forwarded-proto: http\r\n"));
  CHECK(answer.ended);
  CHECK(answer.code == 0);

  auto plain = Wire::dial(port);
  CHECK(ask(plain, get("/")).status == 200);
  CHECK(world.counted(Counter::http2_connections) == 1);
  CHECK(world.counted(Counter::requests) == 2);
}

TEST_CASE("the preface may come in pieces, and what begins like it may be HTTP/1.1") {
  World world;
  auto backend = Backend::named("one");
  const auto port = world.serve({backend->endpoint()});
  net::http2::testing::Side side{net::http2::Role::client, {}};
  auto client = dial_http2(port);
  const auto bytes = client.side.output();
  for (const char byte : bytes)
    REQUIRE(client.wire.send({&byte, 1}));
  CHECK(client.finish(client.ask("GET", "/")).body == "one");

  auto plain = Wire::dial(port);
  REQUIRE(plain.send("P"));
  REQUIRE(plain.send("RI"));
  CHECK(ask(plain, "X / HTTP/1.1\r\nHost: a\r\n\r\n").status == 200);
  // The preface of a second request is none.
  CHECK(ask(plain, net::http2::preface).status == 505);
}

TEST_CASE("many requests share a connection, and end in their own order") {
  World world;
  auto slow = std::make_unique<Backend>([](Wire& wire, Backend& self) {
    while (true) {
      const auto head = wire.head();
      if (head.empty())
        return;
      ++self.requests;
      const auto path = head.substr(4, head.find(' ', 4) - 4);
      if (path == "/held") // Until the other one was answered.
        while (self.requests < 2)
          std::this_thread::yield();
      wire.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(path.size()) + "\r\n\r\n" +
                path);
    }
  });
  auto client = dial_http2(world.serve({slow->endpoint()}));
  const auto held = client.ask("GET", "/held");
  const auto quick = client.ask("GET", "/quick");
  CHECK(client.finish(quick).body == "/quick");
  CHECK(client.finish(held).body == "/held");
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 100; ++i)
    ids.push_back(client.ask("GET", "/" + std::to_string(i)));
  for (int i = 0; i < 100; ++i)
    CHECK(client.finish(ids[static_cast<std::size_t>(i)]).body == "/" + std::to_string(i));
}

TEST_CASE("content of known and of unknown length, HEAD and empty answers cross the versions") {
  World world;
  auto backend = echo_backend();
  auto client = dial_http2(world.serve({backend->endpoint()}));
  const auto& sized = client.finish(client.ask("POST", "/", {{"content-length", "5"}}, "hello"));
  CHECK(sized.body.find("content-length: 5\r\n") != std::string::npos);
  CHECK(sized.body.ends_with("\r\n\r\nhello"));
  const auto& chunked = client.finish(client.ask("POST", "/", {}, "there"));
  CHECK(chunked.body.find("transfer-encoding: chunked\r\n") != std::string::npos);
  CHECK(chunked.body.ends_with("\r\n\r\nthere"));
  const auto& head = client.finish(client.ask("HEAD", "/"));
  CHECK(head.field(":status") == "200");
  CHECK(std::stoul(head.field("content-length")) > 0);
  CHECK(head.body.empty());
  CHECK(head.ended);
}

TEST_CASE("large content goes both ways through windows that are smaller") {
  World world;
  auto backend = echo_backend();
  auto client = dial_http2(world.serve({backend->endpoint()}));
  const std::string content(3 << 20, 'x');
  const auto& answer = client.finish(client.ask("POST", "/", {}, content));
  CHECK(answer.body.size() > content.size());
  CHECK(answer.body.ends_with(content));
}

TEST_CASE("interim answers and trailers of an HTTP/1.1 backend reach a client of HTTP/2") {
  World world;
  Backend backend{[](Wire& wire, Backend&) {
    while (!wire.head().empty())
      wire.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n"
                "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n");
  }};
  auto client = dial_http2(world.serve({backend.endpoint()}));
  const auto& answer = client.finish(client.ask("GET", "/"));
  CHECK(answer.statuses == std::vector<std::string>{"103", "200"});
  CHECK(answer.body == "ok");
  CHECK(answer.trailers == decltype(answer.trailers){{"x-sum", "7"}});
}

TEST_CASE("an answer that ends with its backend's connection ends with its stream") {
  World world;
  Backend backend{[](Wire& wire, Backend&) {
    wire.head();
    wire.send("HTTP/1.1 200 OK\r\n\r\nto the end");
  }};
  auto client = dial_http2(world.serve({backend.endpoint()}));
  const auto& answer = client.finish(client.ask("GET", "/"));
  CHECK(answer.body == "to the end");
  CHECK(answer.ended);
  CHECK(answer.code == 0);
}

TEST_CASE("trailers of a client of HTTP/2 reach an HTTP/1.1 backend") {
  World world;
  Backend backend{[](Wire& wire, Backend&) {
    const auto head = wire.head();
    std::string body;
    while (!body.ends_with("\r\n\r\n"))
      body += wire.exactly(1);
    wire.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
              body);
  }};
  auto client = dial_http2(world.serve({backend.endpoint()}));
  const auto id = client.ask("POST", "/", {}, {}, true);
  auto& stream = client.side.streams[id];
  stream.out = "ok";
  stream.out_trailers.add("x-sum", "9");
  stream.out_ended = true;
  client.side.session.resume(id);
  CHECK(client.finish(id).body == "2\r\nok\r\n0\r\nx-sum: 9\r\n\r\n");
}

TEST_CASE("an answer that comes before its request has ended leaves the connection good") {
  World world;
  const auto port = world.serve({}); // 503 at once.
  auto client = dial_http2(port);
  const auto id = client.ask("POST", "/", {}, std::string(1 << 20, 'x'), true);
  const auto& answer = client.finish(id);
  CHECK(answer.field(":status") == "503");
  CHECK(answer.ended);
  CHECK(answer.code == 0); // RST_STREAM with NO_ERROR.
  CHECK(client.finish(client.ask("GET", "/")).field(":status") == "503");
}

TEST_CASE("a backend that fails within its answer resets the stream, not the connection") {
  World world;
  Backend backend{[](Wire& wire, Backend&) {
    const auto head = wire.head();
    if (head.starts_with("GET /good"))
      wire.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
    else
      wire.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbad");
  }};
  auto client = dial_http2(world.serve({backend.endpoint()}));
  const auto& bad = client.finish(client.ask("GET", "/bad"));
  CHECK(bad.field(":status") == "200");
  CHECK_FALSE(bad.ended);
  CHECK(bad.code == 2);
  CHECK(client.finish(client.ask("GET", "/good")).body == "good");
}

TEST_CASE("a client that resets its stream ends the request at the backend") {
  World world;
  std::atomic<bool> ended{false};
  Backend backend{[&](Wire& wire, Backend& self) {
    wire.head();
    ++self.requests;
    ended = wire.ended();
  }};
  auto client = dial_http2(world.serve({backend.endpoint()}));
  const auto id = client.ask("GET", "/");
  while (backend.requests == 0)
    std::this_thread::yield();
  client.side.session.reset(id, net::http2::ErrorCode::cancel);
  client.flush();
  CHECK(world.reaches(Counter::requests_aborted, 1));
  while (!ended)
    std::this_thread::yield();
}

TEST_CASE("a Host that contradicts the authority is answered with 400") {
  World world;
  auto client = dial_http2(world.serve({}));
  CHECK(client.finish(client.ask("GET", "/", {{"host", "other.org"}})).field(":status") == "400");
}

TEST_CASE("a head that is too large is answered with 431, and the connection serves on") {
  World world;
  auto backend = Backend::named("one");
  auto client = dial_http2(world.serve({backend->endpoint()}));
  const std::string large(70'000, 'x');
  const auto& answer = client.finish(client.ask("GET", "/", {{"x", large}}));
  CHECK(answer.field(":status") == "431");
  CHECK(answer.ended);
  CHECK(client.finish(client.ask("GET", "/")).body == "one");
}

TEST_CASE("a draining proxy answers what is under way, says that it ends, and takes no more") {
  World world;
  std::atomic<bool> go{false};
  Backend backend{[&](Wire& wire, Backend& self) {
    wire.head();
    ++self.requests;
    while (!go)
      std::this_thread::yield();
    wire.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlast");
  }};
  auto client = dial_http2(world.serve({backend.endpoint()}));
  const auto id = client.ask("GET", "/");
  while (backend.requests == 0)
    std::this_thread::yield();
  std::thread drain{[&] { world.proxy->drain(Millis{10'000}); }};
  REQUIRE(client.until([&] { return client.side.goaway; }));
  CHECK(client.ask("GET", "/late") == -1);
  go = true;
  CHECK(client.finish(id).body == "last");
  CHECK_FALSE(client.until([] { return false; })); // Ended.
  drain.join();
  CHECK(world.reaches(Counter::downstream_closed, 1));
}

TEST_CASE("idle connections of HTTP/2 end in order when their listener goes") {
  World world;
  auto backend = Backend::named("one");
  auto client = dial_http2(world.serve({backend->endpoint()}));
  CHECK(client.finish(client.ask("GET", "/")).body == "one");
  world.config.routes = {};
  world.no_listener("web").apply();
  CHECK_FALSE(client.until([] { return false; }));
  CHECK(client.side.goaway);
}

TEST_CASE("a connection that asks for nothing is ended") {
  ProxyOptions options{.workers = 1};
  options.timeouts.request_head = Millis{50};
  World world{options};
  auto client = dial_http2(world.serve({}));
  CHECK_FALSE(client.until([] { return false; }));
  CHECK(client.side.goaway);
}

} // namespace strait::gateway::proxy::testing
