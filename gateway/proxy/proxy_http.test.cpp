#include "gateway/proxy/proxy_fixture.test.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy::testing {

namespace {

/// Answers with the request that it got: head and content.
std::unique_ptr<Backend> echo() {
  return std::make_unique<Backend>([](Wire& wire, Backend& self) {
    for (;;) {
      const auto head = wire.head();
      if (head.empty())
        return;
      const auto text = head + wire.body(head);
      ++self.requests;
      wire.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" +
                text);
    }
  });
}

/// Answers every request with this text, then closes if asked.
std::unique_ptr<Backend> script(std::string text, bool close = false) {
  return std::make_unique<Backend>([text, close](Wire& wire, Backend& self) {
    for (;;) {
      const auto head = wire.head();
      if (head.empty())
        return;
      wire.body(head);
      ++self.requests;
      wire.send(text);
      if (close)
        return;
    }
  });
}

std::string repeated(std::size_t bytes) {
  std::string text(bytes, 'x');
  for (std::size_t i = 0; i < bytes; ++i)
    text[i] = static_cast<char>('a' + i % 23);
  return text;
}

} // namespace

TEST_CASE("pipelined requests are answered in order") {
  auto backend = echo();
  World world;
  auto wire = Wire::dial(world.serve({backend->endpoint()}));
  std::string requests;
  for (int i = 0; i < 20; ++i)
    requests += get("/" + std::to_string(i));
  REQUIRE(wire.send(requests));
  for (int i = 0; i < 20; ++i)
    CHECK(read_answer(wire).body.starts_with("GET /" + std::to_string(i) + " "));
  CHECK(backend->connections == 1);
}

TEST_CASE("a request that arrives byte by byte is understood") {
  auto backend = echo();
  World world;
  auto wire = Wire::dial(world.serve({backend->endpoint()}));
  const std::string request{"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "3\r\nabc\r\n2;x=\"y\"\r\nde\r\n0\r\nT: 1\r\n\r\n"};
  for (const char c : request)
    REQUIRE(wire.send({&c, 1}));
  const auto answer = read_answer(wire);
  CHECK(answer.status == 200);
  CHECK(answer.body.ends_with("abcde"));
  CHECK(ask(wire, get("/next")).status == 200);
}

TEST_CASE("chunked answers pass, split at every place") {
  const std::string text{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "4\r\nwxyz\r\n1\r\n!\r\n0\r\nX-Sum: 5\r\n\r\n"};
  Backend backend{[&](Wire& wire, Backend& self) {
    for (std::size_t split = 1; split < text.size(); ++split) {
      if (wire.head().empty())
        return;
      ++self.requests;
      wire.send(text.substr(0, split));
      std::this_thread::yield();
      wire.send(text.substr(split));
    }
  }};
  World world;
  auto wire = Wire::dial(world.serve({backend.endpoint()}));
  for (std::size_t split = 1; split < text.size(); ++split) {
    const auto answer = ask(wire, get("/"));
    REQUIRE(answer.status == 200);
    REQUIRE(answer.body == "wxyz!");
  }
  CHECK(backend.connections == 1);
}

