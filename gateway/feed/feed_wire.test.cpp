#include "gateway/feed/feed_wire.hpp"

#include <catch2/catch.hpp>
#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <map>
#include <mutex>

using namespace strait;
using namespace strait::gateway;
using namespace strait::gateway::feed;

namespace {

constexpr std::chrono::seconds patience{20};

/// What callbacks of several threads have told.
class Told {
public:
  void note(const std::string& what) {
    std::lock_guard lock{mutex_};
    ++counts_[what];
    changed_.notify_all();
  }
  bool wait_for(const std::string& what, int count) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, patience, [&] { return counts_[what] >= count; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, int> counts_;
};

AgentStreamEvents events_to(const std::shared_ptr<Told>& told) {
  return {[told] { told->note("connected"); },
          [told](const ConfigFrame&) { told->note("received"); },
          [told](const std::string&) { told->note("ended"); }};
}

/// An agent that greets each proxy.
class Agent {
public:
  explicit Agent(int port = 0) {
    service_ = make_proxy_config_service([this](std::shared_ptr<ProxyStream> stream) {
      return ProxyStreamEvents{[this, stream](const ProxyFrame&) {
                                 told->note("received");
                                 stream->send(Heartbeat{7});
                               },
                               [this](const std::string&) { told->note("ended"); }};
    });
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
  }
  ~Agent() {
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }
  std::shared_ptr<Told> told = std::make_shared<Told>();

private:
  int port_ = 0;
  std::shared_ptr<grpc::Service> service_;
  std::unique_ptr<grpc::Server> server_;
};

} // namespace

TEST_CASE("frames go both ways over a stream") {
  Agent agent;
  auto told = std::make_shared<Told>();
  AgentDialer dialer{agent.address()};
  auto stream = dialer.dial(events_to(told));
  stream->send(Hello{.gateway_name = "edge"});
  CHECK(agent.told->wait_for("received", 1));
  CHECK(told->wait_for("received", 1));
  stream->close();
  CHECK(told->wait_for("ended", 1));
  CHECK(agent.told->wait_for("ended", 1));
  stream->send(Hello{}); // Of no effect.
}

TEST_CASE("a stream that is refused at once is told connected and ended, once each") {
  int port = Agent{}.port(); // Of an agent that is gone.
  auto told = std::make_shared<Told>();
  AgentDialer dialer{"127.0.0.1:" + std::to_string(port)};
  for (int i = 1; i <= 100; ++i) {
    auto stream = dialer.dial(events_to(told));
    stream->send(Hello{});
    REQUIRE(told->wait_for("connected", i));
    REQUIRE(told->wait_for("ended", i));
  }
}

TEST_CASE("an agent that comes and goes is dialed again and again") {
  auto told = std::make_shared<Told>();
  auto agent = std::make_unique<Agent>();
  int port = agent->port();
  AgentDialer dialer{agent->address()};
  for (int i = 1; i <= 30; ++i) {
    if (!agent)
      agent = std::make_unique<Agent>(port);
    auto stream = dialer.dial(events_to(told));
    stream->send(Hello{});
    REQUIRE(told->wait_for("received", i));
    agent.reset();
    REQUIRE(told->wait_for("ended", i));
  }
}

TEST_CASE("a delta that the proxy cannot read ends the stream, and the reason is told") {
  int port = 0;
  auto service = make_proxy_config_service([](std::shared_ptr<ProxyStream> stream) {
    return ProxyStreamEvents{
        [stream](const ProxyFrame&) {
          Delta delta{.epoch = 1};
          delta.routes.emplace_back(
              "http/web", std::make_shared<BoundRoute>(
                              BoundRoute{.id = "web", .route = TcpRoute{{{.weight = 1'000'001}}}}));
          stream->send(delta);
        },
        [](const std::string&) {}};
  });
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(service.get());
  auto server = builder.BuildAndStart();
  auto told = std::make_shared<Told>();
  {
    AgentDialer dialer{"127.0.0.1:" + std::to_string(port)};
    auto stream = dialer.dial(
        {[] {}, [](const ConfigFrame&) {}, [told](const std::string& why) { told->note(why); }});
    stream->send(Hello{});
    CHECK(told->wait_for("delta: route 'http/web': weight: 1000001 must be 0..1000000", 1));
  }
  server->Shutdown(std::chrono::system_clock::now());
  server->Wait();
}

TEST_CASE("a dialer's end closes the streams that are left") {
  Agent agent;
  auto told = std::make_shared<Told>();
  std::shared_ptr<AgentStream> stream;
  {
    AgentDialer dialer{agent.address()};
    stream = dialer.dial(events_to(told));
    stream->send(Hello{});
    REQUIRE(told->wait_for("received", 1));
  }
  CHECK(told->wait_for("ended", 1));
  stream->send(Hello{}); // The stream may be held longer: of no effect.
  stream->close();
}
