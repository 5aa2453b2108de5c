#include "net/http1_body.hpp"

#include "net/http1_parser.hpp"
#include "net/http1_writer.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace strait::net::http1;

namespace {

struct Outcome {
  std::string content;
  std::size_t consumed = 0;
  bool done = false;
  ParseError error = ParseError::none;
};

Outcome read(BodyReader& body, std::string_view bytes, std::size_t piece) {
  Outcome out;
  std::size_t given = 0;
  while (given < bytes.size()) {
    given = std::min(bytes.size(), given + piece);
    BodyStep step;
    do {
      step = body.next(bytes.substr(out.consumed, given - out.consumed));
      out.consumed += step.consumed;
      out.content += step.payload;
    } while (step.state == BodyStep::State::data);
    if (step.state != BodyStep::State::need_more)
      break;
  }
  out.done = body.done();
  out.error = body.error();
  return out;
}

Outcome read_chunked(std::string_view bytes, const Limits& limits = {}) {
  BodyReader body{limits};
  body.start(Framing::chunked, 0);
  auto whole = read(body, bytes, bytes.size());
  for (std::size_t piece = 1; piece < bytes.size(); ++piece) {
    body.start(Framing::chunked, 0);
    auto split = read(body, bytes, piece);
    REQUIRE(split.content == whole.content);
    REQUIRE(split.error == whole.error);
    REQUIRE(split.done == whole.done);
    if (whole.done)
      REQUIRE(split.consumed == whole.consumed);
  }
  return whole;
}

} // namespace

TEST_CASE("a chunked body is read whole or cut anywhere, and what follows is left") {
  std::string wire =
      "5;name=\"a;\\\"b\"\r\nhello\r\n000006 \t;x\r\n world\r\n0\r\nSum: 1 \r\nB:\r\n\r\nGET /";
  auto out = read_chunked(wire);
  CHECK(out.done);
  CHECK(out.content == "hello world");
  CHECK(wire.substr(out.consumed) == "GET /");
  BodyReader body;
  body.start(Framing::chunked, 0);
  auto step = body.skip(wire);
  CHECK(step.state == BodyStep::State::done);
  CHECK(step.consumed == out.consumed);
  CHECK(body.payload_bytes() == 11);
  auto trailers = body.trailers();
  REQUIRE(trailers.size() == 2);
  CHECK(trailers[0] == std::pair<std::string_view, std::string_view>{"Sum", "1"});
  CHECK(trailers[1].second.empty());
}

TEST_CASE("chunk framing that some read otherwise is refused") {
  using P = ParseError;
  const std::pair<std::string, P> vectors[] = {
      {"\r\n", P::bad_chunk_size},
      {"x\r\n", P::bad_chunk_size},
      {"0x5\r\nhello\r\n", P::bad_chunk_size},
      {"-5\r\n", P::bad_chunk_size},
      {"+5\r\n", P::bad_chunk_size},
      {" 5\r\nhello\r\n", P::bad_chunk_size},
      {"5 \r\nhello\r\n", P::bad_chunk_size},
      {"5 5\r\nhello\r\n", P::bad_chunk_size},
      {"5\nhello\r\n", P::bare_lf},
      {"5;a\nhello\r\n", P::bare_lf},
      {"5\rhello\r\n", P::bare_cr},
      {"5;a=\"\r\n\"\r\nhello\r\n", P::bad_chunk_size},
      {"5;\x01\r\nhello\r\n", P::bad_chunk_size},
      {"5\r\nhello!\r\n", P::bad_chunk_end},
      {"5\r\nhello\n0\r\n", P::bad_chunk_end},
      {"5\r\nhello\r0\r\n", P::bad_chunk_end},
      {"10000000000000005\r\n", P::chunk_size_overflow},
      {"ffffffffffffffff\r\n", P::chunk_size_overflow},
      {"1000000000000000\r\n", P::chunk_size_overflow},
      {"0\r\nX : y\r\n\r\n", P::bad_trailer},
      {"0\r\n X: y\r\n\r\n", P::bad_trailer},
      {"0\r\nX\r\n\r\n", P::bad_trailer},
      {"0\r\nX: a\n\r\n", P::bad_trailer},
      {"0\r\nX: a\rb\r\n", P::bare_cr},
      {"0\r\n\rx", P::bare_cr},
      {"0\r\n\n", P::bad_trailer},
  };
  for (const auto& [bytes, error] : vectors) {
    INFO(bytes);
    CHECK(to_string(read_chunked(bytes).error) == to_string(error));
  }
}