TEST_CASE("an HTTP/1.0 client gets the content without chunks, ended by the connection") {
  auto backend = script("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "4\r\nwxyz\r\n1\r\n!\r\n0\r\n\r\n");
  World world;
  auto wire = Wire::dial(world.serve({backend->endpoint()}));
  REQUIRE(wire.send("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"));
  const auto head = wire.head();
  CHECK(field_of(head, "transfer-encoding").empty());
  CHECK(field_of(head, "connection") == "close");
  CHECK(wire.rest() == "wxyz!");
}

TEST_CASE("an HTTP/1.0 client that asks for it keeps its connection") {
  auto backend = Backend::named("one");
  World world;
  auto wire = Wire::dial(world.serve({backend->endpoint()}));
  const std::string request{"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"};
  CHECK(ask(wire, request).field("connection") == "keep-alive");
  CHECK(ask(wire, request).body == "one");
  const auto last = ask(wire, "GET / HTTP/1.0\r\nHost: a\r\n\r\n");
  CHECK(last.field("connection") == "close");
  CHECK(wire.ended());
}

TEST_CASE("an answer that ends with its connection is chunked for HTTP/1.1") {
  auto backend = script("HTTP/1.1 200 OK\r\n\r\nuntil the end", true);
  World world;
  auto wire = Wire::dial(world.serve({backend->endpoint()}));
  for (int i = 0; i < 2; ++i) {
    const auto answer = ask(wire, get("/"));
    CHECK(answer.field("transfer-encoding") == "chunked");
    CHECK(answer.body == "until the end");
  }
  CHECK(backend->connections == 2);
}

TEST_CASE("an answer that breaks off ends the client's connection, incomplete") {
  auto backend = script("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", true);
  World world;
  auto wire = Wire::dial(world.serve({backend->endpoint()}));
  REQUIRE(wire.send(get("/")));
  CHECK(field_of(wire.head(), "content-length") == "100");
  CHECK(wire.rest() == "half");
  CHECK(world.reaches(Counter::requests_aborted, 1));
}

TEST_CASE("HEAD, 204 and 304 have no content, whatever their fields say") {
  auto backend = script("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n");
  auto head = script("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
  World world;
  world.cluster("head", {head->endpoint()});
  auto wire = Wire::dial(world.serve({backend->endpoint()}));
  CHECK(ask(wire, get("/")).status == 304);
  CHECK(ask(wire, get("/")).status == 304);
  world.all_to("web", "head").apply();
  const auto answer = ask(wire, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(answer.status == 200);
  CHECK(answer.field("content-length") == "7");
  CHECK(ask(wire, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").status == 200);
}

TEST_CASE("100-continue is asked of the backend and passed on") {
  Backend backend{[](Wire& wire, Backend&) {
    for (;;) {
      const auto head = wire.head();
      if (head.empty())
        return;
      if (field_of(head, "expect") == "100-continue")
        wire.send("HTTP/1.1 100 Continue\r\n\r\n");
      const auto body = wire.body(head);
      wire.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                body);
    }
  }};
  World world;
  auto wire = Wire::dial(world.serve({backend.endpoint()}));
  REQUIRE(
      wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
  CHECK(wire.head() == "HTTP/1.1 100 Continue\r\n\r\n");
  REQUIRE(wire.send("hello"));
  CHECK(read_answer(wire).body == "hello");
  CHECK(ask(wire, get("/")).status == 200);
}

TEST_CASE("a refusal instead of 100 Continue ends the connection after it") {
  auto backend = std::make_unique<Backend>([](Wire& wire, Backend&) {
    if (!wire.head().empty())
      wire.send("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
    wire.rest();
  });
  World world;
  auto wire = Wire::dial(world.serve({backend->endpoint()}));
  const auto answer =
      ask(wire, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  CHECK(answer.status == 417);
  CHECK(answer.field("connection") == "close");
  CHECK(wire.ended());
}

TEST_CASE("an upgrade becomes a tunnel, with what was sent behind the head") {
  Backend backend{[](Wire& wire, Backend&) {
    const auto head = wire.head();
    if (head.empty())
      return;
    if (field_of(head, "upgrade") != "websocket" || field_of(head, "connection") != "upgrade")
      return;
    wire.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
              "Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nhello");
    for (;;) {
      const auto bytes = wire.some();
      if (bytes.empty())
        break;
      wire.send(bytes);
    }
    wire.send("bye");
  }};
  World world;
  auto wire = Wire::dial(world.serve({backend.endpoint()}));
  REQUIRE(wire.send("GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: "
                    "Upgrade\r\nSec-WebSocket-Key: k\r\n\r\n12"));
  const auto head = wire.head();
  CHECK(head.starts_with("HTTP/1.1 101"));
  CHECK(field_of(head, "sec-websocket-accept") == "x");
  CHECK(field_of(head, "upgrade") == "websocket");
  CHECK(wire.exactly(7) == "hello12");
  wire.send("345");
  CHECK(wire.exactly(3) == "345");
  wire.end_sending();
  CHECK(wire.rest() == "bye");
  CHECK(world.counted(Counter::upgrades) == 1);
}

TEST_CASE("an upgrade to h2c is not passed on") {
  auto backend = echo();
  World world;
  const auto answer = ask(world.serve({backend->endpoint()}),
                          "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, "
                          "HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
  CHECK(answer.status == 200);
  CHECK(answer.body.find("h2c") == std::string::npos);
  CHECK(answer.body.find("pgrade") == std::string::npos);
}

TEST_CASE("large contents go both ways, with a client that reads late") {
  const auto text = repeated(24 << 20);
  auto backend = echo();
  World world;
  auto wire = Wire::dial(world.serve({backend->endpoint()}));
  std::thread sender{[&] {
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(text.size()) +
              "\r\n\r\n");
    wire.send(text);
  }};
  sender.join(); // Nothing was read so far: the answer waits in the backend, not in the proxy.
  const auto answer = read_answer(wire);
  CHECK(answer.status == 200);
  CHECK(answer.body.size() > text.size());
  CHECK(answer.body.ends_with(text));
}

TEST_CASE("what waits for a slow client is bounded by the buffers") {
  constexpr std::size_t huge = std::size_t{1} << 30;
  std::atomic<std::size_t> written{0};
  Backend backend{[&](Wire& wire, Backend&) {
    if (wire.head().empty())
      return;
    wire.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(huge) + "\r\n\r\n");
    const std::string piece(64 << 10, 'x');
    while (written < huge && wire.send(piece))
      written += piece.size();
  }};
  World world;
  auto wire = Wire::dial(world.serve({backend.endpoint()}));
  REQUIRE(wire.send(get("/")));
  CHECK(wire.exactly(1 << 20).size() == 1 << 20);
  // Nothing is read any more: the flow stops with what sockets hold, far from the whole.
  std::size_t before = 0;
  do {
    before = written;
    std::this_thread::sleep_for(Millis{50});
  } while (written != before);
  CHECK(written < huge / 4);
  const auto in = world.counted(Counter::upstream_bytes_in);
  CHECK(in == 0); // Counted when the connection ends.
  wire.reset();
  CHECK(world.reaches(Counter::requests_aborted, 1));
  CHECK(world.reaches(Counter::upstream_closed, 1));
}

TEST_CASE("bad requests are answered with their status, and the connection ends") {
  auto backend = Backend::named("one");
  ProxyOptions options{.workers = 1};
  options.limits.body_bytes_max = 1'000;
  World world{options};
  const auto port = world.serve({backend->endpoint()});
  const auto refused_with = [&](const std::string& request) {
    auto wire = Wire::dial(port);
    wire.send(request);
    const auto answer = read_answer(wire);
    CHECK(answer.field("connection") == "close");
    CHECK(!answer.body.empty());
    return answer.status;
  };
  CHECK(refused_with("nonsense\r\n\r\n") == 400);
  CHECK(refused_with("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(refused_with("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n") ==
        431);
  std::string large{"GET / HTTP/1.1\r\nHost: a\r\n"};
  for (int i = 0; i < 100; ++i)
    large += "X: " + std::string(1'000, 'x') + "\r\n";
  CHECK(refused_with(large) == 431);
  CHECK(refused_with("GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n") == 414);
  CHECK(refused_with("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n") == 413);
  CHECK(refused_with("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                     std::string(1'001, 'x') + "\r\n") == 413);
  CHECK(refused_with("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: "
                     "chunked\r\n\r\n") == 400);
  CHECK(refused_with("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n") ==
        400);
  CHECK(refused_with("GET / HTTP/3.0\r\nHost: a\r\n\r\n") == 505);
  CHECK(ask(port, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n").status == 501);
  CHECK(ask(port, get("/")).status == 200);
}

TEST_CASE("hosts and paths that nobody serves are answered 404, and the connection goes on") {
  auto backend = Backend::named("one");
  World world;
  const auto port = free_port();
  world.listener({.name = "web", .address = "127.0.0.1", .port = port, .hostname = "example.com"});
  world.cluster("one", {backend->endpoint()});
  world.route("web", "HTTPRoute default/a", {{}, {rule("/a", {share("one")})}}).apply();
  auto wire = Wire::dial(port);
  CHECK(ask(wire, get("/a", "EXAMPLE.com:80")).status == 200);
  CHECK(ask(wire, get("/b")).status == 404);
  CHECK(ask(wire, get("/a", "other.com")).status == 404);
  CHECK(ask(wire, "POST /b HTTP/1.1\r\nHost: example.com\r\nContent-Length: 3\r\n\r\nabc").status ==
        404);
  CHECK(ask(wire, get("/a")).status == 200);
  CHECK(world.counted(Counter::no_listener) == 1);
  CHECK(world.counted(Counter::no_route) == 2);
}

TEST_CASE("header edits of the rule and of the backend are carried out both ways") {
  auto backend = echo();
  World world;
  const auto port = free_port();
  world.listener({.name = "web", .address = "127.0.0.1", .port = port});
  world.cluster("echo", {backend->endpoint()});
  auto edited = rule("/", {share("echo")});
  edited.request.set = {{"x-rule", "1"}};
  edited.backends[0].request.remove = {"x-secret"};
  edited.response.add = {{"x-answer", "rule"}};
  edited.backends[0].response.set = {{"x-backend", "b"}};
  world.route("web", "HTTPRoute default/a", {{}, {edited}}).apply();
  const auto answer = ask(port, "GET / HTTP/1.1\r\nHost: a\r\nX-Secret: s\r\n\r\n");
  CHECK(answer.body.find("x-rule: 1\r\n") != std::string::npos);
  CHECK(answer.body.find("ecret") == std::string::npos);
  CHECK(answer.body.find("x-forwarded-for: 127.0.0.1\r\n") != std::string::npos);
  CHECK(answer.field("x-answer") == "rule");
  CHECK(answer.field("x-backend") == "b");
}

TEST_CASE("the access log tells every request on one line") {
  std::mutex mutex;
  std::string log;
  auto backend = Backend::named("one");
  {
    ProxyOptions options{.workers = 1};
    options.access_log.format = AccessLogFormat::json;
    options.access_log.sink = [&](std::string_view lines) {
      std::lock_guard lock{mutex};
      log += lines;
    };
    World world{options};
    auto wire = Wire::dial(world.serve({backend->endpoint()}));
    ask(wire, get("/a?b=c"));
    ask(wire, "GET /d HTTP/1.1\r\nHost: a\r\nUser-Agent: \"me\"\r\nX-Request-Id: 7\r\n\r\n");
  }
  CHECK(std::count(log.begin(), log.end(), '\n') == 2);
  CHECK(log.find(R"("target":"/a?b=c","listener":"web","route":"HTTPRoute default/all",)"
                 R"("cluster":"backend","endpoint":"127.0.0.1:)") != std::string::npos);
  CHECK(log.find(R"("user_agent":"\"me\"","request_id":"7")") != std::string::npos);
  CHECK(log.find(R"("status":200)") != std::string::npos);
}

} // namespace strait::gateway::proxy::testing
