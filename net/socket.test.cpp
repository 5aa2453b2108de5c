#include "net/socket.hpp"

#include "net/event_loop.hpp"
#include "net/stream.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <poll.h>

using namespace strait;
using namespace strait::net;

namespace {

void wait_for(const Fd& fd, short events) {
  pollfd poll{fd.get(), events, 0};
  REQUIRE(::poll(&poll, 1, 5000) == 1);
}

} // namespace

TEST_CASE("addresses are read and written, and what is none is named") {
  for (auto text : {"127.0.0.1:80", "[::1]:65535", "0.0.0.0:0", "[2001:db8::1]:443"}) {
    auto address = Address::parse(text);
    REQUIRE(address);
    CHECK(address->to_string() == text);
    CHECK(Address::from_sockaddr(address->data(), address->size()) == *address);
  }
  CHECK(Address::parse(":8500")->to_string() == "0.0.0.0:8500");
  CHECK(Address::from_ip("[::1]", 1)->is_loopback());
  CHECK(Address::from_ip("127.9.9.9", 1)->is_loopback());
  for (auto text : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:80", "[::1:80",
                    "[::1]80", "[127.0.0.1]:80", "localhost:80", "1.2.3.4:8x", "[]:1"}) {
    auto address = Address::parse(text);
    INFO(text);
    REQUIRE_FALSE(address);
    CHECK(address.error().code == Errc::invalid);
    CHECK_THAT(address.error().detail, Catch::Contains(text));
  }
  CHECK(split_host_port("web.local:80")->host == "web.local");
  CHECK(split_host_port("web.local")->port == 0);
}

TEST_CASE("an address in use, a foreign one and a refused connection are told by name") {
  auto listener = listen_tcp(Address::loopback(0));
  REQUIRE(listener);
  auto bound = *local_address(*listener);
  auto again = listen_tcp(bound);
  REQUIRE_FALSE(again);
  CHECK(again.error().code == Errc::conflict);
  CHECK(again.error().detail == "listen on " + bound.to_string() + ": address already in use");
  auto foreign = listen_tcp(*Address::parse("192.0.2.1:0"));
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().code == Errc::invalid);

  listener->close();
  auto socket = connect_tcp(bound);
  if (socket) {
    wait_for(*socket, POLLOUT);
    auto outcome = connect_outcome(*socket, bound);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().detail == "connect to " + bound.to_string() + ": connection refused");
  } else {
    CHECK_THAT(socket.error().detail, Catch::Contains("connection refused"));
  }
}

TEST_CASE("two listeners with reuse_port share one address") {
  auto first = listen_tcp(Address::loopback(0), {.reuse_port = true});
  REQUIRE(first);
  CHECK(listen_tcp(*local_address(*first), {.reuse_port = true}));
}

TEST_CASE("bytes pass a TCP stream both ways, an orderly end is seen, and a broken one fails") {
  auto listener = listen_tcp(*Address::parse("[::1]:0"));
  REQUIRE(listener);
  CHECK_FALSE((*accept_tcp(*listener)).has_value());
  auto socket = connect_tcp(*local_address(*listener));
  REQUIRE(socket);
  wait_for(*listener, POLLIN);
  auto accepted = accept_tcp(*listener);
  REQUIRE(accepted->has_value());
  CHECK((*accepted)->peer == *local_address(*socket));
  wait_for(*socket, POLLOUT);
  REQUIRE(connect_outcome(*socket, *local_address(*listener)));

  TcpStream client{std::move(*socket)}, server{std::move((*accepted)->fd)};
  std::array<char, 8> space{};
  CHECK(server.read_some(space).state == Io::want_read);
  char hello[] = "hello ", world[] = "world";
  std::array slices{iovec{hello, 6}, iovec{world, 5}};
  CHECK(client.write_some(slices).bytes == 11);
  auto got = server.read_some(space);
  CHECK(std::string_view(space.data(), got.bytes) == "hello wo");
  CHECK_FALSE(server.drained());
  got = server.read_some(space);
  CHECK(std::string_view(space.data(), got.bytes) == "rld");
  CHECK(server.drained());
  CHECK(client.shutdown().state == Io::ok);
  CHECK(server.read_some(space).state == Io::closed);
  CHECK(server.write_some(slices).bytes == 11); // Only one side has ended.
  CHECK(client.read_some(space).bytes == 8);

  SECTION("writing into a connection that was reset fails with a reason, without a signal") {
    auto fd = client.take();
    close_with_reset(fd);
    auto result = server.write_some(slices);
    CHECK(result.state == Io::failed);
    CHECK_FALSE(server.failure().empty());
  }
}

TEST_CASE("what waits can be looked at without taking it, and thrown away up to a maximum") {
  auto listener = listen_tcp(Address::loopback(0));
  REQUIRE(listener);
  auto client = connect_tcp(*local_address(*listener));
  REQUIRE(client);
  wait_for(*listener, POLLIN);
  auto accepted = accept_tcp(*listener);
  REQUIRE((accepted && *accepted));
  const auto& server = (*accepted)->fd;
  std::array<char, 4> space;
  CHECK_FALSE(peek(server, space)); // Later.
  wait_for(*client, POLLOUT);
  REQUIRE(::send(client->get(), "abcdef", 6, 0) == 6);
  wait_for(server, POLLIN);
  for (int i = 0; i < 2; ++i) {
    CHECK(peek(server, space) == 4U);
    CHECK(std::string_view(space.data(), 4) == "abcd");
  }
  throw_away(server, 4);
  CHECK(peek(server, space) == 2U);
  CHECK(std::string_view(space.data(), 2) == "ef");
  throw_away(server, 100);
  CHECK_FALSE(peek(server, space));
  client->close();
  wait_for(server, POLLIN);
  CHECK(peek(server, space) == 0U); // It ended.
}
