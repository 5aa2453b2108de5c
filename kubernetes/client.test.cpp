#include "kubernetes/client.hpp"

#include "kubernetes/mirror.hpp"
#include "net/event_loop.hpp"
#include "net/http_server.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <set>

using namespace strait;
using namespace strait::kubernetes;
using namespace std::chrono_literals;

namespace {

/// An API server's stand-in and a client on one loop of this thread.
struct Edge {
  explicit Edge(net::HttpServer::Handler handler, ClientOptions options = {},
                ClientConfig config = {})
      : server{*loop, {}, std::move(handler)} {
    config.server = "http://" + server.listen(net::Address::loopback(0))->to_string();
    client = *Client::create(*loop, config, options);
  }
  ~Edge() { client->close(); }
  template <class Done>
  bool until(Done done) {
    for (int turns = 0; turns < 2'000; ++turns) {
      if (done())
        return true;
      loop->run_once(10ms);
    }
    return false;
  }

  std::unique_ptr<net::EventLoop> loop = *net::EventLoop::create();
  net::HttpServer server;
  std::shared_ptr<Client> client;
};

constexpr const char* forbidden =
    R"({"kind":"Status","status":"Failure","message":"httproutes.gateway.networking.k8s.io is )"
    R"(forbidden: User \"x\" cannot list resource \"httproutes\"","reason":"Forbidden","code":403})";

} // namespace

TEST_CASE("a request carries its query, its body and the token of a file that may change") {
  auto file = std::filesystem::temp_directory_path() / fmt::format("strait-token-{}", ::getpid());
  std::ofstream{file} << "one\n";
  std::vector<std::string> seen;
  Edge edge{[&](net::HttpRequest request, const net::HttpPeer&, net::HttpResponder responder) {
              seen.push_back(fmt::format("{} {} {} {} {}", request.method, request.target,
                                         request.fields.get("Authorization"),
                                         request.fields.get("Content-Type"), request.body));
              auto ok = request.fields.get("Authorization") == "Bearer two";
              responder.respond({ok ? 200 : 401, {}, ok ? "fine" : "{}"});
            },
            {},
            {.token_file = file.string()}};
  std::optional<Result<Response>> answer;
  edge.client->request(apply_request("/api/v1/x", "{}", "strait"),
                       [&](auto result) { answer = std::move(result); });
  REQUIRE(edge.until([&] { return answer.has_value(); }));
  CHECK((*answer)->status == 401);
  std::ofstream{file} << "two\n";
  answer.reset();
  edge.client->request({.path = "/y", .query = {{"a b", "c&d"}}},
                       [&](auto result) { answer = std::move(result); });
  REQUIRE(edge.until([&] { return answer.has_value(); }));
  CHECK((*answer)->status == 200); // After a 401 the file was read again.
  std::filesystem::remove(file);
  REQUIRE(seen.size() == 3);
  CHECK(seen[0] == "PATCH /api/v1/x?fieldManager=strait&force=true Bearer one "
                   "application/apply-patch+yaml {}");
  CHECK(seen[1] == "GET /y?a%20b=c%26d Bearer one  ");
  CHECK(seen[2] == "GET /y?a%20b=c%26d Bearer two  ");
}

TEST_CASE("an answer's outcome tells in the server's words what is forbidden") {
  auto outcome = outcome_of({403, forbidden, {}});
  REQUIRE(!outcome);
  CHECK(outcome.error().code == Errc::denied);
  CHECK_THAT(outcome.error().detail, Catch::Contains("cannot list resource \"httproutes\""));
  CHECK(outcome_of({404, "", {}}).error().code == Errc::not_found);
  CHECK(outcome_of({409, "", {}}).error().code == Errc::conflict);
  CHECK(outcome_of({422, "", {}}).error().code == Errc::invalid);
  CHECK(outcome_of({503, "busy", {}}).error().code == Errc::unavailable);
  CHECK(outcome_of({201, "", {}}));
}

