#include "net/dns.hpp"

#include "net/socket.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <map>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>

using namespace strait;
using namespace strait::net;

namespace {

/// A name server for one test, on the same loop: knows a few A records, is silent about "slow".
class NameServer final : EventHandler {
public:
  explicit NameServer(EventLoop& loop) : loop_{loop} {
    fd_ = Fd{::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)};
    auto any_port = Address::loopback(0);
    REQUIRE(::bind(fd_.get(), any_port.data(), any_port.size()) == 0);
    REQUIRE(loop_.add(fd_.get(), Watch::level_read, *this));
  }
  ~NameServer() { loop_.remove(fd_.get()); }
  std::string address() const { return local_address(fd_)->to_string(); }
  int asked = 0;

private:
  void on_ready(Ready) override {
    std::array<char, 512> space;
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    auto got = ::recvfrom(fd_.get(), space.data(), space.size(), 0,
                          reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 17)
      return;
    ++asked;
    std::string query{space.data(), static_cast<std::size_t>(got)}, name;
    std::size_t at = 12;
    while (query[at] != 0) {
      auto length = static_cast<std::size_t>(query[at]);
      name += query.substr(at + 1, length) + ".";
      at += length + 1;
    }
    auto question = query.substr(12, at + 5 - 12);
    bool ipv4 = question[question.size() - 3] == 1;
    if (name == "slow.test.")
      return;
    bool known = name == "web.test.";
    std::string reply = query.substr(0, 2);
    reply += known ? "\x81\x80" : "\x81\x83"; // No error, or no such name.
    reply += std::string{"\0\1", 2} +
             (known && ipv4 ? std::string{"\0\2", 2} : std::string(2, '\0')) +
             std::string(4, '\0') + question;
    if (known && ipv4)
      for (char last : {'\1', '\2'})
        reply += std::string{"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0", 15} + last;
    ::sendto(fd_.get(), reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
  }
  EventLoop& loop_;
  Fd fd_;
};

using Answer = Result<std::vector<Address>>;

} // namespace

TEST_CASE("names are resolved by the server given, and its refusals and silence are told apart") {
  auto loop = std::move(*EventLoop::create());
  NameServer server{*loop};
  auto resolver = *Resolver::create(
      *loop, {.timeout = Millis{100}, .tries = 1, .pending_max = 2, .servers = server.address()});
  std::optional<Answer> answer;
  auto resolve = [&](const std::string& host) {
    answer.reset();
    resolver->resolve(host, 80, [&](Answer got) { answer = std::move(got); });
    for (int turn = 0; turn < 200 && !answer; ++turn)
      loop->run_once(Millis{100});
    REQUIRE(answer);
    return *answer;
  };
  auto web = resolve("web.test");
  REQUIRE(web);
  REQUIRE(web->size() == 2);
  std::map<std::string, int> seen;
  for (auto& address : *web)
    ++seen[address.to_string()];
  CHECK(seen == std::map<std::string, int>{{"10.0.0.1:80", 1}, {"10.0.0.2:80", 1}});
  CHECK(resolve("none.test").error() == Error{Errc::not_found, "none.test: no such name"});
  CHECK(resolve("slow.test").error().code == Errc::unavailable);
  CHECK(resolver->pending() == 0);

  auto asked = server.asked;
  CHECK(resolve("127.0.0.1")->at(0).to_string() == "127.0.0.1:80");
  CHECK(resolve("[::1]")->at(0).is_ipv6());
  CHECK(resolve("localhost")->at(0).is_loopback());
  CHECK(resolve("api.localhost")->at(0).is_loopback()); // In no /etc/hosts.
  CHECK(resolve("").error().code == Errc::invalid);
  CHECK(server.asked == asked); // None of these needs a server.

  SECTION("no more than the maximum is pending, and the rest is refused at once") {
    int done = 0;
    auto count = [&](Answer) { ++done; };
    resolver->resolve("slow.test", 1, count);
    resolver->resolve("slow.test", 1, count);
    CHECK(resolver->pending() == 2);
    std::optional<Answer> third;
    resolver->resolve("slow.test", 1, [&](Answer got) { third = std::move(got); });
    REQUIRE(third);
    CHECK(third->error().code == Errc::exhausted);
    resolver.reset(); // Whoever waits is told.
    CHECK(done == 2);
  }
}
