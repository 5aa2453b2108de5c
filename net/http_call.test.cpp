#include "net/http_call.hpp"

#include "net/http_server.hpp"
#include "net/test_certificates.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::net;
using namespace std::chrono_literals;

namespace {

/// A server and a caller on one loop of this thread.
struct Called {
  explicit Called(HttpServer::Handler handler, HttpServerOptions options = {})
      : https{options.tls != nullptr}, server{*loop, std::move(options), std::move(handler)},
        address{*server.listen(Address::loopback(0))} {}

  std::unique_ptr<HttpCall> call(HttpRequest request, HttpCallOptions options = {},
                                 std::unique_ptr<Stream> kept = nullptr) {
    status = 0;
    body.clear();
    pieces.clear();
    ended.reset();
    auto url = (https ? "https://" : "http://") + address.to_string();
    return std::make_unique<HttpCall>(
        *loop, *resolver, *HttpOrigin::parse(url), std::move(request), std::move(options),
        HttpCallEvents{.head = [this](int code, const HttpFields&) { status = code; },
                       .data =
                           [this](std::string_view piece) {
                             body += piece;
                             pieces.emplace_back(piece);
                             if (on_data)
                               on_data();
                           },
                       .end = [this](Status it) { ended = it; }},
        std::move(kept));
  }
  template <class Done>
  bool until(Done done) {
    for (int turns = 0; turns < 5'000; ++turns) {
      if (done())
        return true;
      loop->run_once(10ms);
    }
    return false;
  }
  bool until_end() {
    return until([this] { return ended.has_value(); });
  }

  bool https;
  std::unique_ptr<EventLoop> loop = *EventLoop::create();
  std::unique_ptr<Resolver> resolver = *Resolver::create(*loop);
  HttpServer server;
  Address address;
  int status = 0;
  std::string body;
  std::vector<std::string> pieces;
  std::function<void()> on_data;
  std::optional<Status> ended;
};

} // namespace

TEST_CASE("a call brings head and content, and its connection carries the next call") {
  std::vector<std::uint16_t> ports;
  Called it{[&](HttpRequest request, const HttpPeer& peer, HttpResponder responder) {
    ports.push_back(peer.address.port());
    responder.respond({200, {}, request.method + " " + request.target + " " + request.body});
  }};
  auto first = it.call({"GET", "/a"});
  REQUIRE(it.until_end());
  CHECK(it.ended->has_value());
  CHECK(it.status == 200);
  CHECK(it.body == "GET /a ");
  auto kept = first->take_stream();
  REQUIRE(kept);
  auto second = it.call({"PATCH", "/b", {}, "x"}, {}, std::move(kept));
  REQUIRE(it.until_end());
  CHECK(it.body == "PATCH /b x");
  REQUIRE(ports.size() == 2);
  CHECK(ports[0] == ports[1]);
}

TEST_CASE("an answer in pieces is told piece by piece, while it goes on") {
  std::optional<HttpResponder> streaming;
  Called it{[&](HttpRequest, const HttpPeer&, HttpResponder responder) {
    responder.begin(200, {});
    CHECK(responder.write("one\n"));
    streaming = responder;
  }};
  auto call = it.call({"GET", "/watch"});
  REQUIRE(it.until([&] { return it.body == "one\n"; }));
  CHECK(!it.ended);
  CHECK(streaming->write("two\n"));
  REQUIRE(it.until([&] { return it.body == "one\ntwo\n"; }));
  SECTION("to its end") {
    streaming->end();
    REQUIRE(it.until_end());
    CHECK(it.ended->has_value());
  }
  SECTION("or until the call is dropped, which the server sees") {
    bool gone = false;
    streaming->on_disconnect([&] { gone = true; });
    call.reset();
    CHECK(it.until([&] { return gone; }));
    CHECK(!it.ended);
  }
}

