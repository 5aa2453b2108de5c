#include "gateway/proxy/grpc_auth.hpp"
#include "gateway/proxy/http2_fixture.test.hpp"
#include "gateway/proxy/protobuf_wire.hpp"
#include "gateway/proxy/proxy_fixture.test.hpp"

#include <catch2/catch.hpp>

/// Authorizers that speak gRPC, and mirrors that speak HTTP/2, through a running proxy.
namespace strait::gateway::proxy::testing {

namespace {

std::string framed(const std::string& message) {
  std::string out(4, '\0');
  out.push_back(static_cast<char>(message.size()));
  return out + message;
}

std::string header_option(std::string_view name, std::string_view value) {
  std::string pair, option;
  ProtobufWriter{pair}.text(1, name).text(2, value);
  ProtobufWriter{option}.message(1, pair);
  return option;
}

std::string check_response(std::uint64_t code, std::uint32_t field, const std::string& message) {
  std::string status, out;
  ProtobufWriter{status}.number(1, code);
  ProtobufWriter{out}.message(1, status).message(field, message);
  return framed(out);
}

std::unique_ptr<Backend> authorizer(std::string content, std::string grpc_status,
                                    std::string* asked = nullptr) {
  return http2_backend(
      [content, grpc_status, asked](Http2Wire& wire, std::int32_t id, Stream2& request) {
        if (asked)
          *asked = request.field(":method") + " " + request.field(":path") + " " +
                   request.field("content-type") + " " + request.field("te") + " " + request.body;
        wire.answer(id, {{":status", "200"}, {"content-type", "application/grpc"}}, content,
                    {{"grpc-status", grpc_status}});
      });
}

struct Guarded {
  Guarded()
      : backend{[](Wire& wire, Backend&) {
          for (;;) {
            const auto head = wire.head();
            if (head.empty())
              return;
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(head.size()) +
                      "\r\n\r\n" + head);
          }
        }},
        port{world.serve({backend.endpoint()})} {}
  void guard(const Backend& by) {
    auto made = rule("/", {share("backend")});
    made.auth = ExternalAuth{.cluster = "auth", .grpc = true};
    world.cluster("auth", {by.endpoint()});
    world.route("web", "HTTPRoute default/all", {{}, {made}}).apply();
  }
  Backend backend;
  World world;
  std::uint16_t port;
};

} // namespace

TEST_CASE("a gRPC authorizer permits, and edits the request and its answer") {
  std::string ok, asked;
  ProtobufWriter{ok}
      .message(2, header_option("x-user", "7"))
      .text(5, "authorization")
      .message(6, header_option("x-answer", "8"));
  const auto by = authorizer(check_response(0, 3, ok), "0", &asked);
  Guarded guarded;
  guarded.guard(*by);
  auto wire = Wire::dial(guarded.port);
  for (int i = 0; i < 2; ++i) {
    const auto answer =
        ask(wire, "GET /secret?a HTTP/1.1\r\nHost: h.org\r\nAuthorization: Bearer t\r\n\r\n");
    CHECK(answer.status == 200);
    CHECK(answer.field("x-answer") == "8");
    CHECK(field_of(answer.body, "x-user") == "7");
    CHECK(field_of(answer.body, "authorization").empty());
  }
  CHECK(asked.starts_with("POST " + std::string{grpc_auth_path} + " application/grpc trailers "));
  CHECK(asked.find("/secret?a") != std::string::npos);
  CHECK(asked.find("Bearer t") != std::string::npos);
  CHECK(guarded.world.counted(Counter::auth_allowed) == 2);
}

TEST_CASE("a gRPC authorizer refuses with an answer of its own") {
  std::string status, denied;
  ProtobufWriter{status}.number(1, 401);
  ProtobufWriter{denied}
      .message(1, status)
      .message(2, header_option("www-authenticate", "Basic"))
      .text(3, "who are you?");
  const auto by = authorizer(check_response(16, 2, denied), "0");
  Guarded guarded;
  guarded.guard(*by);
  const auto answer = ask(guarded.port, get("/"));
  CHECK(answer.status == 401);
  CHECK(answer.field("www-authenticate") == "Basic");
  CHECK(answer.body == "who are you?");
  CHECK(guarded.world.counted(Counter::auth_denied) == 1);
}

