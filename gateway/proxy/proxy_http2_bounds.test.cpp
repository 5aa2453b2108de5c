#include "gateway/proxy/http2_fixture.test.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy::testing {

TEST_CASE("a client that opens and resets streams without end loses its connection, no other") {
  ProxyOptions options{.workers = 1};
  options.limits.http2.resets_burst = 20;
  options.limits.http2.resets_per_second = 0;
  World world{options};
  auto backend = Backend::named("one");
  const auto port = world.serve({backend->endpoint()});
  auto good = dial_http2(port);
  CHECK(good.finish(good.ask("GET", "/")).body == "one");
  auto bad = dial_http2(port);
  int resets = 0;
  for (; resets < 1'000 && bad.wire.ok() && !bad.side.goaway; ++resets) {
    const auto id = bad.ask("GET", "/");
    if (id < 0)
      break;
    bad.side.session.reset(id, net::http2::ErrorCode::cancel);
    if (!bad.flush())
      break;
  }
  CHECK_FALSE(bad.until([] { return false; }));
  CHECK(good.finish(good.ask("GET", "/")).body == "one");
  CHECK(world.reaches(Counter::downstream_closed, 1));
}

TEST_CASE("a client that only asks for answers to PING loses its connection") {
  ProxyOptions options{.workers = 1};
  options.limits.http2.idle_frames_burst = 100;
  options.limits.http2.idle_frames_per_second = 0;
  World world{options};
  auto client = dial_http2(world.serve({}));
  REQUIRE(client.flush());
  const std::string ping{"\0\0\x08\x06\0\0\0\0\0"
                         "12345678",
                         17};
  int sent = 0;
  while (sent < 100'000 && client.wire.send(ping))
    ++sent;
  CHECK(world.reaches(Counter::downstream_closed, 1));
}

TEST_CASE("streams above their maximum are refused, those below are served") {
  ProxyOptions options{.workers = 1};
  options.limits.http2.streams_max = 3;
  World world{options};
  std::atomic<bool> go{false};
  Backend backend{[&](Wire& wire, Backend&) {
    while (!wire.head().empty()) {
      while (!go)
        std::this_thread::yield();
      wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
  }};
  auto client = dial_http2(world.serve({backend.endpoint()}));
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 5; ++i) // Before it knows the maximum.
    ids.push_back(client.ask("GET", "/"));
  for (const std::size_t i : {3U, 4U})
    CHECK(client.finish(ids[i]).code == 7);
  go = true;
  for (const std::size_t i : {0U, 1U, 2U})
    CHECK(client.finish(ids[i]).body == "ok");
}

} // namespace strait::gateway::proxy::testing
