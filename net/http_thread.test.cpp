#include "net/http_thread.hpp"

#include "net/http_client.hpp"

#include <catch2/catch.hpp>

#include <future>

using namespace strait;
using namespace strait::net;

namespace {

HttpClient client_of(const HttpThread& served) {
  return std::move(*HttpClient::create(served.address().to_string()));
}

} // namespace

TEST_CASE("an HTTP thread answers on a thread of its own, at the port that it chose") {
  std::thread::id handled_on;
  auto served =
      HttpThread::start(Address::loopback(0), [&](const HttpRequest& request, const HttpPeer&,
                                                  const HttpResponder& responder) {
        handled_on = std::this_thread::get_id();
        responder.respond({200, {}, "at " + std::string{request.path()}});
      });
  REQUIRE(served);
  CHECK((*served)->address().port() != 0);
  auto answer = client_of(**served).get("/here");
  REQUIRE(answer);
  CHECK(answer->body == "at /here");
  auto address = (*served)->address();
  served->reset(); // Its thread has ended with it: what it wrote may be read.
  CHECK(handled_on != std::thread::id{});
  CHECK(handled_on != std::this_thread::get_id());
  CHECK_FALSE(std::move(*HttpClient::create(address.to_string())).get("/"));
}

TEST_CASE("an HTTP thread that is destroyed lets the answer under way end") {
  std::promise<HttpResponder> asked;
  auto responder = asked.get_future();
  auto served =
      HttpThread::start(Address::loopback(0), [&](const HttpRequest&, const HttpPeer&,
                                                  HttpResponder it) { asked.set_value(it); });
  REQUIRE(served);
  auto answer = std::async(std::launch::async,
                           [client = client_of(**served)]() mutable { return client.get("/"); });
  auto under_way = responder.get();
  auto ended = std::async(std::launch::async, [&] { served->reset(); });
  under_way.respond({200, {}, "late"});
  auto got = answer.get();
  REQUIRE(got);
  CHECK(got->body == "late");
  ended.get();
}

TEST_CASE("an HTTP thread says which port is taken") {
  auto ignore = [](const HttpRequest&, const HttpPeer&, const HttpResponder&) {};
  auto first = HttpThread::start(Address::loopback(0), ignore);
  REQUIRE(first);
  auto second = HttpThread::start((*first)->address(), ignore);
  REQUIRE_FALSE(second);
  CHECK_THAT(second.error().detail, Catch::Contains((*first)->address().to_string()));
}
