#include "actors/proxy_dataplane.hpp"

#include "net/http_client.hpp"
#include "net/socket.hpp"

#include <catch2/catch.hpp>

#include <future>

using namespace strait;

namespace {

std::uint16_t free_port() {
  auto listener = net::listen_tcp(net::Address::from_ip("127.0.0.1", 0).value(), {}).value();
  return net::local_address(listener).value().port();
}

/// A data plane, and the end of its first epoch.
struct Served {
  std::promise<void> promise;
  std::unique_ptr<actors::Dataplane> dataplane;

  Served(const actors::MakeDataplane& make, const std::string& name) {
    auto made = make({"default", name}, [this, told = false](std::uint64_t) mutable {
      if (!std::exchange(told, true))
        promise.set_value();
    });
    REQUIRE(made);
    dataplane = std::move(*made);
  }
  void serve() {
    gateway::SnapshotBuilder builder;
    dataplane->publish(builder.apply(gateway::Delta{.epoch = 1}).value());
    promise.get_future().wait();
  }
};

} // namespace

namespace {

struct World {
  std::uint16_t port = free_port();
  std::shared_ptr<actors::Proxies> proxies = std::make_shared<actors::Proxies>(
      actors::Proxies::Options{.address = "127.0.0.1", .ready_port = port});
  actors::MakeDataplane make = actors::make_proxies({.workers = 1}, proxies);

  int status(const std::string& path = "/ready") const {
    auto client = net::HttpClient::create(fmt::format("127.0.0.1:{}", port)).value();
    return client.get(path).value().status;
  }
};

} // namespace

TEST_CASE("the readiness port answers for all gateways of the process") {
  World world;
  auto one = std::make_unique<Served>(world.make, "one");
  CHECK(world.status() == 503);
  CHECK(world.status("/other") == 404);
  one->serve();
  CHECK(world.status() == 200);
  Served two{world.make, "two"};
  CHECK(world.status() == 503);
  two.serve();
  CHECK(world.status() == 200);
  one.reset();
  CHECK(world.status() == 200);
}

TEST_CASE("a process that winds down is not ready, from then on") {
  World world;
  Served one{world.make, "one"};
  one.serve();
  CHECK(world.status() == 200);
  world.proxies->wind_down();
  CHECK(world.status() == 503);
  Served two{world.make, "two"};
  two.serve();
  CHECK(world.status() == 503);
}

TEST_CASE("a readiness port that is taken fails the first data plane, naming it") {
  auto occupant = net::listen_tcp(net::Address::from_ip("127.0.0.1", 0).value(), {}).value();
  const auto port = net::local_address(occupant).value().port();
  auto make = actors::make_proxies(
      {.workers = 1}, std::make_shared<actors::Proxies>(
                          actors::Proxies::Options{.address = "127.0.0.1", .ready_port = port}));
  auto made = make({"default", "one"}, [](std::uint64_t) {});
  REQUIRE_FALSE(made);
  CHECK(made.error().code == Errc::conflict);
  CHECK(made.error().detail.find(std::to_string(port)) != std::string::npos);
}
