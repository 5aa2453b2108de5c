#include "gateway/proxy/http2_fixture.test.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy::testing {

namespace {

/// An HTTP listener whose requests go to endpoints that speak HTTP/2.
std::uint16_t serve_http2(World& world, std::vector<Endpoint> endpoints) {
  const auto port = free_port();
  Cluster cluster;
  cluster.id = "backend";
  cluster.endpoints = std::move(endpoints);
  cluster.http2 = true;
  world.config.clusters =
      world.config.clusters.with("backend", std::make_shared<const Cluster>(std::move(cluster)));
  world.listener({.name = "web", .address = "127.0.0.1", .port = port});
  world.all_to("web", "backend").apply();
  return port;
}

} // namespace

TEST_CASE("a client of HTTP/1.1 is served by a backend of HTTP/2, on one connection") {
  World world;
  auto backend = named_http2_backend("two");
  const auto port = serve_http2(world, {backend->endpoint()});
  auto wire = Wire::dial(port);
  const auto answer = ask(wire, get("/a?b=c"));
  CHECK(answer.status == 200);
  CHECK(answer.body == "two GET http://example.com/a?b=c");
  CHECK(answer.field("transfer-encoding") == "chunked");
  CHECK(ask(wire, "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello").body ==
        "two POST http://a/p hello");
  CHECK(ask(wire, "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "2\r\nhi\r\n0\r\nX-Sum: 5\r\n\r\n")
            .body == "two POST http://a/p hi x-sum=5");
  CHECK(ask(wire, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").status == 200);
  auto other = Wire::dial(port);
  CHECK(ask(other, get("/")).status == 200);
  CHECK(backend->connections == 1);
  CHECK(world.counted(Counter::http2_upstreams) == 1);
}

TEST_CASE("HTTP/2 goes through from end to end, with trailers both ways") {
  World world;
  auto backend = http2_backend([](Http2Wire& wire, std::int32_t id, Stream2& request) {
    std::string seen = request.body;
    for (const auto& [name, value] : request.trailers)
      seen += " " + name + "=" + value;
    wire.answer(id, {{":status", "200"}, {"content-type", "application/grpc"}}, seen,
                {{"grpc-status", "0"}, {"x-more", "y"}});
  });
  auto client = dial_http2(serve_http2(world, {backend->endpoint()}));
  const auto id = client.ask("POST", "/", {{"te", "trailers"}}, {}, true);
  auto& stream = client.side.streams[id];
  stream.out = "message";
  stream.out_trailers.add("x-sum", "7");
  stream.out_ended = true;
  client.side.session.resume(id);
  const auto& answer = client.finish(id);
  CHECK(answer.body == "message x-sum=7");
  CHECK(answer.trailers == decltype(answer.trailers){{"grpc-status", "0"}, {"x-more", "y"}});
  CHECK(answer.code == 0);
}

TEST_CASE("trailers of a backend of HTTP/2 reach a client of HTTP/1.1") {
  World world;
  auto backend = http2_backend([](Http2Wire& wire, std::int32_t id, Stream2&) {
    wire.answer(id, {{":status", "200"}}, "ok", {{"x-sum", "3"}});
  });
  auto wire = Wire::dial(serve_http2(world, {backend->endpoint()}));
  REQUIRE(wire.send("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: te\r\n\r\n"));
  CHECK(field_of(wire.head(), "transfer-encoding") == "chunked");
  const std::string_view whole{"2\r\nok\r\n0\r\nx-sum: 3\r\n\r\n"};
  CHECK(wire.exactly(whole.size()) == whole);
}

TEST_CASE("an answer of trailers only stays one") {
  World world;
  auto backend = http2_backend([](Http2Wire& wire, std::int32_t id, Stream2&) {
    wire.answer(id,
                {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "5"}});
  });
  auto client = dial_http2(serve_http2(world, {backend->endpoint()}));
  const auto& answer = client.finish(client.ask("POST", "/a/b", {{"te", "trailers"}}, "x"));
  CHECK(answer.field("grpc-status") == "5");
  CHECK(answer.body.empty());
  CHECK(answer.trailers.empty());
  CHECK(answer.ended);
}

TEST_CASE("messages go both ways while both sides are open") {
  World world;
  auto backend = std::make_unique<Backend>([](Wire& raw, Backend&) {
    Http2Wire wire{std::move(raw), net::http2::Role::server};
    wire.until([&] { // Each message is answered at once, before the next comes.
      for (auto& [id, stream] : wire.side.streams) {
        if (stream.statuses.empty() && stream.field(":path") == "/talk") {
          stream.statuses.emplace_back("200");
          stream.out_ended = false;
          net::http2::FieldList head;
          head.add(":status", "200");
          wire.side.session.respond(id, head, false);
        }
        stream.out += std::exchange(stream.body, {});
        stream.out_ended = stream.ended;
        wire.side.session.resume(id);
      }
      return !wire.flush();
    });
  });
  auto client = dial_http2(serve_http2(world, {backend->endpoint()}));
  const auto id = client.ask("POST", "/talk", {}, {}, true);
  auto& stream = client.side.streams[id];
  for (int i = 0; i < 20; ++i) {
    const auto message = "message " + std::to_string(i);
    stream.body.clear();
    stream.out = message;
    client.side.session.resume(id);
    REQUIRE(client.until([&] { return stream.body == message; }));
  }
  stream.out_ended = true;
  client.side.session.resume(id);
  CHECK(client.finish(id).ended);
}

TEST_CASE("requests share a connection up to what the endpoint permits, further ones get another") {
  ProxyOptions options{.workers = 1};
  options.limits.endpoint_http2_connections_max = 2;
  World world{options};
  std::atomic<bool> go{false};
  net::http2::Limits few;
  few.streams_max = 3;
  auto backend = http2_backend(
      [&](Http2Wire& wire, std::int32_t id, Stream2& request) {
        if (request.field(":path") == "/held")
          while (!go)
            std::this_thread::yield();
        wire.answer(id, {{":status", "200"}}, "ok");
      },
      few);
  auto client = dial_http2(serve_http2(world, {backend->endpoint()}));
  // The endpoint's settings arrive with its first answer at the latest.
  CHECK(client.finish(client.ask("GET", "/")).body == "ok");
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 8; ++i)
    ids.push_back(client.ask("GET", "/held"));
  while (backend->connections < 2)
    std::this_thread::yield();
  go = true;
  for (const auto id : ids) { // Six at once, two waited.
    CHECK(client.finish(id).body == "ok");
  }
  CHECK(backend->connections == 2);
  CHECK(world.counted(Counter::http2_upstreams) == 2);
}

TEST_CASE("a request that the endpoint refused unprocessed is sent again, be it a POST") {
  World world;
  std::atomic<int> refusals{0};
  auto backend = http2_backend([&](Http2Wire& wire, std::int32_t id, Stream2& request) {
    if (refusals++ == 0) {
      wire.side.session.reset(id, net::http2::ErrorCode::refused_stream);
      wire.flush();
      return;
    }
    wire.answer(id, {{":status", "200"}}, "again " + request.body);
  });
  auto client = dial_http2(serve_http2(world, {backend->endpoint()}));
  CHECK(client.finish(client.ask("POST", "/", {}, "hello")).body == "again hello");
  CHECK(world.counted(Counter::retries) == 1);
}

TEST_CASE("a POST that the endpoint cancelled after it may have acted on it is not sent again") {
  World world;
  auto backend = http2_backend([&](Http2Wire& wire, std::int32_t id, Stream2&) {
    wire.side.session.reset(id, net::http2::ErrorCode::cancel);
    wire.flush();
  });
  auto client = dial_http2(serve_http2(world, {backend->endpoint()}));
  CHECK(client.finish(client.ask("POST", "/", {}, "hello")).field(":status") == "502");
  CHECK(backend->requests == 1);
}

TEST_CASE("a connection that the endpoint ends is left, its last answers arrive") {
  World world;
  auto backend = http2_backend([&](Http2Wire& wire, std::int32_t id, Stream2& request) {
    if (request.field(":path") == "/last")
      wire.side.session.end();
    wire.answer(id, {{":status", "200"}}, "ok");
  });
  const auto port = serve_http2(world, {backend->endpoint()});
  auto client = dial_http2(port);
  CHECK(client.finish(client.ask("GET", "/")).body == "ok");
  CHECK(client.finish(client.ask("GET", "/last")).body == "ok");
  CHECK(client.finish(client.ask("POST", "/", {}, "x")).body == "ok");
  CHECK(backend->connections == 2);
  CHECK(world.counted(Counter::upstream_failures) == 0);
}

TEST_CASE("an endpoint that resets within its answer resets the client's stream") {
  World world;
  auto backend = http2_backend([&](Http2Wire& wire, std::int32_t id, Stream2& request) {
    if (request.field(":path") == "/good")
      return wire.answer(id, {{":status", "200"}}, "good");
    wire.side.streams[id].out_ended = false;
    wire.answer(id, {{":status", "200"}}, "begun");
    wire.side.session.reset(id, net::http2::ErrorCode::internal_error);
    wire.flush();
  });
  auto client = dial_http2(serve_http2(world, {backend->endpoint()}));
  const auto& bad = client.finish(client.ask("GET", "/bad"));
  CHECK_FALSE(bad.ended);
  CHECK(bad.code == 2);
  CHECK(client.finish(client.ask("GET", "/good")).body == "good");
  CHECK(backend->connections == 1);
}

TEST_CASE("an endpoint that does not speak HTTP/2 is a bad gateway") {
  World world;
  auto backend = Backend::named("one");
  auto client = dial_http2(serve_http2(world, {backend->endpoint()}));
  CHECK(client.finish(client.ask("GET", "/")).field(":status") == "502");
  const auto dead = free_port();
  World other;
  auto second = dial_http2(serve_http2(other, {{"127.0.0.1", dead, 1}}));
  CHECK(second.finish(second.ask("GET", "/")).field(":status") == "502");
}

TEST_CASE("a connection without requests is ended after a while, and made again") {
  ProxyOptions options{.workers = 1};
  options.timeouts.upstream_idle = Millis{20};
  World world{options};
  auto backend = named_http2_backend("two");
  auto client = dial_http2(serve_http2(world, {backend->endpoint()}));
  CHECK(client.finish(client.ask("GET", "/")).field(":status") == "200");
  CHECK(world.reaches(Counter::upstream_closed, 1));
  CHECK(client.finish(client.ask("GET", "/")).field(":status") == "200");
  CHECK(backend->connections == 2);
}

TEST_CASE("a client that does not read holds up its own answer only") {
  World world;
  auto backend = http2_backend([&](Http2Wire& wire, std::int32_t id, Stream2& request) {
    wire.answer(id, {{":status", "200"}},
                std::string(request.field(":path") == "/large" ? 8 << 20 : 2, 'x'));
  });
  const auto port = serve_http2(world, {backend->endpoint()});
  auto slow = dial_http2(port);
  slow.side.consumes = false;
  const auto large = slow.ask("GET", "/large");
  REQUIRE(slow.until([&] { return slow.side.streams[large].body.size() >= 64 * 1024; }));
  auto quick = dial_http2(port);
  for (int i = 0; i < 20; ++i)
    REQUIRE(quick.finish(quick.ask("GET", "/")).body == "xx");
  CHECK(slow.side.streams[large].body.size() == 64 * 1024); // The window, no more.
  CHECK(backend->connections == 1);
  slow.side.consumes = true;
  slow.side.session.consume(large, slow.side.streams[large].body.size());
  CHECK(slow.finish(large).body.size() == 8 << 20);
}

} // namespace strait::gateway::proxy::testing