TEST_CASE("the chunk line and the trailer section have maxima that are reached and not passed") {
  Limits limits{.chunk_line_bytes_max = 16, .trailer_bytes_max = 20};
  CHECK(read_chunked("1;" + std::string(12, 'e') + "\r\nx\r\n0\r\n\r\n", limits).done);
  CHECK(read_chunked("1;" + std::string(13, 'e') + "\r\nx\r\n0\r\n\r\n", limits).error ==
        ParseError::chunk_line_too_long);
  // "Abc: ", the value, CRLF and the final CRLF: 20 bytes.
  CHECK(read_chunked("0\r\nAbc: " + std::string(11, 't') + "\r\n\r\n", limits).done);
  CHECK(read_chunked("0\r\nAbc: " + std::string(12, 't') + "\r\n\r\n", limits).error ==
        ParseError::trailer_too_large);
}

TEST_CASE("a counted body ends at its length, and an end of the connection before it is told") {
  BodyReader body;
  body.start(Framing::length, 5);
  CHECK(body.remaining() == 5);
  auto out = read(body, "helloGET", 3);
  CHECK(out.done);
  CHECK(out.content == "hello");
  CHECK(out.consumed == 5);
  body.start(Framing::length, 5);
  read(body, "hell", 4);
  CHECK_FALSE(body.finish_at_close());
  CHECK(body.error() == ParseError::truncated);
  body.start(Framing::chunked, 0);
  read(body, "5\r\nhello\r\n0\r\n", 20);
  CHECK_FALSE(body.finish_at_close());
  body.start(Framing::until_close, 0);
  CHECK(read(body, "whatever", 3).content == "whatever");
  CHECK_FALSE(body.done());
  CHECK(body.finish_at_close());
  body.start(Framing::none, 0);
  CHECK(body.done());
}

TEST_CASE("a written head is what the parser reads, and what would break it is not written") {
  std::string out;
  HeadWriter request{out};
  request.request("GET", "/a?b")
      .field("Host", "x")
      .field("Content-Length", 17)
      .raw_line("A: b\r\n");
  request.end();
  CHECK(request.ok());
  CHECK(out == "GET /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 17\r\nA: b\r\n\r\n");
  out.clear();
  HeadWriter response{out};
  response.response(404).field("Empty", "").end();
  CHECK(out == "HTTP/1.1 404 Not Found\r\nEmpty: \r\n\r\n");
  ResponseParser parser;
  CHECK(parser.parse(out, ResponseTo::head) == Progress::done);

  auto refuses = [](auto write) {
    std::string text;
    HeadWriter writer{text};
    write(writer);
    return !writer.ok() && text.empty();
  };
  CHECK(refuses([](auto& w) { w.field("X", "a\r\nB: c"); }));
  CHECK(refuses([](auto& w) { w.field("X", std::string_view("a\0", 2)); }));
  CHECK(refuses([](auto& w) { w.field("X", "a "); }));
  CHECK(refuses([](auto& w) { w.field("X Y", "a"); }));
  CHECK(refuses([](auto& w) { w.field("", "a"); }));
  CHECK(refuses([](auto& w) { w.request("GET", "/a b"); }));
  CHECK(refuses([](auto& w) { w.request("G T", "/"); }));
  CHECK(refuses([](auto& w) { w.response(200, "a\nb"); }));
  CHECK(refuses([](auto& w) { w.response(42); }));
  out.clear();
  append_chunk_size(out, 0x1a2b);
  CHECK(out == "1a2b\r\n");
}
