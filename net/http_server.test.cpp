#include "net/http_server.hpp"

#include "net/http_client.hpp"
#include "net/test_certificates.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <poll.h>
#include <sys/socket.h>
#include <thread>

using namespace strait;
using namespace strait::net;

namespace {

/// A server on a loop and thread of its own, on a port that the kernel chose.
class Served {
public:
  explicit Served(HttpServer::Handler handler, HttpServerOptions options = {}) {
    loop = std::move(*EventLoop::create());
    server = std::make_unique<HttpServer>(*loop, std::move(options), std::move(handler));
    address = *server->listen(Address::loopback(0));
    thread = std::thread{[this] { loop->run(); }};
  }
  ~Served() {
    (void)loop->post([this] {
      server.reset();
      loop->stop();
    });
    thread.join();
  }
  HttpClient client(HttpClientOptions options = {}) const {
    return std::move(*HttpClient::create("http://" + address.to_string(), std::move(options)));
  }
  /// What the loop's thread says.
  std::size_t connections() {
    std::mutex mutex;
    std::condition_variable done;
    std::optional<std::size_t> count;
    (void)loop->post([&] {
      std::lock_guard lock{mutex};
      count = server->connections();
      done.notify_one();
    });
    std::unique_lock lock{mutex};
    done.wait(lock, [&] { return count.has_value(); });
    return *count;
  }

