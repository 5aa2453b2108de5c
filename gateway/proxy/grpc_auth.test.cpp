#include "gateway/proxy/grpc_auth.hpp"

#include "gateway/proxy/protobuf_wire.hpp"
#include "net/http1_parser.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy {

namespace {

std::string framed(std::string_view message) {
  std::string out{"\0\0\0\0", 4};
  REQUIRE(message.size() < 256);
  out.push_back(static_cast<char>(message.size()));
  return out.append(message);
}

template <class F>
std::string built(F build) {
  std::string out;
  ProtobufWriter writer{out};
  build(writer);
  return out;
}

std::string header(std::string_view name, std::string_view value, bool append = false) {
  const auto pair = built([&](auto& w) { w.text(1, name).text(2, value); });
  const auto flag = built([&](auto& w) { w.number(1, append); });
  return built([&](auto& w) { w.message(1, pair).message(2, flag); });
}

std::string verdict(std::uint64_t code, std::uint32_t field, std::string_view message) {
  const auto status = built([&](auto& w) { w.number(1, code); });
  return framed(built([&](auto& w) { w.message(1, status).message(field, message); }));
}

/// The message at a path of field numbers.
std::string_view at(std::string_view message, std::initializer_list<std::uint32_t> path) {
  for (auto number : path) {
    ProtobufReader reader{message};
    std::string_view found;
    while (reader.next())
      if (reader.number() == number)
        found = reader.bytes();
    REQUIRE(reader.complete());
    message = found;
  }
  return message;
}

} // namespace

TEST_CASE("numbers and bytes survive protobuf's wire format") {
  const auto message = built([](auto& w) {
    w.number(1, 0).number(2, 300).number(3, ~std::uint64_t{0}).text(4, "").text(5, "abc");
  });
  CHECK(message.substr(0, 3) == "\x10\xac\x02");
  ProtobufReader reader{message};
  REQUIRE(reader.next());
  CHECK(reader.number() == 2);
  CHECK(reader.value() == 300);
  REQUIRE(reader.next());
  CHECK(reader.value() == ~std::uint64_t{0});
  REQUIRE(reader.next());
  CHECK(reader.number() == 5);
  CHECK(reader.bytes() == "abc");
  CHECK_FALSE(reader.next());
  CHECK(reader.complete());
}

TEST_CASE("what is cut or no message is not complete") {
  using namespace std::string_view_literals;
  for (const auto text :
       {"\x08"sv,
        "\x0a\x05"
        "ab"sv,
        "\x00"sv, "\x0b"sv, "\x09\x01"sv, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv}) {
    ProtobufReader reader{text};
    while (reader.next()) {
    }
    CHECK_FALSE(reader.complete());
  }
}

