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

TEST_CASE("the readiness port answers for all gateways of the process") {
  gateway::proxy::ProxyOptions options;
  options.workers = 1;
  options.ready_address = "127.0.0.1";
  options.ready_port = free_port();
  auto make = actors::make_proxies(options);
  auto one = std::make_unique<Served>(make, "one");
  auto ready = [&] {
    auto client = net::HttpClient::create(fmt::format("127.0.0.1:{}", options.ready_port)).value();
    return client.get("/ready").value().status;
  };
  CHECK(ready() == 503);
  one->serve();
  CHECK(ready() == 200);
  Served two{make, "two"};
  CHECK(ready() == 503);
  two.serve();
  CHECK(ready() == 200);
  one.reset();
  CHECK(ready() == 200);
}