TEST_CASE("requests beyond the maximum in flight wait, beyond the maximum waiting are refused") {
  std::vector<net::HttpResponder> held;
  Edge edge{[&](net::HttpRequest, const net::HttpPeer&, net::HttpResponder responder) {
              held.push_back(responder);
            },
            {.requests_in_flight_max = 2, .requests_waiting_max = 3}};
  int answered = 0, refused = 0;
  for (int i = 0; i < 7; ++i)
    edge.client->request({.path = "/"},
                         [&](const Result<Response>& result) { result ? ++answered : ++refused; });
  REQUIRE(edge.until([&] { return held.size() == 2 && refused == 2; }));
  for (std::size_t i = 0; i < 5; ++i) {
    REQUIRE(edge.until([&] { return held.size() > i; }));
    CHECK(held.size() <= i + 2);
    held[i].respond({200, {}, ""});
  }
  REQUIRE(edge.until([&] { return answered == 5; }));
}

TEST_CASE("as many connections are kept as requests may be in flight") {
  constexpr std::size_t at_once = 12;
  std::set<std::string> peers;
  std::vector<net::HttpResponder> held;
  Edge edge{[&](const net::HttpRequest&, const net::HttpPeer& peer, net::HttpResponder responder) {
              peers.insert(peer.address.to_string());
              held.push_back(std::move(responder));
            },
            {.requests_in_flight_max = at_once}};
  for (int round = 0; round < 3; ++round) {
    std::size_t answered = 0;
    for (std::size_t i = 0; i < at_once; ++i)
      edge.client->request({.path = "/x"}, [&](auto result) { answered += result.has_value(); });
    REQUIRE(edge.until([&] { return held.size() == at_once; }));
    for (auto& responder : held)
      responder.respond({200, {}, "{}"});
    held.clear();
    REQUIRE(edge.until([&] { return answered == at_once; }));
  }
  CHECK(peers.size() == at_once);
}