TEST_CASE("a gRPC authorizer is told the request, its headers by the filter's choice") {
  const std::string request{"PUT /a?b=c HTTP/1.1\r\nHost: h.org\r\nX-Tenant: 1\r\nX-Other: 2\r\n"
                            "x-tenant: 3\r\nContent-Length: 9\r\n\r\n"};
  net::http1::RequestParser parser;
  REQUIRE(parser.parse(request) == net::http1::Progress::done);
  parser.head().rebase(request.data());
  ExternalAuth auth;
  const GrpcAuthQuestion question{.head = parser.head(),
                                  .client_ip = "10.1.2.3",
                                  .tls = true,
                                  .began = WallTime{Millis{5'250}},
                                  .body = "part"};
  const auto all = grpc_auth_message(auth, question);
  REQUIRE(all.size() > 5);
  CHECK(static_cast<unsigned char>(all[4]) + 256U * static_cast<unsigned char>(all[3]) ==
        all.size() - 5);
  const auto message = std::string_view{all}.substr(5);
  CHECK(at(message, {1, 1, 1, 1, 2}) == "10.1.2.3");
  const auto http = at(message, {1, 4, 2});
  CHECK(at(http, {2}) == "PUT");
  CHECK(at(http, {4}) == "/a?b=c");
  CHECK(at(http, {5}) == "h.org");
  CHECK(at(http, {6}) == "https");
  CHECK(at(http, {11}) == "part");
  const auto headers = [](std::string_view of) {
    std::string text;
    ProtobufReader reader{of};
    while (reader.next())
      if (reader.number() == 3)
        text.append(at(reader.bytes(), {1})).append("=").append(at(reader.bytes(), {2})) += ";";
    return text;
  };
  CHECK(headers(http) == "content-length=9;host=h.org;x-other=2;x-tenant=1, 3;");
  auth.allowed_headers = {"x-tenant"};
  const auto some = grpc_auth_message(auth, question);
  CHECK(headers(at(std::string_view{some}.substr(5), {1, 4, 2})) == "x-tenant=1, 3;");
}

TEST_CASE("a permission edits request and answer") {
  const auto ok = built([](auto& w) {
    w.message(2, header("X-User", "7")).message(2, header("x-list", "a", true));
    w.message(2, header("host", "evil")).message(2, header("content-length", "9"));
    w.text(5, "Authorization").text(5, "host").message(6, header("set-cookie", "a=1", true));
  });
  const auto read = read_grpc_verdict(verdict(0, 3, ok));
  REQUIRE(read);
  CHECK(read->allowed);
  CHECK(read->request.set == std::vector<HeaderEdit>{{"x-user", "7"}});
  CHECK(read->request.add == std::vector<HeaderEdit>{{"x-list", "a"}});
  CHECK(read->request.remove == std::vector<std::string>{"authorization"});
  CHECK(read->response.add == std::vector<HeaderEdit>{{"set-cookie", "a=1"}});
  REQUIRE(read_grpc_verdict(framed("")));
  CHECK(read_grpc_verdict(framed(""))->allowed);
}

TEST_CASE("a refusal is answered as it says, and with 403 if it says nothing") {
  const auto status = built([](auto& w) { w.number(1, 401); });
  const auto denied = built([&](auto& w) {
    w.message(1, status).message(2, header("www-authenticate", "Basic")).text(3, "no");
  });
  auto read = read_grpc_verdict(verdict(16, 2, denied));
  REQUIRE(read);
  CHECK_FALSE(read->allowed);
  CHECK(read->status == 401);
  CHECK(read->fields == std::vector<HeaderEdit>{{"www-authenticate", "Basic"}});
  CHECK(read->body == "no");
  read = read_grpc_verdict(verdict(7, 4, ""));
  REQUIRE(read);
  CHECK_FALSE(read->allowed);
  CHECK(read->status == 403);
  // What it would have permitted counts for nothing.
  read = read_grpc_verdict(verdict(7, 3, built([](auto& w) { w.message(2, header("x", "y")); })));
  REQUIRE(read);
  CHECK_FALSE(read->allowed);
  CHECK(read->request.empty());
}

TEST_CASE("what is no verdict permits nothing") {
  const auto good = verdict(0, 3, "");
  for (std::size_t i = 0; i < good.size(); ++i)
    CHECK_FALSE(read_grpc_verdict(good.substr(0, i)));
  CHECK_FALSE(read_grpc_verdict(good + "x"));
  auto compressed = good;
  compressed[0] = 1;
  CHECK_FALSE(read_grpc_verdict(compressed));
  const auto with = [](std::string_view name, std::string_view value) {
    return verdict(0, 3, built([&](auto& w) { w.message(2, header(name, value)); }));
  };
  CHECK(read_grpc_verdict(with("a", "b")));
  CHECK_FALSE(read_grpc_verdict(with("a b", "c")));
  CHECK_FALSE(read_grpc_verdict(with("a", "b\r\nc: d")));
  CHECK_FALSE(read_grpc_verdict(with("", "b")));
}

} // namespace strait::gateway::proxy