TEST_CASE("a paused call reads nothing more, a resumed one all of it") {
  std::string large(3'000'000, 'x');
  Called it{[&](HttpRequest, const HttpPeer&, HttpResponder responder) {
    responder.respond({200, {}, large});
  }};
  auto call = it.call({"GET", "/"});
  it.on_data = [&] { call->pause(); };
  REQUIRE(it.until([&] { return !it.body.empty(); }));
  auto before = it.body.size();
  for (int turns = 0; turns < 20; ++turns)
    it.loop->run_once(1ms);
  CHECK(it.body.size() == before);
  CHECK(before < large.size());
  it.on_data = {};
  call->resume();
  REQUIRE(it.until_end());
  CHECK(it.body == large);
}

TEST_CASE("a call that is destroyed from its own callback tells nothing more") {
  Called it{[&](HttpRequest, const HttpPeer&, HttpResponder responder) {
    responder.respond({200, {}, "content"});
  }};
  auto call = it.call({"GET", "/"});
  it.on_data = [&] { call.reset(); };
  REQUIRE(it.until([&] { return !call; }));
  for (int turns = 0; turns < 5; ++turns)
    it.loop->run_once(1ms);
  CHECK(!it.ended);
}

TEST_CASE("a call that fails says where and what was being done") {
  std::vector<HttpResponder> unanswered;
  Called it{[&](HttpRequest, const HttpPeer&, HttpResponder responder) {
    unanswered.push_back(responder);
  }};
  SECTION("nobody listens") {
    auto closed = Address::loopback(1);
    it.address = closed;
    auto call = it.call({"GET", "/"});
    REQUIRE(it.until_end());
    REQUIRE(!it.ended->has_value());
    CHECK(it.ended->error().code == Errc::unavailable);
    CHECK_THAT(it.ended->error().detail, Catch::Contains("127.0.0.1:1"));
  }
  SECTION("no answer in time") {
    auto call = it.call({"GET", "/"}, {.timeout = 30ms});
    REQUIRE(it.until_end());
    CHECK_THAT(it.ended->error().detail, Catch::Contains("timed out waiting for the answer"));
  }
  SECTION("silence within the answer") {
    auto call = it.call({"GET", "/"}, {.timeout = 0ms, .idle_timeout = 30ms});
    REQUIRE(it.until([&] { return !unanswered.empty(); }));
    unanswered[0].begin(200, {});
    REQUIRE(it.until_end());
    CHECK_THAT(it.ended->error().detail, Catch::Contains("fell silent"));
  }
  SECTION("a header that must not be sent") {
    auto call = it.call({"GET", "/", {{"X", "a\r\nb: c"}}});
    REQUIRE(it.until_end());
    CHECK(it.ended->error().code == Errc::invalid);
  }
}

TEST_CASE("a call over TLS checks whose certificate the server has") {
  auto authority = testing::issue({.common_name = "ca", .authority = true});
  auto server = testing::issue({"server", "IP:127.0.0.1"}, &authority);
  auto other = testing::issue({.common_name = "other", .authority = true});
  HttpServerOptions options;
  options.tls = *TlsServerContext::create(
      {.certificate = *TlsCertificate::from_pem(server.certificate, server.key)});
  Called it{[&](HttpRequest, const HttpPeer&, HttpResponder responder) {
              responder.respond({200, {}, "secret"});
            },
            options};
  auto trusting = [](const std::string& pem) { return *TlsClientContext::create({.ca_pem = pem}); };
  SECTION("of a known authority, for the address") {
    auto call = it.call({"GET", "/"}, {.context = trusting(authority.certificate)});
    REQUIRE(it.until_end());
    CHECK(it.body == "secret");
  }
  SECTION("of another authority") {
    auto call = it.call({"GET", "/"}, {.context = trusting(other.certificate)});
    REQUIRE(it.until_end());
    CHECK_THAT(it.ended->error().detail, Catch::Contains("TLS handshake"));
  }
  SECTION("for another name") {
    auto call = it.call({"GET", "/"}, {.tls_name = "kubernetes.default",
                                       .context = trusting(authority.certificate)});
    REQUIRE(it.until_end());
    CHECK(!it.ended->has_value());
  }
}
