#include "net/http1_parser.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace strait::net::http1;

namespace {

struct Facts {
  ParseError error = ParseError::none;
  int status = 0;
  Framing framing = Framing::none;
  bool keep_alive = false;
};

Facts facts_of(std::string_view bytes, ResponseTo request = ResponseTo::other) {
  ResponseParser whole;
  auto progress = whole.parse(bytes, request);
  ResponseParser bytewise;
  Progress last = Progress::need_more;
  for (std::size_t n = 1; n <= bytes.size() && last == Progress::need_more; ++n)
    last = bytewise.parse(bytes.substr(0, n), request);
  REQUIRE(last == progress);
  REQUIRE(bytewise.error() == whole.error());
  REQUIRE(progress != Progress::need_more);
  return {whole.error(), whole.head().status(), whole.head().framing(), whole.head().keep_alive()};
}

} // namespace

TEST_CASE("a response head is taken apart, with and without a reason") {
  ResponseParser parser;
  std::string text = "HTTP/1.1 404 Not  Found \r\nServer: x\r\nContent-Length: 3\r\n\r\nabc";
  REQUIRE(parser.parse(text, ResponseTo::other) == Progress::done);
  CHECK(parser.head().status() == 404);
  CHECK(parser.head().reason() == "Not  Found ");
  CHECK(parser.head().get(HeaderId::server) == "x");
  CHECK(parser.head().content_length() == 3);
  CHECK(parser.head().bytes() == text.size() - 3);
  parser.reset();
  std::string bare = "HTTP/1.0 200\r\n\r\n";
  REQUIRE(parser.parse(bare, ResponseTo::other) == Progress::done);
  CHECK(parser.head().reason().empty());
  CHECK(parser.head().fields().empty());
}

TEST_CASE("a response's framing follows RFC 9112 section 6.3") {
  auto framing = [](const std::string& text, ResponseTo request = ResponseTo::other) {
    auto facts = facts_of(text, request);
    REQUIRE(facts.error == ParseError::none);
    return facts.framing;
  };
  const std::string length = "Content-Length: 5\r\n\r\n",
                    chunked = "Transfer-Encoding: chunked\r\n\r\n";
  CHECK(framing("HTTP/1.1 200 OK\r\n" + length) == Framing::length);
  CHECK(framing("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") == Framing::none);
  CHECK(framing("HTTP/1.1 200 OK\r\n" + chunked) == Framing::chunked);
  CHECK(framing("HTTP/1.1 200 OK\r\n\r\n") == Framing::until_close);
  CHECK(framing("HTTP/1.1 200 OK\r\n" + length, ResponseTo::head) == Framing::none);
  CHECK(framing("HTTP/1.1 200 OK\r\n\r\n", ResponseTo::head) == Framing::none);
  CHECK(framing("HTTP/1.1 200 OK\r\n" + length, ResponseTo::connect) == Framing::none);
  CHECK(framing("HTTP/1.1 403 No\r\n" + length, ResponseTo::connect) == Framing::length);
  CHECK(framing("HTTP/1.1 304 X\r\n" + length) == Framing::none);
  CHECK(framing("HTTP/1.1 204 X\r\n\r\n") == Framing::none);
  CHECK(framing("HTTP/1.1 100 Continue\r\n\r\n") == Framing::none);
}

TEST_CASE("a response after which nothing can be trusted does not keep its connection") {
  CHECK(facts_of("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n").keep_alive);
  CHECK(facts_of("HTTP/1.1 204 OK\r\n\r\n").keep_alive);
  CHECK(facts_of("HTTP/1.1 304 OK\r\nContent-Length: 9\r\n\r\n").keep_alive);
  CHECK_FALSE(facts_of("HTTP/1.1 200 OK\r\n\r\n").keep_alive);
  CHECK_FALSE(
      facts_of("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n").keep_alive);
  CHECK_FALSE(facts_of("HTTP/1.1 204 OK\r\nContent-Length: 5\r\n\r\n").keep_alive);
  CHECK_FALSE(facts_of("HTTP/1.1 103 Hints\r\nTransfer-Encoding: chunked\r\n\r\n").keep_alive);
  CHECK_FALSE(facts_of("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n").keep_alive);
  CHECK(facts_of("HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n")
            .keep_alive);
}

TEST_CASE("responses that could be read in two ways are refused") {
  using P = ParseError;
  const std::pair<std::string, P> vectors[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
       P::length_and_encoding},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
       P::repeated_content_length},
      {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", P::encoding_in_http10},
      {"HTTP/1.1 200 OK\r\nX : y\r\n\r\n", P::bad_field_name},
      {"HTTP/1.1 200 OK\nX: y\n\n", P::bare_lf},
      {"HTTP/1.1 200 O\rK\r\n\r\n", P::bare_cr},
      {"HTTP/1.1 099 OK\r\n\r\n", P::bad_status},
      {"HTTP/1.1 600 OK\r\n\r\n", P::bad_status},
      {"HTTP/1.1 20 OK\r\n\r\n", P::bad_status},
      {"HTTP/1.1 2000 OK\r\n\r\n", P::bad_status},
      {"HTTP/1.1  200 OK\r\n\r\n", P::bad_status},
      {"HTTP/1.1 200\tOK\r\n\r\n", P::bad_status},
      {"HTTP/2.0 200 OK\r\n\r\n", P::version_unsupported},
      {"HTTPS/1.1 200 OK\r\n\r\n", P::bad_version},
      {"ICY 200 OK\r\n\r\n", P::bad_start_line},
      {"\r\nHTTP/1.1 200 OK\r\n\r\n", P::bad_start_line},
      {"HTTP/1.1 101 Up\r\n\r\n", P::bad_upgrade},
  };
  for (const auto& [bytes, error] : vectors) {
    INFO(bytes);
    CHECK(to_string(facts_of(bytes).error) == to_string(error));
  }
}

TEST_CASE("interim responses and an accepted upgrade are told apart") {
  ResponseParser parser;
  std::string text = "HTTP/1.1 103 Early\r\n\r\n";
  REQUIRE(parser.parse(text, ResponseTo::other) == Progress::done);
  CHECK(parser.head().interim());
  parser.reset();
  std::string up = "HTTP/1.1 101 Up\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
  REQUIRE(parser.parse(up, ResponseTo::other) == Progress::done);
  CHECK_FALSE(parser.head().interim());
  CHECK(parser.head().upgrade());
}
