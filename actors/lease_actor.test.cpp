#include "actors/lease_actor.hpp"

#include "actors/kubernetes_fixture.test.hpp"

using namespace strait;
using namespace strait::actors;
using namespace std::chrono_literals;
using kubernetes::FakeApiServer;
using kubernetes::text_at;

namespace {

const std::string path = "/apis/coordination.k8s.io/v1/namespaces/strait/leases/strait-controller";

struct Election : test::KubernetesFixture {
  Election() {
    LeaseActorOptions options;
    options.client = client;
    options.ns = "strait";
    options.lease.identity = "a";
    options.lease.duration = 15s;
    options.lease.renew_deadline = 10s;
    options.lease.retry = 2s;
    options.lead = [this](bool leading) { told.push_back(leading); };
    options.feed_elsewhere = [this](const std::string& address) { fed.push_back(address); };
    options.now = [this] { return now; };
    start = [this, options] { actor = run.system.spawn(lease_actor, options); };
  }
  ~Election() { end(actor); }
  void pass(Millis by) {
    now += by;
    run.advance(by);
  }
  std::string holder() { return text_at(server.object(path), {"spec", "holderIdentity"}); }
  void held_by(const std::string& who, const std::string& renewed) {
    server.put(path, fmt::format(R"({{"metadata":{{"name":"strait-controller","annotations":)"
                                 R"({{"strait.dev/feed-address":"{}:8504"}}}},"spec":{{)"
                                 R"("holderIdentity":"{}","leaseDurationSeconds":15,)"
                                 R"("leaseTransitions":3,"renewTime":"{}"}}}})",
                                 who, who, renewed));
  }

  std::vector<bool> told;
  std::vector<std::string> fed; // Elsewhere.
  std::function<void()> start;
  LeaseActor actor;
};

} // namespace

TEST_CASE("a lease that nobody made is made, and renewed in its rhythm") {
  Election it;
  it.start();
  REQUIRE(it.until([&] { return it.told == std::vector<bool>{true}; }));
  CHECK(it.holder() == "a");
  auto renewals = [&] { return it.server.count_asked("PATCH", path); };
  CHECK(renewals() == 0);
  it.pass(1'999ms);
  it.quiet();
  CHECK(renewals() == 0);
  it.pass(1ms);
  REQUIRE(it.until([&] { return renewals() == 1; }));
  it.quiet();
  CHECK(it.told.size() == 1);
}

TEST_CASE("a lease that somebody renews is his, one that he lets run out is taken over") {
  Election it;
  it.held_by("b", "1");
  it.start();
  REQUIRE(it.until([&] { return it.server.count_asked("GET", path) == 1; }));
  it.quiet();
  for (int renewed = 2; renewed < 10; ++renewed) {
    it.held_by("b", std::to_string(renewed));
    it.pass(2s);
    it.quiet();
  }
  CHECK(it.told.empty());
  CHECK(it.holder() == "b");
  for (auto waited = 0s; waited < 14s; waited += 2s) {
    it.pass(2s);
    it.quiet();
  }
  CHECK(it.told.empty());
  CHECK(it.fed == std::vector<std::string>{"b:8504"});
  it.pass(2s);
  REQUIRE(it.until([&] { return it.told == std::vector<bool>{true}; }));
  CHECK(it.holder() == "a");
  CHECK(it.fed == std::vector<std::string>{"b:8504", ""});
  auto lease = it.server.object(path);
  auto* transitions = kubernetes::node_at(lease, {"spec", "leaseTransitions"});
  REQUIRE(transitions);
  CHECK(std::get<std::int64_t>(transitions->value) == 4);
}

TEST_CASE("a lease is given back, so that the next one need not wait") {
  Election it;
  it.start();
  REQUIRE(it.until([&] { return it.told.size() == 1; }));
  caf::scoped_actor self{it.run.system};
  auto pending = self->request(it.actor, caf::infinite, release_atom::value);
  REQUIRE(it.until([&] { return it.holder().empty(); }));
  it.quiet();
  std::optional<bool> released;
  pending.receive([&](bool done) { released = done; }, [](const caf::error&) {});
  CHECK(released == true);
  CHECK(it.told == std::vector<bool>{true, false});
  auto asked = it.server.asked.size();
  it.pass(10s);
  it.run.settle();
  CHECK(it.server.asked.size() == asked); // It takes no further part.
}

TEST_CASE("who cannot renew in time does not lead any more, and leads again when he can") {
  Election it;
  it.start();
  REQUIRE(it.until([&] { return it.told.size() == 1; }));
  it.server.instead = [](const net::HttpRequest& request) -> std::optional<net::HttpResponse> {
    if (request.path() != path)
      return {};
    return net::HttpResponse{500, {}, "{}"};
  };
  for (auto waited = 0s; waited < 8s; waited += 2s) {
    it.pass(2s);
    it.quiet();
  }
  CHECK(it.told == std::vector<bool>{true});
  it.pass(2s);
  REQUIRE(it.until([&] { return it.told.size() == 2; }));
  CHECK(it.told.back() == false);
  it.server.instead = {};
  REQUIRE(it.until([&] {
    it.pass(2s);
    return it.told.size() == 3;
  }));
  CHECK(it.told.back() == true);
}

TEST_CASE("of two that write at the same time one leads") {
  Election it;
  it.held_by("", "1");
  it.server.instead = [&](const net::HttpRequest& request) -> std::optional<net::HttpResponse> {
    if (request.method == "PATCH" && it.holder().empty())
      it.held_by("b", "2"); // Between our reading and our writing.
    return {};
  };
  it.start();
  REQUIRE(it.until([&] { return it.server.count_asked("PATCH", path) == 1; }));
  it.quiet();
  CHECK(it.told.empty());
  CHECK(it.holder() == "b");
}
