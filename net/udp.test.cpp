#include "net/udp.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <poll.h>
#include <string>

using namespace strait;
using namespace strait::net;

namespace {

Fd bound(const Address& address) {
  auto fd = bind_udp(address);
  REQUIRE(fd);
  return std::move(*fd);
}

bool readable(const Fd& fd) {
  pollfd wait{fd.get(), POLLIN, 0};
  return ::poll(&wait, 1, 10'000) == 1;
}

} // namespace

TEST_CASE("a datagram says where it came from and which address it was for") {
  const auto any = GENERATE(Address::any(0), *Address::parse("[::1]:0"));
  auto server = bound(any);
  const auto port = local_address(server)->port();
  // 127.0.0.2 is an address of the loopback interface as good as 127.0.0.1.
  const auto target =
      any.is_ipv6() ? *Address::from_ip("::1", port) : *Address::from_ip("127.0.0.2", port);
  auto client = connect_udp(target);
  REQUIRE(client);
  std::array<char, 16> space;
  Datagram got;
  CHECK(receive_datagram(server, space, got) == Udp::later);
  CHECK(send_datagram(*client, "hello") == Udp::moved);
  REQUIRE(readable(server));
  REQUIRE(receive_datagram(server, space, got) == Udp::moved);
  CHECK(std::string(space.data(), got.bytes) == "hello");
  CHECK_FALSE(got.truncated);
  CHECK(got.from == *local_address(*client));
  CHECK(got.to == target.with_port(0));

  SECTION("the answer comes from that address, else a connected client would not hear it") {
    CHECK(send_datagram(server, "", got.from, got.to) == Udp::moved);
    REQUIRE(readable(*client));
    std::size_t bytes = 1;
    bool truncated = true;
    CHECK(receive_datagram(*client, space, bytes, truncated) == Udp::moved);
    CHECK(bytes == 0);
    CHECK_FALSE(truncated);
    CHECK(receive_datagram(*client, space, bytes, truncated) == Udp::later);
  }
  SECTION("one that is too large for the space is told as such, on both kinds of sockets") {
    const std::string large(17, 'x');
    CHECK(send_datagram(*client, large) == Udp::moved);
    REQUIRE(readable(server));
    CHECK(receive_datagram(server, space, got) == Udp::moved);
    CHECK(got.truncated);
    CHECK(got.bytes == 17);
    CHECK(send_datagram(server, large, got.from, got.to) == Udp::moved);
    REQUIRE(readable(*client));
    std::size_t bytes = 0;
    bool truncated = false;
    CHECK(receive_datagram(*client, space, bytes, truncated) == Udp::moved);
    CHECK(truncated);
    CHECK(bytes == 17);
  }
  SECTION("an address that nobody is bound to any more refuses") {
    server.close();
    CHECK(send_datagram(*client, "x") == Udp::moved);
    REQUIRE(readable(*client));
    std::size_t bytes = 0;
    bool truncated = false;
    CHECK(receive_datagram(*client, space, bytes, truncated) == Udp::refused);
  }
}

TEST_CASE("a bound UDP address conflicts, unless all of its sockets share it") {
  auto first = bound(Address::loopback(0));
  const auto taken = *local_address(first);
  CHECK(bind_udp(taken).error().code == Errc::conflict);
  auto shared = bind_udp(Address::loopback(0), true);
  REQUIRE(shared);
  CHECK(bind_udp(*local_address(*shared), true));
  CHECK(bind_udp(*Address::from_ip("192.0.2.1", 0)).error().code == Errc::invalid);
}

TEST_CASE("what does not fit into one packet of UDP fails") {
  auto server = bound(Address::loopback(0));
  auto client = connect_udp(*local_address(server));
  REQUIRE(client);
  CHECK(send_datagram(*client, std::string(65'508, 'x')) == Udp::failed);
}