  std::unique_ptr<EventLoop> loop;
  std::unique_ptr<HttpServer> server;
  Address address;
  std::thread thread;
};

/// A raw connection for what a client would not send.
class Raw {
public:
  explicit Raw(const Address& address) {
    fd = std::move(*connect_tcp(address));
    wait(POLLOUT);
    REQUIRE(connect_outcome(fd, address));
  }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      auto sent = ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) {
        wait(POLLOUT);
        continue;
      }
      REQUIRE(sent > 0);
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  /// Until the text is there, or to the end of the connection.
  std::string receive(std::string_view until = {}) {
    std::string out;
    std::array<char, 4096> space;
    while (until.empty() || out.find(until) == std::string::npos) {
      wait(POLLIN);
      auto got = ::recv(fd.get(), space.data(), space.size(), 0);
      if (got <= 0)
        break;
      out.append(space.data(), static_cast<std::size_t>(got));
    }
    return out;
  }
  void wait(short events) {
    pollfd poll{fd.get(), events, 0};
    REQUIRE(::poll(&poll, 1, 10'000) == 1);
  }
  Fd fd;
};

/// Something that another thread says once.
class Signal {
public:
  void give() {
    std::lock_guard lock{mutex_};
    given_ = true;
    condition_.notify_all();
  }
  bool wait() {
    std::unique_lock lock{mutex_};
    return condition_.wait_for(lock, std::chrono::seconds{10}, [&] { return given_; });
  }

private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool given_ = false;
};

void echo(HttpRequest request, const HttpPeer&, HttpResponder responder) {
  responder.respond({200,
                     {{"X-Method", request.method}, {"X-Target", request.target}},
                     request.body.empty() ? "hello" : request.body});
}

} // namespace

TEST_CASE("a client gets what the handler answered, over one kept connection") {
  Served served{echo};
  auto client = served.client();
  auto got = client.get("/v1/catalog?dc=dc1");
  REQUIRE(got);
  CHECK(got->status == 200);
  CHECK(got->body == "hello");
  CHECK(got->fields.get("x-target") == "/v1/catalog?dc=dc1");
  auto put = client.put("/kv/a", std::string(100'000, 'v'));
  REQUIRE(put);
  CHECK(put->body.size() == 100'000);
  CHECK(put->fields.get("X-Method") == "PUT");
  auto head = client.send({"HEAD", "/"});
  REQUIRE(head);
  CHECK(head->body.empty());
  CHECK(head->fields.get("Content-Length") == "5");
  CHECK(client.del("/kv/a")->fields.get("X-Method") == "DELETE");
  CHECK(served.connections() == 1);
}

TEST_CASE("pipelined requests are answered in order, even if the first is answered last") {
  std::mutex mutex;
  std::vector<HttpResponder> held;
  Signal first;
  Served served{[&](HttpRequest request, const HttpPeer&, HttpResponder responder) {
    if (request.target == "/slow") {
      std::lock_guard lock{mutex};
      held.push_back(responder);
      first.give();
    } else {
      responder.respond({200, {}, "fast"});
    }
  }};
  Raw raw{served.address};
  raw.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /fast HTTP/1.1\r\nHost: a\r\n"
           "Connection: close\r\n\r\n");
  REQUIRE(first.wait());
  {
    std::lock_guard lock{mutex};
    held.at(0).respond({200, {}, "slow"}); // From another thread.
  }
  auto text = raw.receive();
  CHECK(text.find("slow") < text.find("fast"));
  CHECK(text.find("fast") != std::string::npos);
}

TEST_CASE("a streamed answer arrives in pieces, and a client that leaves is told of") {
  std::mutex mutex;
  std::optional<HttpResponder> held;
  Signal begun, left;
  Served served{[&](HttpRequest, const HttpPeer&, HttpResponder responder) {
    responder.on_disconnect([&] { left.give(); });
    responder.begin(200, {{"Content-Type", "text/event-stream"}});
    std::lock_guard lock{mutex};
    held = responder;
    begun.give();
  }};
  Raw raw{served.address};
  raw.send("GET /watch HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(begun.wait());
  CHECK(held->write("one"));
  raw.receive("3\r\none\r\n");
  CHECK(held->write("three"));
  raw.receive("5\r\nthree\r\n");
  SECTION("it ends in order") {
    held->end();
    raw.receive("0\r\n\r\n");
    CHECK_FALSE(held->write("more"));
  }
  SECTION("it leaves") {
    raw.fd.close();
    REQUIRE(left.wait());
    CHECK(held->disconnected());
    CHECK_FALSE(held->write("more"));
    CHECK(served.connections() == 0);
  }
  SECTION("its handler gives up: the answer must not look complete") {
    {
      std::lock_guard lock{mutex};
      held.reset();
    }
    CHECK(raw.receive().find("0\r\n\r\n") == std::string::npos);
  }
  SECTION("it reads nothing: what waits for it is bounded") {
    std::size_t taken = 0;
    while (taken < 100'000'000 && held->write(std::string(65'536, 'x')))
      taken += 65'536;
    CHECK(taken < 100'000'000);
  }
  std::lock_guard lock{mutex};
  held.reset();
}

TEST_CASE("a blocking query is freed when its client leaves, and unanswered ones get 500") {
  Signal asked, left;
  std::mutex mutex;
  std::optional<HttpResponder> held;
  Served served{[&](HttpRequest request, const HttpPeer&, HttpResponder responder) {
    if (request.target == "/drop")
      return;
    responder.on_disconnect([&] { left.give(); });
    std::lock_guard lock{mutex};
    held = responder;
    asked.give();
  }};
  {
    Raw raw{served.address};
    raw.send("GET /?wait=5m HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(asked.wait());
  }
  CHECK(left.wait());
  CHECK(held->disconnected());
  held->respond({200, {}, "too late"});
  CHECK(served.client().get("/drop")->status == 500);
}

TEST_CASE("bad requests get their status, a reason and the end of the connection") {
  HttpServerOptions options;
  options.body_bytes_max = 1000;
  options.limits.head_bytes_max = 500;
  options.limits.start_line_bytes_max = 200;
  Served served{echo, options};
  auto answer = [&](const std::string& bytes) {
    Raw raw{served.address};
    raw.send(bytes);
    return raw.receive();
  };
  const std::string host = " HTTP/1.1\r\nHost: a\r\n";
  CHECK_THAT(answer("GET /" + host + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
             Catch::StartsWith("HTTP/1.1 400 ") && Catch::Contains("Connection: close") &&
                 Catch::EndsWith("Content-Length beside Transfer-Encoding\n"));
  CHECK_THAT(answer("GET /" + std::string(300, 'a')), Catch::StartsWith("HTTP/1.1 414 "));
  CHECK_THAT(answer("GET /" + host + "X: " + std::string(600, 'a')),
             Catch::StartsWith("HTTP/1.1 431 "));
  CHECK_THAT(answer("POST /" + host + "Content-Length: 1001\r\n\r\n"),
             Catch::StartsWith("HTTP/1.1 413 ") && Catch::Contains("at most 1000"));
  CHECK_THAT(answer("POST /" + host + "Content-Length: 1000\r\nConnection: close\r\n\r\n" +
                    std::string(1000, 'b')),
             Catch::StartsWith("HTTP/1.1 200 "));
  CHECK_THAT(answer("POST /" + host + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                    std::string(1001, 'b')),
             Catch::StartsWith("HTTP/1.1 413 "));
  CHECK_THAT(answer("POST /" + host + "Transfer-Encoding: chunked\r\n\r\nx"),
             Catch::StartsWith("HTTP/1.1 400 "));
  CHECK_THAT(answer("GET / HTTP/3.0\r\n\r\n"), Catch::StartsWith("HTTP/1.1 505 "));
  CHECK_THAT(answer("CONNECT a:1" + host + "\r\n"), Catch::StartsWith("HTTP/1.1 501 "));
  CHECK_THAT(answer("GET /" + host + "Expect: magic\r\n\r\n"), Catch::StartsWith("HTTP/1.1 417 "));
}

TEST_CASE("a client that waits for 100 Continue gets it, HTTP/1.0 gets the end of the connection") {
  Served served{echo};
  Raw raw{served.address};
  raw.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  CHECK(raw.receive("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  raw.send("ok");
  CHECK_THAT(raw.receive("\r\n\r\nok"), Catch::StartsWith("HTTP/1.1 200 OK"));
  Raw old{served.address};
  old.send("GET / HTTP/1.0\r\n\r\n");
  CHECK_THAT(old.receive(), Catch::StartsWith("HTTP/1.1 200 OK") && Catch::EndsWith("hello"));
}

TEST_CASE("time-outs end what does not come, with 408 where a request had begun") {
  HttpServerOptions options;
  options.idle_timeout = Millis{50};
  options.head_timeout = Millis{50};
  options.body_timeout = Millis{50};
  Served served{echo, options};
  Raw idle{served.address}, head{served.address}, body{served.address};
  head.send("GET / HTT");
  body.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
  CHECK(idle.receive().empty());
  CHECK_THAT(head.receive(), Catch::StartsWith("HTTP/1.1 408 "));
  CHECK_THAT(body.receive(), Catch::StartsWith("HTTP/1.1 408 "));
}

TEST_CASE("one client may hold no more connections than allowed, nor all clients together") {
  HttpServerOptions options;
  options.connections_per_client_max = 2;
  options.connections_max = 3;
  Served served{echo, options};
  Raw a{served.address}, b{served.address}, c{served.address};
  CHECK_THAT(c.receive(), Catch::StartsWith("HTTP/1.1 429 "));
  a.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  CHECK_THAT(a.receive(), Catch::EndsWith("hello"));
  a.fd.close();
  while (served.connections() > 1) // The server has yet to see that it left.
    std::this_thread::yield();
  auto client = served.client();
  CHECK(client.get("/")->status == 200);

  options.connections_per_client_max = 10;
  options.connections_max = 1;
  Served full{echo, options};
  Raw first{full.address};
  first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  first.receive("hello");
  Raw second{full.address};
  CHECK(second.receive().empty());
}

TEST_CASE("stopping lets the answer at hand end, closes the idle and refuses the new") {
  Signal asked, stopped;
  std::mutex mutex;
  std::optional<HttpResponder> held;
  Served served{[&](HttpRequest, const HttpPeer&, HttpResponder responder) {
    std::lock_guard lock{mutex};
    held = responder;
    asked.give();
  }};
  Raw idle{served.address}, busy{served.address};
  busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(asked.wait());
  auto grace = GENERATE(Millis{10'000}, Millis{20});
  (void)served.loop->post([&] { served.server->stop(grace, [&] { stopped.give(); }); });
  CHECK(idle.receive().empty());
  if (grace > Millis{1000}) {
    held->respond({200, {}, "done"});
    CHECK_THAT(busy.receive(), Catch::Contains("Connection: close") && Catch::EndsWith("done"));
  } else {
    CHECK(busy.receive().empty()); // It had its time.
  }
  busy.fd.close();
  CHECK(stopped.wait());
  auto refused = served.client().get("/");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::unavailable);
  CHECK(refused.error().detail ==
        "connect to " + served.address.to_string() + ": connection refused");
}

TEST_CASE("the same server and client speak TLS, and the handler sees the client's identity") {
  auto ca = testing::issue({.common_name = "root", .authority = true});
  auto leaf = testing::issue({.common_name = "s", .alternative_names = "IP:127.0.0.1"}, &ca);
  auto own = testing::issue({.common_name = "c", .alternative_names = "URI:spiffe://dc1/cli"}, &ca);
  HttpServerOptions options;
  options.tls = *TlsServerContext::create(
      {.certificate = *TlsCertificate::from_pem(leaf.certificate, leaf.key),
       .client_auth = ClientAuth::optional,
       .client_ca_pem = ca.certificate});
  Served served{
      [](HttpRequest, const HttpPeer& peer, HttpResponder responder) {
        responder.respond({200, {}, peer.identity.uris.empty() ? "nobody" : peer.identity.uris[0]});
      },
      options};
  auto url = "https://" + served.address.to_string();
  auto client = *HttpClient::create(url, {.ca_pem = ca.certificate});
  CHECK(client.get("/")->body == "nobody");
  CHECK(client.get("/")->body == "nobody");
  auto known = *HttpClient::create(
      url, {.ca_pem = ca.certificate,
            .certificate = *TlsCertificate::from_pem(own.certificate, own.key)});
  CHECK(known.get("/")->body == "spiffe://dc1/cli");
  auto other = testing::issue({.common_name = "root", .authority = true});
  auto wrong = HttpClient::create(url, {.ca_pem = other.certificate})->get("/");
  REQUIRE_FALSE(wrong);
  CHECK_THAT(wrong.error().detail, Catch::Contains("TLS handshake: peer certificate"));
  CHECK_FALSE(served.client().get("/")); // Plain HTTP at a TLS port.
}

TEST_CASE("header fields that would break an answer are not sent") {
  Served served{[](HttpRequest, const HttpPeer&, HttpResponder responder) {
    responder.respond({200, {{"X", "a\r\nSet-Cookie: b"}}, "secret"});
  }};
  auto answer = served.client().get("/");
  REQUIRE(answer);
  CHECK(answer->status == 500);
  CHECK(answer->fields.find("Set-Cookie") == nullptr);
  auto bad = served.client().send({"GET", "/a b"});
  REQUIRE_FALSE(bad);
  CHECK(bad.error().code == Errc::invalid);
}

TEST_CASE("the client tells a timeout, a broken answer and a wrong address by name") {
  Served served{[](HttpRequest request, const HttpPeer&, HttpResponder responder) {
    if (request.target == "/big")
      responder.respond({200, {}, std::string(2000, 'x')});
    else
      responder.on_disconnect([responder] {});
  }};
  auto late = served.client({.timeout = Millis{50}}).get("/never");
  REQUIRE_FALSE(late);
  CHECK(late.error().detail == served.address.to_string() + ": timed out waiting for the answer");
  auto big = served.client({.body_bytes_max = 1000}).get("/big");
  REQUIRE_FALSE(big);
  CHECK(big.error().code == Errc::exhausted);
  for (auto url : {"ftp://a", "http://", "http://a/b", "http://a:99999"}) {
    auto client = HttpClient::create(url);
    REQUIRE_FALSE(client);
    CHECK(client.error().code == Errc::invalid);
  }
}

TEST_CASE("a request is sent again on a new connection when the kept one was closed meanwhile") {
  HttpServerOptions options;
  options.idle_timeout = Millis{20};
  Served served{echo, options};
  auto client = served.client();
  REQUIRE(client.get("/"));
  while (served.connections() > 0)
    std::this_thread::yield();
  CHECK(client.get("/")->status == 200);
}

TEST_CASE("queries and escapes are decoded") {
  HttpRequest request{.target = "/v1/kv/a%2Fb?dc=dc%201&near=_agent+x&raw&=z&&p=%zz%4"};
  CHECK(request.path() == "/v1/kv/a%2Fb");
  CHECK(percent_decode("/a%2Fb%") == "/a/b%");
  CHECK(percent_encode("a/b c") == "a%2Fb%20c");
  auto pairs = parse_query(request.query());
  REQUIRE(pairs.size() == 5);
  CHECK(pairs[0] == std::pair<std::string, std::string>{"dc", "dc 1"});
  CHECK(pairs[1].second == "_agent x");
  CHECK(pairs[2] == std::pair<std::string, std::string>{"raw", ""});
  CHECK(pairs[4].second == "%zz%4");
}