TEST_CASE("an answer larger than the maximum is refused") {
  Edge edge{[&](net::HttpRequest, const net::HttpPeer&, net::HttpResponder responder) {
              responder.respond({200, {}, std::string(5'000, 'x')});
            },
            {.body_bytes_max = 4'999}};
  std::optional<Result<Response>> answer;
  edge.client->request({.path = "/"}, [&](auto result) { answer = std::move(result); });
  REQUIRE(edge.until([&] { return answer.has_value(); }));
  REQUIRE(!*answer);
  CHECK(answer->error().code == Errc::exhausted);
}

TEST_CASE("a server that is not there is named") {
  auto loop = *net::EventLoop::create();
  auto client = *Client::create(*loop, {.server = "http://127.0.0.1:1"});
  std::optional<Result<Response>> answer;
  client->request({.path = "/"}, [&](auto result) { answer = std::move(result); });
  for (int turns = 0; turns < 500 && !answer; ++turns)
    loop->run_once(10ms);
  REQUIRE(answer);
  CHECK_THAT(answer->error().detail, Catch::Contains("127.0.0.1:1"));
  client->close();
  answer.reset();
  client->request({.path = "/"}, [&](auto result) { answer = std::move(result); });
  loop->run_once(0ms);
  REQUIRE(answer);
  CHECK(answer->error().detail == "the Kubernetes client is closed");
}

TEST_CASE("a watch is told line by line, however the bytes are cut, and rests when it runs ahead") {
  std::optional<net::HttpResponder> out;
  Edge edge{[&](net::HttpRequest, const net::HttpPeer&, net::HttpResponder responder) {
              responder.begin(200, {});
              out = responder;
            },
            {.lines_ahead_max = 3}};
  std::vector<std::string> lines;
  std::optional<Result<Response>> ended;
  auto watch = edge.client->watch({.path = "/w"},
                                  {.line = [&](std::string line) { lines.push_back(line); },
                                   .ended = [&](auto result) { ended = std::move(result); }});
  REQUIRE(edge.until([&] { return out.has_value(); }));
  CHECK(out->write("on"));
  CHECK(out->write("e\n\ntwo\nth"));
  REQUIRE(edge.until([&] { return lines == std::vector<std::string>{"one", "two"}; }));
  CHECK(out->write("ree\n"));
  REQUIRE(edge.until([&] { return lines.size() == 3; }));
  CHECK(out->write("four\n"));
  for (int turns = 0; turns < 10; ++turns)
    edge.loop->run_once(1ms);
  CHECK(lines.size() == 3);
  watch->taken(2);
  REQUIRE(edge.until([&] { return lines.size() == 4; }));
  SECTION("to its end") {
    out->end();
    REQUIRE(edge.until([&] { return ended.has_value(); }));
    CHECK((*ended)->status == 200);
  }
  SECTION("or until the handle is dropped") {
    bool gone = false;
    out->on_disconnect([&] { gone = true; });
    watch.reset();
    REQUIRE(edge.until([&] { return gone; }));
    CHECK(!ended);
  }
}

TEST_CASE("a watch that is refused ends with the server's words, one whose line is endless too") {
  bool refuse = GENERATE(true, false);
  Edge edge{
      [&](net::HttpRequest, const net::HttpPeer&, net::HttpResponder responder) {
        responder.respond({refuse ? 403 : 200, {}, refuse ? forbidden : std::string(100, 'x')});
      },
      {.line_bytes_max = refuse ? 1'000U : 99U}};
  std::optional<Result<Response>> ended;
  auto watch = edge.client->watch({.path = "/w"},
                                  {.line = [&](const std::string&) {},
                                   .ended = [&](auto result) { ended = std::move(result); }});
  REQUIRE(edge.until([&] { return ended.has_value(); }));
  if (refuse)
    CHECK_THAT(outcome_of(**ended).error().detail, Catch::Contains("cannot list"));
  else
    CHECK(ended->error().code == Errc::exhausted);
}

TEST_CASE("a mirror follows lists and watches of a server, and lists anew after 410") {
  std::vector<std::string> targets;
  std::optional<net::HttpResponder> out;
  int lists = 0;
  Edge edge{[&](net::HttpRequest request, const net::HttpPeer&, net::HttpResponder responder) {
    targets.push_back(request.target);
    if (request.target.find("watch=true") != std::string::npos) {
      responder.begin(200, {});
      out = responder;
      return;
    }
    ++lists;
    auto object = [](const char* name, int version) {
      return fmt::format(R"({{"metadata":{{"name":"{}","resourceVersion":"{}"}}}})", name, version);
    };
    auto items = lists == 1 ? object("a", 1) + "," + object("b", 2) : object("b", 2);
    responder.respond({200, {}, R"({"metadata":{"resourceVersion":"9"},"items":[)" + items + "]}"});
  }};
  std::set<std::string> have;
  int synced = 0;
  auto mirror =
      Mirror::start(edge.client, {.path = "/api/v1/things", .api_version = "v1", .kind = "Thing"},
                    {.put = [&](const Item& it) { have.insert(it.name.name); },
                     .remove = [&](const model::Name& name) { have.erase(name.name); },
                     .synced = [&] { ++synced; }});
  REQUIRE(edge.until([&] { return out.has_value(); }));
  CHECK(have == std::set<std::string>{"a", "b"});
  CHECK(synced == 1);
  CHECK(targets[0] == "/api/v1/things?limit=250");
  CHECK_THAT(targets[1], Catch::Contains("resourceVersion=9&timeoutSeconds="));
  CHECK(out->write(R"({"type":"ADDED","object":{"metadata":{"name":"c","resourceVersion":"10"}}})"
                   "\n"));
  REQUIRE(edge.until([&] { return have.contains("c"); }));
  CHECK(out->write("{\"type\":\"ERROR\",\"object\":{\"code\":410}}\n"));
  REQUIRE(edge.until([&] { return synced == 2; }));
  CHECK(have == std::set<std::string>{"b"});
  SECTION("dropped, it says nothing more") {
    mirror.reset();
    edge.loop->run_once(1ms);
    (void)out->write("{\"type\":\"ADDED\"}\n");
    for (int turns = 0; turns < 5; ++turns)
      edge.loop->run_once(1ms);
    CHECK(have == std::set<std::string>{"b"});
  }
  SECTION("vanished, it removes what it told") {
    mirror->vanish();
    REQUIRE(edge.until([&] { return have.empty(); }));
  }
}
