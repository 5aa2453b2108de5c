#include "net/http2_pair.test.hpp"

#include <catch2/catch.hpp>

namespace strait::net::http2::testing {

TEST_CASE("a request, its content and its trailers reach the server, and the answer's the client") {
  Pair pair;
  const auto id = pair.ask("POST", "/a?b=c", false);
  REQUIRE(id == 1);
  auto& request = pair.client.streams[id];
  request.out = "hello";
  request.out_trailers.add("x-sum", "5");
  REQUIRE(pair.exchange());
  auto& seen = pair.server.streams[id];
  CHECK(seen.field(":path") == "/a?b=c");
  CHECK(seen.body == "hello");
  CHECK(seen.trailers == decltype(seen.trailers){{"x-sum", "5"}});
  CHECK(seen.ended);
  CHECK(request.sent);

  FieldList hint;
  hint.add(":status", "103");
  pair.server.session.interim(id, hint);
  seen.out = "there";
  seen.out_trailers.add("grpc-status", "0");
  pair.answer(id, "200", false);
  REQUIRE(pair.exchange());
  CHECK(request.statuses == std::vector<std::string>{"103", "200"});
  CHECK(request.body == "there");
  CHECK(request.trailers == decltype(request.trailers){{"grpc-status", "0"}});
  CHECK(request.ended);
  CHECK(request.closed);
  CHECK(request.code == 0);
  CHECK(seen.closed);
}

TEST_CASE("an answer may consist of its head alone") {
  Pair pair;
  const auto id = pair.ask();
  REQUIRE(pair.exchange());
  CHECK(pair.server.streams[id].ended);
  pair.answer(id, "204", true);
  REQUIRE(pair.exchange());
  CHECK(pair.client.streams[id].statuses == std::vector<std::string>{"204"});
  CHECK(pair.client.streams[id].ended);
}

TEST_CASE("content that is not consumed closes the windows of its stream and of the connection") {
  Limits limits;
  limits.stream_window_bytes = 100'000;
  limits.connection_window_bytes = 150'000;
  Pair pair{limits};
  pair.server.consumes = false;
  REQUIRE(pair.exchange()); // Settings first.
  const auto one = pair.ask("POST", "/1", false), two = pair.ask("POST", "/2", false);
  pair.client.streams[one].out.assign(1'000'000, 'a');
  pair.client.streams[two].out.assign(1'000'000, 'b');
  REQUIRE(pair.exchange());
  auto &first = pair.server.streams[one], &second = pair.server.streams[two];
  CHECK(first.body.size() <= 100'000);
  CHECK(second.body.size() <= 100'000);
  CHECK(first.body.size() + second.body.size() == 150'000);

  pair.server.consumes = true;
  pair.server.session.consume(one, first.body.size());
  pair.server.session.consume(two, second.body.size());
  REQUIRE(pair.exchange());
  CHECK(first.body.size() == 1'000'000);
  CHECK(second.body.size() == 1'000'000);
  CHECK(second.ended);
}

TEST_CASE("content that comes later is asked for again") {
  Pair pair;
  const auto id = pair.ask("POST", "/", false);
  auto& request = pair.client.streams[id];
  request.out_ended = false;
  REQUIRE(pair.exchange());
  CHECK_FALSE(pair.server.streams[id].ended);
  request.out = "late";
  pair.client.session.resume(id);
  REQUIRE(pair.exchange());
  CHECK(pair.server.streams[id].body == "late");
  request.out_ended = true;
  pair.client.session.resume(id);
  REQUIRE(pair.exchange());
  CHECK(pair.server.streams[id].ended);
}

TEST_CASE("a reset ends a stream on both sides, with its code") {
  Pair pair;
  const auto id = pair.ask("POST", "/", false);
  pair.client.streams[id].out_ended = false;
  REQUIRE(pair.exchange());
  pair.client.session.reset(id, ErrorCode::cancel);
  REQUIRE(pair.exchange());
  CHECK(pair.server.streams[id].closed);
  CHECK(pair.server.streams[id].code == 8);
  CHECK_FALSE(pair.server.streams[id].ended);
}

TEST_CASE("what the server announces as unprocessed is refused, the rest goes on") {
  Pair pair;
  const auto taken = pair.ask();
  REQUIRE(pair.exchange());
  pair.server.session.announce_end();
  REQUIRE(pair.exchange());
  CHECK(pair.client.goaway);
  CHECK(pair.ask() == -1);

  pair.server.session.end();
  REQUIRE(pair.exchange());
  CHECK_FALSE(pair.server.session.finished());
  pair.answer(taken, "200", true);
  REQUIRE(pair.exchange());
  CHECK(pair.client.streams[taken].code == 0);
  CHECK(pair.server.session.finished());
}

TEST_CASE("a request that crosses the end of the connection is closed as refused") {
  Pair pair;
  REQUIRE(pair.exchange());
  pair.server.session.end();
  const auto id = pair.ask(); // The client does not know yet.
  REQUIRE(id > 0);
  REQUIRE(pair.exchange());
  CHECK(pair.client.streams[id].closed);
  CHECK(pair.client.streams[id].code == 7);
  CHECK(pair.server.heads.empty());
}

TEST_CASE("a malformed head ends its stream and is not told") {
  Pair pair;
  FieldList fields;
  fields.add(":method", "GET");
  fields.add(":scheme", "http");
  fields.add(":path", "/");
  fields.add("connection", "close");
  const auto id = pair.client.session.request(fields, true);
  REQUIRE(id);
  REQUIRE(pair.exchange());
  CHECK(pair.server.heads.empty());
  CHECK(pair.client.streams[*id].code == 1);
}

} // namespace strait::net::http2::testing
