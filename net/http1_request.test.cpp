#include "net/http1_parser.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace strait::net::http1;

namespace {

ParseError error_of(std::string_view bytes, const Limits& limits = {}) {
  RequestParser whole{limits};
  auto progress = whole.parse(bytes);
  // Cut at every byte, the outcome is the same.
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    RequestParser split{limits};
    split.parse(bytes.substr(0, cut));
    REQUIRE(split.parse(bytes) == progress);
    REQUIRE(split.error() == whole.error());
  }
  RequestParser bytewise{limits};
  Progress last = Progress::need_more;
  for (std::size_t n = 1; n <= bytes.size() && last == Progress::need_more; ++n)
    last = bytewise.parse(bytes.substr(0, n));
  REQUIRE(last == progress);
  REQUIRE(bytewise.error() == whole.error());
  if (progress == Progress::need_more)
    FAIL("the vector is not a whole head");
  return whole.error();
}

/// A request with one more header line after a good Host.
std::string with(std::string_view line) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string{line} + "\r\n\r\n";
}

} // namespace

TEST_CASE("a request head is taken apart without a byte being copied") {
  std::string bytes = "POST /shop/items?id=7&x HTTP/1.1\r\nHost: Shop.Example:8080\r\n"
                      "Content-Length: 12\r\nX-Team:   blue  \r\nAccept: */*\r\nEmpty:\r\n\r\nbody";
  RequestParser parser;
  CHECK(parser.idle());
  REQUIRE(parser.parse(bytes) == Progress::done);
  const auto& head = parser.head();
  CHECK(head.method() == Method::post);
  CHECK(head.target() == "/shop/items?id=7&x");
  CHECK(head.path() == "/shop/items");
  CHECK(head.query() == "id=7&x");
  CHECK(head.has_query());
  CHECK(head.target_form() == TargetForm::origin);
  CHECK(head.authority() == "Shop.Example:8080");
  CHECK(head.host() == "Shop.Example");
  CHECK(head.port() == 8080);
  CHECK(head.framing() == Framing::length);
  CHECK(head.content_length() == 12);
  CHECK(head.keep_alive());
  CHECK_FALSE(head.upgrade());
  CHECK(head.bytes() == bytes.size() - 4);
  REQUIRE(head.fields().size() == 5);
  CHECK(head.get("x-team") == "blue");
  CHECK(head.get(HeaderId::accept) == "*/*");
  CHECK(head.has(HeaderId::accept));
  CHECK_FALSE(head.has(HeaderId::cookie));
  CHECK(head.find("empty")->value.size == 0);
  CHECK(head.find("absent") == nullptr);
  CHECK(head.view(head.fields()[2].line) == "X-Team:   blue  \r\n");
  CHECK(head.get(HeaderId::host).data() == bytes.data() + bytes.find("Shop."));

  SECTION("the views follow the bytes to another place") {
    std::string moved = bytes;
    bytes.assign(bytes.size(), '?');
    parser.head().rebase(moved.data());
    CHECK(head.get("X-TEAM") == "blue");
  }
  SECTION("and the parser is ready for the next one") {
    parser.reset();
    CHECK(parser.idle());
    REQUIRE(parser.parse("GET / HTTP/1.1\r\nHost: b\r\n\r\n") == Progress::done);
    CHECK(head.fields().size() == 1);
    CHECK(head.host() == "b");
    CHECK_FALSE(head.has(HeaderId::content_length));
    CHECK(head.framing() == Framing::none);
  }
}

TEST_CASE("every well-known name has its id in any case, and no other name has one") {
  for (unsigned i = 1; i < static_cast<unsigned>(HeaderId::count_); ++i) {
    auto id = static_cast<HeaderId>(i);
    std::string name{header_name(id)};
    CHECK(header_id(name) == id);
    for (auto& c : name)
      c = static_cast<char>(std::toupper(c));
    CHECK(header_id(name) == id);
    CHECK(header_id(name + "x") == HeaderId::other);
    CHECK(header_id(name.substr(1)) == HeaderId::other);
  }
  CHECK(header_id("") == HeaderId::other);
  CHECK(header_id("content\rlength") == HeaderId::other); // Differs from '-' by the case bit.
}