TEST_CASE("a call that fails, and a verdict that cannot be read, let nothing pass") {
  Guarded guarded;
  const auto unavailable = authorizer(check_response(0, 3, ""), "14");
  guarded.guard(*unavailable);
  CHECK(ask(guarded.port, get("/")).status == 403);
  const auto nonsense = authorizer("nonsense", "0");
  guarded.guard(*nonsense);
  CHECK(ask(guarded.port, get("/")).status == 403);
  const auto trailers_only = http2_backend([](Http2Wire& wire, std::int32_t id, Stream2&) {
    wire.answer(id,
                {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "12"}});
  });
  guarded.guard(*trailers_only);
  CHECK(ask(guarded.port, get("/")).status == 403);
  CHECK(guarded.world.counted(Counter::auth_failures) == 3);
}

TEST_CASE("a request that comes by HTTP/2 meets the same filters") {
  Guarded guarded;
  auto made = rule("/", {share("backend")});
  made.cors = Cors{.allow_origins = {"https://a.org"}};
  made.rewrite = Rewrite{"inner.org", PathEdit{PathEdit::Type::full, "/inner"}};
  made.session = SessionPersistence{.name = "sticky"};
  guarded.world.route("web", "HTTPRoute default/all", {{}, {made}}).apply();
  auto client = dial_http2(guarded.port);
  const auto said = [&](std::int32_t id) { return client.finish(id); };
  const auto asked = said(client.ask(
      "OPTIONS", "/a", {{"origin", "https://a.org"}, {"access-control-request-method", "PUT"}}));
  CHECK(asked.field(":status") == "204");
  CHECK(asked.field("access-control-allow-origin") == "https://a.org");
  const auto got = said(client.ask("PUT", "/a?b", {{"origin", "https://a.org"}}, "abc"));
  CHECK(got.field(":status") == "200");
  CHECK(got.field("access-control-allow-origin") == "https://a.org");
  CHECK(got.field("set-cookie").starts_with("sticky="));
  CHECK(got.body.starts_with("PUT /inner?b HTTP/1.1\r\n"));
  CHECK(field_of(got.body, "host") == "inner.org");

  made.redirect = Redirect{.scheme = "https", .hostname = "b.org"};
  made.rewrite.reset();
  guarded.world.route("web", "HTTPRoute default/all", {{}, {made}}).apply();
  const auto sent = said(client.ask("GET", "/a?b"));
  CHECK(sent.field(":status") == "302");
  CHECK(sent.field("location") == "https://b.org/a?b");
}

TEST_CASE("a mirror that speaks HTTP/2 gets its copy") {
  std::mutex mutex;
  std::string seen;
  const auto mirror = http2_backend([&](Http2Wire& wire, std::int32_t id, Stream2& request) {
    {
      std::lock_guard lock{mutex};
      seen += request.field(":method") + request.field(":path") + request.body + ";";
    }
    wire.answer(id, {{":status", "200"}}, "thanks");
  });
  Guarded guarded;
  auto made = rule("/", {share("backend")});
  made.mirrors = {{"mirror"}};
  Cluster cluster{"mirror", {mirror->endpoint()}};
  cluster.http2 = true;
  guarded.world.config.clusters = guarded.world.config.clusters.with(
      "mirror", std::make_shared<const Cluster>(std::move(cluster)));
  guarded.world.route("web", "HTTPRoute default/all", {{}, {made}}).apply();
  CHECK(ask(guarded.port, "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc").status ==
        200);
  const auto until = now_instant() + Millis{10'000};
  for (bool done = false; !done && now_instant() < until; std::this_thread::yield()) {
    std::lock_guard lock{mutex};
    done = !seen.empty();
  }
  std::lock_guard lock{mutex};
  CHECK(seen == "PUT/aabc;");
}

} // namespace strait::gateway::proxy::testing
