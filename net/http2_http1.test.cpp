#include "net/http2_http1.hpp"

#include "net/http1_parser.hpp"

#include <catch2/catch.hpp>

#include <initializer_list>

namespace strait::net::http2 {

namespace {

FieldList list(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  FieldList out;
  for (const auto& [name, value] : fields)
    out.add(name, value);
  return out;
}

std::string text(const FieldList& fields) {
  std::string out;
  for (std::size_t i = 0; i < fields.size(); ++i)
    out.append(fields[i].name).append("=").append(fields[i].value).append("\n");
  return out;
}

FieldList request(std::initializer_list<std::pair<std::string_view, std::string_view>> more) {
  auto out =
      list({{":method", "POST"}, {":scheme", "http"}, {":authority", "a.b:80"}, {":path", "/p?q"}});
  for (const auto& [name, value] : more)
    out.add(name, value);
  return out;
}

} // namespace

TEST_CASE("a request's head becomes HTTP/1.1: authority as Host, one cookie, framing of its own") {
  std::string out;
  CHECK(append_request(request({{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}}), true, out) ==
        Content::none);
  CHECK(out == "POST /p?q HTTP/1.1\r\nhost: a.b:80\r\nx: y\r\ncookie: a=1; b=2\r\n\r\n");
  out.clear();
  CHECK(append_request(request({}), false, out) == Content::chunked);
  CHECK(out == "POST /p?q HTTP/1.1\r\nhost: a.b:80\r\ntransfer-encoding: chunked\r\n\r\n");
  out.clear();
  CHECK(append_request(request({{"content-length", "5"}}), false, out) == Content::plain);
  CHECK(out == "POST /p?q HTTP/1.1\r\nhost: a.b:80\r\ncontent-length: 5\r\n\r\n");
}

TEST_CASE("a gRPC request is chunked, so that trailers have a place, and keeps TE") {
  std::string out;
  CHECK(append_request(request({{"content-type", "application/grpc+proto"},
                                {"content-length", "5"},
                                {"te", "trailers"}}),
                       false, out) == Content::chunked);
  CHECK(out == "POST /p?q HTTP/1.1\r\nhost: a.b:80\r\ncontent-type: application/grpc+proto\r\n"
               "te: trailers\r\nconnection: te\r\ntransfer-encoding: chunked\r\n\r\n");
}

TEST_CASE("a Host that contradicts the authority is left for the parser to refuse") {
  std::string out;
  append_request(request({{"host", "other"}}), true, out);
  http1::RequestParser parser;
  CHECK(parser.parse(out) == http1::Progress::failed);
  CHECK(parser.error() == http1::ParseError::host_repeated);
}

TEST_CASE("a head that would break HTTP/1.1 is not written") {
  std::string out{"before"};
  CHECK(append_request(request({{"x", "a\r\nb: c"}}), true, out) == Content::refused);
  CHECK(append_request(list({{":method", "G T"}, {":path", "/"}}), true, out) == Content::refused);
  CHECK(append_request(list({{":method", "GET"}, {":path", "/ HTTP/1.1\r\na: b"}}), true, out) ==
        Content::refused);
  CHECK(append_response(list({{":status", "101"}}), true, false, out) == Content::refused);
  CHECK(out == "before");
}

TEST_CASE("an answer's head says how its content ends") {
  const auto answer = [](const FieldList& fields, bool ended, bool to_head, Content expected) {
    std::string out;
    CHECK(append_response(fields, ended, to_head, out) == expected);
    return out;
  };
  CHECK(answer(list({{":status", "200"}}), false, false, Content::chunked) ==
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
  CHECK(answer(list({{":status", "200"}}), true, false, Content::none) ==
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  CHECK(answer(list({{":status", "200"}, {"content-length", "7"}}), true, true, Content::none) ==
        "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n");
  CHECK(answer(list({{":status", "200"}}), true, true, Content::none) == "HTTP/1.1 200 OK\r\n\r\n");
  CHECK(answer(list({{":status", "200"}, {"content-length", "7"}}), false, false, Content::plain) ==
        "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n");
  CHECK(answer(list({{":status", "204"}}), true, false, Content::none) ==
        "HTTP/1.1 204 No Content\r\n\r\n");
  CHECK(answer(list({{":status", "103"}, {"link", "x"}}), false, false, Content::none) ==
        "HTTP/1.1 103 Unknown\r\nlink: x\r\n\r\n");
}

TEST_CASE("heads go to HTTP/2 without what concerns one connection") {
  http1::RequestParser parser;
  const std::string head{"GET /x?y HTTP/1.1\r\nHOST: a.b\r\nX-Y: Z\r\nConnection: te, x-hop\r\n"
                         "x-hop: 1\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n"};
  REQUIRE(parser.parse(head) == http1::Progress::done);
  parser.head().rebase(head.data());
  FieldList out;
  to_fields(parser.head(), true, out);
  CHECK(text(out) ==
        ":method=GET\n:scheme=https\n:authority=a.b\n:path=/x?y\nx-y=Z\nte=trailers\n");

  http1::ResponseParser answer;
  const std::string answered{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nKeep-Alive: x\r\n"
                             "Connection: close\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n"};
  REQUIRE(answer.parse(answered, http1::ResponseTo::other) == http1::Progress::done);
  answer.head().rebase(answered.data());
  to_fields(answer.head(), out);
  CHECK(text(out) == ":status=200\ncontent-length=3\nset-cookie=a\nset-cookie=b\n");
}

TEST_CASE("trailers go both ways, without what frames a message") {
  std::string out;
  append_trailers(list({{"grpc-status", "0"}, {"transfer-encoding", "chunked"}}), out);
  CHECK(out == "0\r\ngrpc-status: 0\r\n\r\n");
  http1::BodyReader body;
  body.start(http1::Framing::chunked, 0);
  body.next("0\r\nGrpc-Status: 5\r\nContent-Length: 3\r\n\r\n");
  REQUIRE(body.done());
  FieldList fields;
  to_trailers(body, fields);
  CHECK(text(fields) == "grpc-status=5\n");
}

TEST_CASE("gRPC is told by its content type, gRPC-Web is not gRPC") {
  CHECK(is_grpc("application/grpc"));
  CHECK(is_grpc("Application/gRPC+proto"));
  CHECK(is_grpc("application/grpc; charset=x"));
  CHECK_FALSE(is_grpc("application/grpc-web"));
  CHECK_FALSE(is_grpc("application/json"));
  CHECK_FALSE(is_grpc(""));
}

} // namespace strait::net::http2
