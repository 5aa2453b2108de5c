#include "gateway/proxy/http2_connection.hpp"

#include "net/http2_pair.test.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace strait::gateway::proxy {

namespace {

using net::http2::Role;
using net::http2::testing::Side;

/// An HTTP/2 connection of the proxy, and the other end in the same thread: nothing happens between
/// two steps.
struct Ends final : Http2Connection::User, Channel::Owner {
  Ends(Role role, const ProxyLimits& wanted, const net::http2::Limits& others = {})
      : limits{wanted}, other{role == Role::server ? Role::client : Role::server, others} {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    far = net::Fd{fds[1]};
    channel.attach(std::make_unique<net::TcpStream>(net::Fd{fds[0]}));
    REQUIRE(channel.watch(fds[0], *this));
    connection =
        std::make_unique<Http2Connection>(*loop, buffers, counters, limits, channel, role, *this);
  }

  void on_request(Http2Stream& stream) override {
    pipes.push_back(std::make_unique<Channel>(*loop, buffers, 1 << 20));
    pipes.back()->attach(connection->accept(stream, *pipes.back()), *this);
  }
  void on_streams() override {}
  void on_finished(std::string_view reason) override {
    finished = true;
    why = reason;
  }
  void on_channel(Channel& moved) override {
    if (&moved == &channel)
      connection->advance();
  }

  /// Both ends, until neither has anything to do.
  void settle() {
    for (int quiet = 0; quiet < 3; ++quiet) {
      if (auto bytes = other.output(); !bytes.empty()) {
        pending += bytes;
        quiet = 0;
      }
      const auto sent = ::write(far.get(), pending.data(), pending.size());
      if (sent > 0) {
        pending.erase(0, static_cast<std::size_t>(sent));
        quiet = 0;
      }
      loop->run_once(Millis{0});
      std::array<char, 65536> space;
      const auto got = ::read(far.get(), space.data(), space.size());
      if (got > 0) {
        other.session.receive({}, {space.data(), static_cast<std::size_t>(got)});
        quiet = 0;
      }
    }
  }

  std::int32_t ask(bool ended) {
    net::http2::FieldList fields;
    fields.add(":method", "POST");
    fields.add(":scheme", "http");
    fields.add(":authority", "a");
    fields.add(":path", "/");
    const auto id = other.session.request(fields, ended);
    return id ? *id : -1;
  }

  static std::string take(Channel& pipe) {
    std::string all;
    while (pipe.fill() == Channel::Flow::moved) {
      all.append(pipe.in.bytes());
      pipe.in.consume(pipe.in.size());
    }
    return all;
  }

  const ProxyLimits limits;
  std::unique_ptr<net::EventLoop> loop = std::move(*net::EventLoop::create());
  net::BufferPool buffers;
  WorkerCounters counters{8};
  Channel channel{*loop, buffers, 1 << 16};
  net::Fd far;
  Side other;
  std::string pending, why;
  std::unique_ptr<Http2Connection> connection;
  std::vector<std::unique_ptr<Channel>> pipes;
  bool finished = false;
};

constexpr std::string_view answer_head = "HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n";

} // namespace

TEST_CASE("content of a stream that nobody reads is held up to its window") {
  ProxyLimits limits;
  limits.http2.stream_window_bytes = 70'000;
  Ends ends{Role::server, limits};
  ends.settle();
  const auto id = ends.ask(false);
  ends.other.streams[id].out.assign(1'000'000, 'x');
  ends.settle();
  REQUIRE(ends.pipes.size() == 1);
  CHECK(ends.other.streams[id].out.size() == 1'000'000 - 70'000);
  // What is read makes room, on both windows.
  std::string all;
  for (auto more = Ends::take(*ends.pipes[0]); !more.empty(); more = Ends::take(*ends.pipes[0])) {
    all += more;
    ends.settle();
    ends.pipes[0]->wake(false);
  }
  CHECK(all.size() > 1'000'000);
  CHECK(all.ends_with("\r\n0\r\n\r\n"));
}

TEST_CASE("content to be sent is taken up to its maximum, and asked for as it goes") {
  ProxyLimits limits;
  limits.http2_send_bytes_max = 50'000;
  net::http2::Limits closed;
  closed.stream_window_bytes = 0;
  Ends ends{Role::server, limits, closed};
  ends.settle();
  const auto id = ends.ask(true);
  ends.settle();
  auto& pipe = *ends.pipes.at(0);
  const std::string content(1'000'000, 'x');
  net::OutputQueue queue{ends.buffers};
  REQUIRE(queue.copy(answer_head));
  REQUIRE(queue.borrow(content));
  CHECK(pipe.flush(queue) == Channel::Flow::blocked);
  CHECK(pipe.bytes_out() == answer_head.size() + 50'000);
  ends.settle();
  CHECK(ends.other.streams[id].body.empty());
  CHECK(pipe.bytes_out() == answer_head.size() + 50'000);
}

TEST_CASE("interim heads that nobody reads are held up to a maximum, then the stream is lost") {
  ProxyLimits limits;
  limits.http2_heads_bytes_max = 10'000;
  Ends ends{Role::client, limits};
  Channel pipe{*ends.loop, ends.buffers, 1 << 20};
  pipe.attach(ends.connection->open(pipe), ends);
  net::OutputQueue queue{ends.buffers};
  REQUIRE(queue.copy("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  REQUIRE(pipe.flush(queue) == Channel::Flow::moved);
  ends.settle();
  REQUIRE(ends.other.heads == std::vector<std::int32_t>{1});
  net::http2::FieldList hint;
  hint.add(":status", "103");
  hint.add("link", std::string(900, 'x'));
  for (int i = 0; i < 10; ++i)
    ends.other.session.interim(1, hint);
  ends.settle();
  CHECK_FALSE(pipe.broken());
  for (int i = 0; i < 10; ++i)
    ends.other.session.interim(1, hint);
  ends.settle();
  CHECK(pipe.broken());
  CHECK(ends.other.streams[1].closed);
  pipe.close();
}

TEST_CASE("streams of a connection that fails are lost, and their pipes outlive it") {
  Ends ends{Role::server, {}};
  ends.settle();
  ends.ask(false);
  ends.settle();
  auto& pipe = *ends.pipes.at(0);
  Ends::take(pipe);
  ends.far.close();
  ends.loop->run_once(Millis{0});
  CHECK(ends.finished);
  CHECK(pipe.broken());
  ends.connection.reset();
  CHECK(pipe.fill() == Channel::Flow::failed);
}

TEST_CASE("a stream that is given up before its request was sent leaves nothing behind") {
  Ends ends{Role::client, {}};
  {
    Channel pipe{*ends.loop, ends.buffers, 1 << 20};
    pipe.attach(ends.connection->open(pipe), ends);
    CHECK(ends.connection->streams() == 1);
  }
  CHECK(ends.connection->streams() == 0);
  ends.settle();
  CHECK(ends.other.heads.empty());
}

TEST_CASE("a connection that is ended with nothing under way finishes in order") {
  Ends ends{Role::client, {}};
  ends.settle();
  CHECK(ends.connection->has_room());
  ends.connection->end();
  CHECK_FALSE(ends.connection->has_room());
  ends.settle();
  CHECK(ends.finished);
  CHECK(ends.why.empty());
  CHECK(ends.other.goaway);
}

} // namespace strait::gateway::proxy