TEST_CASE("what could be read in two ways is refused, whole or cut at any byte") {
  struct Vector {
    std::string bytes;
    ParseError error;
    int status;
  };
  using P = ParseError;
  const Vector vectors[] = {
      // Two framings.
      {with("Content-Length: 5\r\nContent-Length: 5"), P::repeated_content_length, 400},
      {with("Content-Length: 5\r\nContent-Length: 6"), P::repeated_content_length, 400},
      {with("Content-Length: 5, 5"), P::bad_content_length, 400},
      {with("Content-Length: 5\r\nTransfer-Encoding: chunked"), P::length_and_encoding, 400},
      {with("Transfer-Encoding: chunked\r\nContent-Length: 0"), P::length_and_encoding, 400},
      // Lengths that are none.
      {with("Content-Length: "), P::bad_content_length, 400},
      {with("Content-Length: +5"), P::bad_content_length, 400},
      {with("Content-Length: -1"), P::bad_content_length, 400},
      {with("Content-Length: 0x5"), P::bad_content_length, 400},
      {with("Content-Length: 5 5"), P::bad_content_length, 400},
      {with("Content-Length: 5.0"), P::bad_content_length, 400},
      {with("Content-Length: 9223372036854775808"), P::bad_content_length, 400},
      {with("Content-Length: 18446744073709551621"), P::bad_content_length, 400},
      // Encodings that some take for chunked.
      {with("Transfer-Encoding: xchunked"), P::bad_transfer_encoding, 400},
      {with("Transfer-Encoding: chunked, identity"), P::bad_transfer_encoding, 400},
      {with("Transfer-Encoding: identity"), P::bad_transfer_encoding, 400},
      {with("Transfer-Encoding: chunked, chunked"), P::bad_transfer_encoding, 400},
      {with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), P::bad_transfer_encoding,
       400},
      {with("Transfer-Encoding: chunked\r\nTransfer-Encoding: x"), P::bad_transfer_encoding, 400},
      {with("Transfer-Encoding: ,chunked"), P::bad_transfer_encoding, 400},
      {with("Transfer-Encoding: chunked,"), P::bad_transfer_encoding, 400},
      {with("Transfer-Encoding: \"chunked\""), P::bad_transfer_encoding, 400},
      {with("Transfer-Encoding: chunked;q=1"), P::bad_transfer_encoding, 400},
      {with("Transfer-Encoding:"), P::bad_transfer_encoding, 400},
      {with("Transfer-Encoding: \vchunked"), P::bad_field_value, 400},
      {with("Transfer-Encoding: gzip, chunked"), P::unknown_transfer_encoding, 501},
      {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", P::encoding_in_http10,
       400},
      // Names.
      {with("Transfer-Encoding : chunked"), P::bad_field_name, 400},
      {with("Content-Length\t: 5"), P::bad_field_name, 400},
      {with(": 5"), P::bad_field_name, 400},
      {with("Content-Length"), P::bad_field_name, 400},
      {with("Content\x01Length: 5"), P::bad_field_name, 400},
      {with("Content-L\xc3\xa9ngth: 5"), P::bad_field_name, 400},
      {with("(x): 5"), P::bad_field_name, 400},
      // Line ends and folds.
      {with("X: a\r\n b"), P::obs_fold, 400},
      {with("X: a\r\n\tb"), P::obs_fold, 400},
      {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", P::bad_field_name, 400},
      {with("X: a\nContent-Length: 5"), P::bare_lf, 400},
      {with("X: a\rContent-Length: 5"), P::bare_cr, 400},
      {with("X: a\r"), P::bare_cr, 400},
      {"GET / HTTP/1.1\nHost: a\n\n", P::bare_lf, 400},
      {"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", P::bare_cr, 400},
      {"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", P::bare_lf, 400},
      {"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", P::bad_start_line, 400},
      // Values.
      {with(std::string("X: a\0b", 6)), P::bad_field_value, 400},
      {with("X: a\x7f"), P::bad_field_value, 400},
      {with("X: \x1b[2J"), P::bad_field_value, 400},
      {with("Connection: clo se"), P::bad_field_value, 400},
      // Start lines.
      {"GET /\r\nHost: a\r\n\r\n", P::http09, 400},
      {"GET\r\nHost: a\r\n\r\n", P::bad_start_line, 400},
      {"GET \r\nHost: a\r\n\r\n", P::bad_start_line, 400},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", P::bad_target, 400},
      {"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", P::bad_version, 400},
      {"GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", P::bad_target, 400},
      {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", P::bad_version, 400},
      {"GET / http/1.1\r\nHost: a\r\n\r\n", P::bad_version, 400},
      {"GET / HTTP/1.10\r\nHost: a\r\n\r\n", P::bad_version, 400},
      {"GET / HTTP/1,1\r\nHost: a\r\n\r\n", P::bad_version, 400},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", P::version_unsupported, 505},
      {"GET / HTTP/0.9\r\nHost: a\r\n\r\n", P::version_unsupported, 505},
      {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", P::version_unsupported, 505},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", P::version_unsupported, 505},
      {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", P::bad_method, 400},
      {"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", P::bad_method, 400},
      {"\x16\x03\x01", P::bad_method, 400},
      {"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", P::bad_target, 400},
      {"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", P::bad_target, 400},
      {"GET a HTTP/1.1\r\nHost: a\r\n\r\n", P::bad_target, 400},
      {"GET * HTTP/1.1\r\nHost: a\r\n\r\n", P::bad_target, 400},
      {"GET http:/a HTTP/1.1\r\nHost: a\r\n\r\n", P::bad_target, 400},
      {"GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n", P::bad_target, 400},
      {"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", P::bad_target, 400},
      {"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", P::bad_target, 400},
      {"CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", P::bad_target, 400},
      {"CONNECT /a:80 HTTP/1.1\r\nHost: a\r\n\r\n", P::bad_target, 400},
      // Host.
      {"GET / HTTP/1.1\r\n\r\n", P::host_missing, 400},
      {"GET http://a/ HTTP/1.1\r\n\r\n", P::host_missing, 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", P::host_repeated, 400},
      {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", P::host_repeated, 400},
      {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", P::bad_host, 400},
      {"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", P::bad_host, 400},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", P::bad_host, 400},
      {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", P::bad_host, 400},
      {"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", P::bad_host, 400},
      {"GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", P::bad_host, 400},
      {"GET / HTTP/1.1\r\nHost: a:000080\r\n\r\n", P::bad_host, 400},
      {"GET / HTTP/1.1\r\nHost: a:0\r\n\r\n", P::bad_host, 400},
      {"GET / HTTP/1.1\r\nHost: :80\r\n\r\n", P::bad_host, 400},
      {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", P::bad_host, 400},
      {"GET / HTTP/1.1\r\nHost: [a;b]\r\n\r\n", P::bad_host, 400},
      {"GET http://b/ HTTP/1.1\r\nHost: a b\r\n\r\n", P::bad_host, 400},
      // Others.
      {with("Expect: 200-ok"), P::bad_expect, 417},
      {with("Connection: upgrade\r\nUpgrade: "), P::bad_upgrade, 400},
  };
  for (const auto& vector : vectors) {
    INFO(vector.bytes);
    auto error = error_of(vector.bytes);
    CHECK(to_string(error) == to_string(vector.error));
    CHECK(status_of(error) == vector.status);
  }
}

TEST_CASE("each named maximum of a head is reached by the last byte it allows, and no further") {
  auto line = [](std::size_t bytes) { return "X: " + std::string(bytes - 5, 'v'); }; // With CRLF.
  Limits limits{.head_bytes_max = 120,
                .start_line_bytes_max = 40,
                .field_line_bytes_max = 60,
                .fields_max = 3,
                .method_bytes_max = 8};
  using P = ParseError;
  auto target = [](std::size_t line_bytes) {
    return "GET /" + std::string(line_bytes - 16, 't') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  CHECK(error_of(target(40), limits) == P::none);
  CHECK(error_of(target(41), limits) == P::target_too_long);
  CHECK(status_of(P::target_too_long) == 414);
  CHECK(error_of(with(line(60)), limits) == P::none);
  CHECK(error_of(with(line(61)), limits) == P::field_line_too_long);
  // 17 + 9 + 60 + 32 + 2 = 120
  CHECK(error_of(with(line(60) + "\r\n" + line(32)), limits) == P::none);
  CHECK(error_of(with(line(60) + "\r\n" + line(33)), limits) == P::head_too_large);
  CHECK(error_of(with("A: 1\r\nB: 2"), limits) == P::none);
  CHECK(error_of(with("A: 1\r\nB: 2\r\nC: 3"), limits) == P::too_many_fields);
  CHECK(error_of("ABCDEFGH / HTTP/1.1\r\nHost: a\r\n\r\n", limits) == P::none);
  CHECK(error_of("ABCDEFGHI / HTTP/1.1\r\nHost: a\r\n\r\n", limits) == P::method_too_long);
  for (auto error : {P::field_line_too_long, P::head_too_large, P::too_many_fields})
    CHECK(status_of(error) == 431);
  CHECK(status_of(P::method_too_long) == 501);

  SECTION("a line without an end is refused as soon as it is too long") {
    RequestParser parser{limits};
    CHECK(parser.parse("GET /" + std::string(34, 'a')) == Progress::need_more);
    CHECK(parser.parse("GET /" + std::string(35, 'a')) == Progress::failed);
  }
}

TEST_CASE("the authority comes from the target where it has one, else from Host") {
  RequestParser parser;
  auto parse = [&](const std::string& text) -> const RequestHead& {
    parser.reset();
    REQUIRE(parser.parse(text) == Progress::done);
    return parser.head();
  };
  std::string absolute = "GET http://Real.example:81/p?q HTTP/1.1\r\nHost: other\r\n\r\n";
  const auto& head = parse(absolute);
  CHECK(head.target_form() == TargetForm::absolute);
  CHECK(head.host() == "Real.example");
  CHECK(head.port() == 81);
  CHECK(head.path() == "/p");
  CHECK(head.query() == "q");
  std::string bare = "GET https://real?x HTTP/1.1\r\nHost: real\r\n\r\n";
  parse(bare);
  CHECK(head.path() == "/");
  CHECK(head.query() == "x");
  std::string tunnel = "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n";
  parse(tunnel);
  CHECK(head.target_form() == TargetForm::authority);
  CHECK(head.host() == "[::1]");
  CHECK(head.port() == 443);
  CHECK(head.path().empty());
  std::string options = "OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n";
  parse(options);
  CHECK(head.target_form() == TargetForm::asterisk);
  CHECK(head.host().empty());
  std::string old = "\r\nGET / HTTP/1.0\r\n\r\n";
  parse(old);
  CHECK(head.version_minor() == 0);
  CHECK(head.host().empty());
  CHECK(head.bytes() == old.size());
}

TEST_CASE("keep-alive, upgrade and expectations follow version and Connection") {
  auto head_of = [](const std::string& text, auto check) {
    RequestParser parser;
    REQUIRE(parser.parse(text) == Progress::done);
    check(parser.head());
  };
  auto keeps = [&](const std::string& version, const std::string& lines) {
    bool keep = false;
    head_of("GET / " + version + "\r\nHost: a\r\n" + lines + "\r\n",
            [&](auto& head) { keep = head.keep_alive(); });
    return keep;
  };
  CHECK(keeps("HTTP/1.1", ""));
  CHECK_FALSE(keeps("HTTP/1.1", "Connection: x, CLOSE\r\n"));
  CHECK_FALSE(keeps("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  CHECK_FALSE(keeps("HTTP/1.0", ""));
  CHECK(keeps("HTTP/1.0", "Connection: Keep-Alive\r\n"));
  head_of("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
          [](auto& head) { CHECK(head.upgrade()); });
  head_of("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
          [](auto& head) { CHECK_FALSE(head.upgrade()); });
  head_of("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n",
          [](auto& head) { CHECK(head.expects_continue()); });
  head_of("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
          [](auto& head) { CHECK_FALSE(head.expects_continue()); }); // No body to wait for.
  head_of("GET / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
          [](auto& head) { CHECK_FALSE(head.expects_continue()); });
}

TEST_CASE("Connection marks what it names as hop by hop, but nothing that routing depends on") {
  std::string text = "GET / HTTP/1.1\r\nHost: a\r\nX-Once: 1\r\nConnection: x-once, host, "
                     "x-forwarded-for, upgrade\r\nX-Forwarded-For: 1.2.3.4\r\nTE: trailers\r\n"
                     "Upgrade: h2c\r\nX-End: 1\r\n\r\n";
  RequestParser parser;
  REQUIRE(parser.parse(text) == Progress::done);
  std::string hop;
  for (const auto& field : parser.head().fields())
    if (field.hop_by_hop)
      (hop += parser.head().name(field)) += ' ';
  CHECK(hop == "X-Once Connection TE Upgrade ");
}
