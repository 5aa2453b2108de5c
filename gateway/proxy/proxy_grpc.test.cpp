#include "gateway/proxy/http2_fixture.test.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy::testing {

namespace {

constexpr std::pair<std::string_view, std::string_view> grpc{"content-type", "application/grpc"};

HttpRoute grpc_route(std::string service, std::vector<strait::gateway::Backend> backends) {
  HttpRoute route;
  route.rules = {rule("/" + service, std::move(backends))};
  route.grpc = true;
  return route;
}

} // namespace

TEST_CASE("a GRPCRoute speaks HTTP/2 to backends that an HTTPRoute speaks HTTP/1.1 to") {
  World world;
  auto backend = http2_backend([](Http2Wire& wire, std::int32_t id, Stream2& request) {
    wire.answer(id, {{":status", "200"}, grpc}, "answer to " + request.body,
                {{"grpc-status", "0"}});
  });
  const auto port = free_port();
  world.listener({.name = "web", .address = "127.0.0.1", .port = port});
  world.cluster("backend", {backend->endpoint()});
  world.route("web", "GRPCRoute default/a", grpc_route("pkg.Service", {share("backend")})).apply();
  auto client = dial_http2(port);
  const auto& answer = client.finish(
      client.ask("POST", "/pkg.Service/Method", {grpc, {"te", "trailers"}}, "question"));
  CHECK(answer.body == "answer to question");
  CHECK(answer.trailers == decltype(answer.trailers){{"grpc-status", "0"}});

  SECTION("a method without a route is not implemented, in gRPC's own words") {
    const auto& unmatched =
        client.finish(client.ask("POST", "/other.Service/Method", {grpc}, "question"));
    CHECK(unmatched.field(":status") == "200");
    CHECK(unmatched.field("content-type") == "application/grpc");
    CHECK(unmatched.field("grpc-status") == "12");
    CHECK(unmatched.field("grpc-message") == "no route for this request");
    CHECK(unmatched.body.empty());
    CHECK(unmatched.trailers.empty());
    CHECK(world.counted(Counter::no_route) == 1);
    CHECK(world.counted(Counter::responses_4xx) == 1); // What it means, not how it is worded.
  }
  SECTION("others are told in HTTP") {
    CHECK(client.finish(client.ask("POST", "/other", {{"content-type", "text/plain"}}, "x"))
              .field(":status") == "404");
    CHECK(ask(port, get("/other")).status == 404);
  }
}

TEST_CASE("a gRPC call that cannot be carried out fails with the status that says why") {
  World world;
  auto never = http2_backend([](Http2Wire&, std::int32_t, Stream2&) {});
  const auto port = free_port();
  world.listener({.name = "web", .address = "127.0.0.1", .port = port});
  world.cluster("none", {});
  world.cluster("dead", {{"127.0.0.1", free_port(), 1}});
  world.cluster("never", {never->endpoint()});
  auto late = grpc_route("late", {share("never")});
  late.rules.front().backend_timeout = Millis{50};
  world.route("web", "GRPCRoute default/a", grpc_route("none", {share("none")}))
      .route("web", "GRPCRoute default/b", grpc_route("dead", {share("dead")}))
      .route("web", "GRPCRoute default/c", grpc_route("refused", {refused(500)}))
      .route("web", "GRPCRoute default/d", std::move(late))
      .apply();
  auto client = dial_http2(port);
  const auto status = [&](std::string_view path) {
    const auto& answer = client.finish(client.ask("POST", path, {grpc}, "x"));
    CHECK(answer.field(":status") == "200");
    return answer.field("grpc-status");
  };
  CHECK(status("/none/M") == "14");
  CHECK(status("/dead/M") == "14");
  CHECK(status("/refused/M") == "14");
  CHECK(status("/late/M") == "4");
}

TEST_CASE("a mirror of a gRPC call gets it in HTTP/2 as well") {
  World world;
  std::atomic<bool> mirrored{false};
  auto copy = http2_backend([&](Http2Wire& wire, std::int32_t id, Stream2& request) {
    mirrored = request.field(":path") == "/pkg.Service/M" && request.body == "question";
    wire.answer(id, {{":status", "200"}, grpc}, "unread", {{"grpc-status", "0"}});
  });
  auto backend = http2_backend([](Http2Wire& wire, std::int32_t id, Stream2&) {
    wire.answer(id, {{":status", "200"}, grpc}, "answer", {{"grpc-status", "0"}});
  });
  const auto port = free_port();
  world.listener({.name = "web", .address = "127.0.0.1", .port = port});
  world.cluster("backend", {backend->endpoint()}).cluster("copy", {copy->endpoint()});
  auto route = grpc_route("pkg.Service", {share("backend")});
  route.rules.front().mirrors = {{.cluster = "copy"}};
  world.route("web", "GRPCRoute default/a", std::move(route)).apply();
  auto client = dial_http2(port);
  CHECK(client.finish(client.ask("POST", "/pkg.Service/M", {grpc}, "question")).body == "answer");
  const auto until = now_instant() + Millis{10'000};
  while (!mirrored && now_instant() < until)
    std::this_thread::yield();
  CHECK(mirrored);
}

} // namespace strait::gateway::proxy::testing
