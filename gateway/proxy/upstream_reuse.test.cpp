#include "gateway/proxy/worker.hpp"
#include "net/socket.hpp"

#include <catch2/catch.hpp>

#include <unistd.h>

namespace strait::gateway::proxy::testing {

namespace {

struct Lessee : UpstreamTicket::User {
  void on_upstream(UpstreamConnection& connection) override { got = &connection; }
  void on_upstream_failed(bool, std::string_view) override { failed = true; }
  UpstreamConnection* got = nullptr;
  bool failed = false;
};

std::shared_ptr<const Served> serving(std::vector<Endpoint> endpoints) {
  Cluster cluster;
  cluster.id = "a";
  cluster.endpoints = std::move(endpoints);
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->config.clusters =
      snapshot->config.clusters.with("a", std::make_shared<const Cluster>(cluster));
  return std::make_shared<const Served>(Served{snapshot});
}

/// An endpoint with one kept connection, on a loop that runs only when it is told to.
struct Kept {
  Kept() {
    auto address = net::local_address(listener);
    endpoint = {"127.0.0.1", address->port(), 1};
    served = serving({endpoint});
    routing.serve(served);
    UpstreamConnection* connection = nullptr;
    REQUIRE(upstream().lease(ticket, Reuse::any, connection) == Leased::later);
    while (!lessee.got && !lessee.failed)
      loop->run_once(Millis{1'000});
    REQUIRE(lessee.got);
    peer = std::move((*net::accept_tcp(listener))->fd);
    std::exchange(lessee.got, nullptr)->release();
    REQUIRE(upstream().idle() == 1);
  }
  ~Kept() {
    ticket.cancel();
    routing.close_idle();
    loop->run_once(Millis{0});
  }
  using Reuse = UpstreamEndpoint::Reuse;
  using Leased = UpstreamEndpoint::Leased;
  UpstreamEndpoint& upstream() { return *routing.cluster("a", *served)->pick(); }

  ProxyOptions options;
  std::unique_ptr<net::EventLoop> loop = std::move(*net::EventLoop::create());
  net::BufferPool buffers;
  Retirement retirement{*loop};
  WorkerCounters counters{8};
  std::unique_ptr<net::Resolver> resolver;
  UpstreamEnvironment environment{*loop, buffers, retirement, counters, options, resolver};
  Routing routing{environment};
  net::Fd listener = std::move(*net::listen_tcp(net::Address::loopback(0), {}));
  Endpoint endpoint;
  std::shared_ptr<const Served> served;
  Lessee lessee;
  UpstreamTicket ticket{*loop, lessee};
  net::Fd peer; // The other end of the kept connection.
};

} // namespace

TEST_CASE("a kept connection that its endpoint has ended is not used for what may be sent once") {
  Kept kept;
  UpstreamConnection* connection = nullptr;
  SECTION("it is live") {
    CHECK(kept.upstream().lease(kept.ticket, Kept::Reuse::checked, connection) ==
          Kept::Leased::now);
    REQUIRE(connection);
    CHECK(connection->reused());
    connection->release();
  }
  SECTION("its end is here, and the loop has not seen it yet") {
    kept.peer.close();
    CHECK(kept.upstream().lease(kept.ticket, Kept::Reuse::checked, connection) ==
          Kept::Leased::later);
    CHECK(kept.upstream().idle() == 0);
    CHECK(kept.upstream().connections() == 1);
  }
  SECTION("it has something to say that nobody asked for") {
    constexpr std::string_view early{"HTTP/1.1 408 X\r\n\r\n"};
    REQUIRE(::write(kept.peer.get(), early.data(), early.size()) ==
            static_cast<ssize_t>(early.size()));
    CHECK(kept.upstream().lease(kept.ticket, Kept::Reuse::checked, connection) ==
          Kept::Leased::later);
    CHECK(kept.upstream().idle() == 0);
  }
}

TEST_CASE("kept connections to endpoints that left are closed, though nobody asks any more") {
  Kept kept;
  kept.served = serving({{"127.0.0.1", 1, 1}});
  kept.routing.serve(kept.served);
  CHECK(kept.counters.values[static_cast<std::size_t>(Counter::upstream_closed)].value() == 0);
  kept.routing.sweep();
  CHECK(kept.counters.values[static_cast<std::size_t>(Counter::upstream_closed)].value() == 1);
}

} // namespace strait::gateway::proxy::testing
