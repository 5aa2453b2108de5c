#include "gateway/proxy/forwarded_head.hpp"

#include "gateway/proxy/access_log.hpp"
#include "gateway/proxy/counters.hpp"
#include "gateway/proxy/peering_admission.hpp"
#include "gateway/proxy/tls_front.hpp"
#include "net/http1_parser.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy {

namespace {

std::string forward(const std::string& text, RequestForward how = {.client_ip = "10.0.0.9"}) {
  net::http1::RequestParser parser;
  REQUIRE(parser.parse(text) == net::http1::Progress::done);
  ForwardedHead forwarded;
  std::string out;
  CHECK(forwarded.write_request(parser.head(), how, out));
  return out;
}

std::string answer(const std::string& text, const ResponseForward& how) {
  net::http1::ResponseParser parser;
  REQUIRE(parser.parse(text, net::http1::ResponseTo::other) == net::http1::Progress::done);
  ForwardedHead forwarded;
  std::string out;
  CHECK(forwarded.write_response(parser.head(), how, out));
  return out;
}

} // namespace

TEST_CASE("a forwarded request keeps its fields, without those of the connection") {
  CHECK(forward("GET /a?b HTTP/1.1\r\nHost: Example.com:80\r\nX-One:  1\r\nConnection: x-gone, "
                "keep-alive\r\nKeep-Alive: 5\r\nX-Gone: 1\r\nTE: gzip\r\n\r\n") ==
        "GET /a?b HTTP/1.1\r\nHost: Example.com:80\r\nX-One:  1\r\nx-forwarded-for: "
        "10.0.0.9\r\nx-forwarded-proto: http\r\n\r\n");
}

TEST_CASE("the client's address is appended to X-Forwarded-For; X-Forwarded-Proto is ours to say") {
  CHECK(forward("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: "
                "gopher\r\n\r\n",
                {.client_ip = "::1", .tls = true}) ==
        "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1, ::1\r\nx-forwarded-proto: "
        "https\r\n\r\n");
}

TEST_CASE("an absolute target is forwarded in origin form, and names the host") {
  CHECK(forward("GET http://b.example:81/p?q HTTP/1.1\r\nHost: a\r\n\r\n") ==
        "GET /p?q HTTP/1.1\r\nhost: b.example:81\r\nx-forwarded-for: 10.0.0.9\r\n"
        "x-forwarded-proto: http\r\n\r\n");
}

TEST_CASE("a request of HTTP/1.0 without Host is forwarded with an empty one") {
  CHECK(forward("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n") ==
        "GET / HTTP/1.1\r\nhost: \r\nx-forwarded-for: 10.0.0.9\r\nx-forwarded-proto: "
        "http\r\n\r\n");
}

TEST_CASE("upgrade and trailers are asked for anew on our connection") {
  const auto text = forward("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: "
                            "Upgrade, TE\r\nTE: trailers\r\n\r\n",
                            {.client_ip = "1.2.3.4", .upgrade = true});
  CHECK(text.ends_with("te: trailers\r\nupgrade: websocket\r\nconnection: upgrade, te\r\n\r\n"));
}

TEST_CASE("edits set, add and remove, first the rule's and then the backend's") {
  HeaderEdits rule, backend;
  rule.remove = {"x-secret"};
  rule.set = {{"X-Set", "rule"}, {"Content-Length", "9"}, {"Host", "inner"}};
  rule.add = {{"x-add", "b"}, {"x-new", "1"}};
  backend.set = {{"x-set", "backend"}};
  backend.add = {{"x-add", "c"}};
  CHECK(forward("GET / HTTP/1.1\r\nHost: a\r\nX-Secret: s\r\nX-Set: 1\r\nX-Set: 2\r\nX-Add: "
                "a\r\n\r\n",
                {.client_ip = "1.1.1.1", .edits = {&rule, &backend}}) ==
        "GET / HTTP/1.1\r\nX-Add: a,b,c\r\nx-forwarded-for: 1.1.1.1\r\nx-forwarded-proto: "
        "http\r\nHost: inner\r\nx-new: 1\r\nx-set: backend\r\n\r\n");
}

TEST_CASE("a rewritten request has the target and the host of its rewrite") {
  CHECK(forward("GET /a?b HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n",
                {.client_ip = "1.1.1.1", .target = "/c?b", .host = "d"}) ==
        "GET /c?b HTTP/1.1\r\nX: 1\r\nhost: d\r\nx-forwarded-for: 1.1.1.1\r\n"
        "x-forwarded-proto: http\r\n\r\n");
}

TEST_CASE("an answer of the proxy's own can be edited, but not its framing") {
  HeaderEdits edits;
  edits.set = {{"x-set", "1"}, {"content-length", "9"}};
  edits.add = {{"vary", "Origin"}};
  ForwardedHead forwarded;
  std::string out;
  const HeaderView fields[]{{"vary", "Accept"}, {"content-length", "0"}};
  CHECK(forwarded.write_own(403, fields, {.close = true, .edits = {&edits}}, out));
  CHECK(out == "HTTP/1.1 403 Forbidden\r\nvary: Accept,Origin\r\ncontent-length: 0\r\n"
               "x-set: 1\r\nconnection: close\r\n\r\n");
}

TEST_CASE("edits that would break the head are not written") {
  HeaderEdits edits;
  edits.set = {{"x", "a\r\ny: b"}};
  net::http1::RequestParser parser;
  REQUIRE(parser.parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n") == net::http1::Progress::done);
  ForwardedHead forwarded;
  std::string out;
  CHECK_FALSE(forwarded.write_request(parser.head(), {.edits = {&edits, nullptr}}, out));
}

TEST_CASE("an answer says of the connection what holds for the client's") {
  const std::string ok{"HTTP/1.1 200 OK\r\nConnection: close\r\nA: 1\r\nContent-Length: 0\r\n\r\n"};
  CHECK(answer(ok, {}) == "HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 0\r\n\r\n");
  CHECK(answer(ok, {.close = true}).ends_with("connection: close\r\n\r\n"));
  CHECK(answer(ok, {.http10 = true}).ends_with("connection: keep-alive\r\n\r\n"));
}

TEST_CASE("added cookies are lines of their own") {
  HeaderEdits edits;
  edits.add = {{"Set-Cookie", "b=2"}};
  CHECK(
      answer("HTTP/1.1 204 No Content\r\nSet-Cookie: a=1\r\n\r\n", {.edits = {&edits, nullptr}}) ==
      "HTTP/1.1 204 No Content\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n");
}

TEST_CASE("callers are judged in order, and the first that matches decides") {
  const std::string id{"spiffe://td.consul/ns/default/dc/dc1/svc/web"};
  const std::string any{"spiffe://td.consul/ns/default/dc/dc1/svc/*"};
  CHECK(admit({id}, "TD.consul", {{id, true}}) == Admission::accepted);
  CHECK(admit({id}, "td.consul", {{any, true}}) == Admission::accepted);
  CHECK(admit({id}, "td.consul", {{id, false}, {any, true}}) == Admission::denied);
  CHECK(admit({id}, "td.consul", {}) == Admission::denied);
  CHECK(admit({id}, "other.consul", {{id, true}}) == Admission::foreign_identity);
  CHECK(admit({}, "td.consul", {{any, true}}) == Admission::foreign_identity);
  CHECK(admit({id, id}, "td.consul", {{any, true}}) == Admission::foreign_identity);
  CHECK(admit({"https://td.consul/x"}, "td.consul", {}) == Admission::foreign_identity);
  CHECK_FALSE(names_caller(any, "spiffe://td.consul/ns/default/dc/dc1/svc/"));
  CHECK_FALSE(names_caller(any, id + "/more"));
  CHECK_FALSE(names_caller("*", id));
}

TEST_CASE("the certificate whose name covers most of the host is presented") {
  CHECK(coverage("a.example.com", "A.example.com") > coverage("*.example.com", "a.example.com"));
  CHECK(coverage("*.example.com", "a.example.com") > 0);
  CHECK(coverage("*.example.com", "a.b.example.com") == 0);
  CHECK(coverage("*.example.com", "example.com") == 0);
  CHECK(coverage("b.example.com", "a.example.com") == 0);
}

TEST_CASE("an access log line escapes what the client sent") {
  AccessEntry entry;
  entry.method = "GET";
  entry.target = "/\"\\\x7f";
  entry.status = 200;
  std::string line;
  append_access_line(AccessLogFormat::json, entry, line);
  CHECK(line.find(R"("target":"/\"\\\u007f")") != std::string::npos);
  CHECK(line.ends_with("}\n"));
  line.clear();
  append_access_line(AccessLogFormat::text, entry, line);
  CHECK(line.find(R"("/\"\\\u007f" 200 0ms)") != std::string::npos);
}

TEST_CASE("lines past the buffer's maximum are dropped until it was emptied") {
  AccessBuffer buffer{AccessLogFormat::text, 300};
  AccessEntry entry;
  int kept = 0;
  while (buffer.add(entry))
    ++kept;
  CHECK(kept > 0);
  CHECK_FALSE(buffer.add(entry));
  std::string lines;
  buffer.take(lines);
  CHECK(std::count(lines.begin(), lines.end(), '\n') == kept);
  CHECK(lines.size() <= 300);
  CHECK(buffer.add(entry));
}

TEST_CASE("counts by name are bounded: what comes later is counted as other") {
  NamedCountTable table{3};
  table.find_or_add("a").requests.add();
  table.find_or_add("b").requests.add();
  table.find_or_add("c").requests.add();
  table.find_or_add("d").requests.add();
  std::vector<NamedCounts> sums;
  table.add_to(sums);
  REQUIRE(sums.size() == 3);
  CHECK(sums[2].name == "other");
  CHECK(sums[2].requests == 2);
}

TEST_CASE("every counter has a name of its own") {
  for (std::size_t i = 0; i < counter_count; ++i)
    for (std::size_t j = i + 1; j < counter_count; ++j)
      CHECK(to_string(static_cast<Counter>(i)) != to_string(static_cast<Counter>(j)));
}

} // namespace strait::gateway::proxy
