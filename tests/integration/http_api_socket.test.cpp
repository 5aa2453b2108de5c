// links: strait_api
#include "actors/storage_actor.hpp"
#include "api/http_api.hpp"
#include "net/http_client.hpp"
#include "storage/store.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <future>
#include <thread>

using namespace strait;
using namespace std::chrono_literals;

namespace {

/// The API behind a server on the loopback, with real threads.
class RunningAgent {
public:
  RunningAgent() {
    actors::CatalogActorOptions options;
    auto views = options.view;
    storage_ = system_.spawn<caf::detached>(actors::storage_actor, [] {
      return Result<std::unique_ptr<storage::Store>>{storage::make_memory_store()};
    });
    catalog_ = system_.spawn(actors::catalog_actor, storage_, options);
    queries_ = system_.spawn(actors::query_actor, catalog_, actors::QueryActorOptions{});
    commands_ = system_.spawn(actors::command_actor, catalog_);
    api::HttpApiContext context{.view = views, .queries = queries_, .commands = commands_};
    context.self.node_name = "agent";
    http_ = std::make_unique<api::HttpApi>(std::move(context));
    std::promise<net::Address> listening;
    auto address = listening.get_future();
    thread_ = std::thread{[this, &listening] {
      loop_ = std::move(*net::EventLoop::create());
      net::HttpServer server{*loop_,
                             {.body_bytes_max = 1024 * 1024},
                             [this](net::HttpRequest request, const net::HttpPeer& peer,
                                    net::HttpResponder responder) {
                               http_->handle(std::move(request), peer, std::move(responder));
                             }};
      listening.set_value(*server.listen(*net::Address::parse("127.0.0.1:0")));
      loop_->run();
    }};
    address_ = address.get().to_string();
  }
  ~RunningAgent() {
    loop_->stop();
    thread_.join();
    http_.reset();
    for (auto& actor :
         {caf::actor_cast<caf::actor>(queries_), caf::actor_cast<caf::actor>(commands_),
          caf::actor_cast<caf::actor>(catalog_), caf::actor_cast<caf::actor>(storage_)})
      caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  }
  net::HttpClient client() const { return std::move(*net::HttpClient::create(address_)); }

private:
  caf::actor_system_config config_;
  caf::actor_system system_{config_};
  actors::StorageActor storage_;
  actors::CatalogActor catalog_;
  actors::QueryActor queries_;
  actors::CommandActor commands_;
  std::unique_ptr<api::HttpApi> http_;
  std::unique_ptr<net::EventLoop> loop_;
  std::thread thread_;
  std::string address_;
};

constexpr const char* web = R"({"Node":"n","Address":"10.0.0.1","Service":{"Service":"web"}})";

} // namespace

TEST_CASE("over a socket: what is registered is read at once, and a waiting client is woken") {
  RunningAgent agent;
  auto client = agent.client();
  auto registered = client.put("/v1/catalog/register", web);
  REQUIRE(registered);
  CHECK(registered->body == "true");
  auto read = client.get("/v1/health/service/web");
  REQUIRE(read);
  REQUIRE(read->body.find("\"web\"") != std::string::npos);
  std::string index{read->fields.get("X-Consul-Index")};

  auto woken = std::async(std::launch::async, [&] {
    return agent.client().get("/v1/health/service/web?wait=60s&index=" + index);
  });
  std::string changed = web;
  changed.replace(changed.find("10.0.0.1"), 8, "10.0.0.2");
  REQUIRE(client.put("/v1/catalog/register", changed));
  auto answer = woken.get();
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->body.find("10.0.0.2") != std::string::npos);
}

TEST_CASE("over a socket: bodies and heads beyond their maxima are refused") {
  RunningAgent agent;
  CHECK(agent.client().put("/v1/catalog/register", std::string(600'000, 'x'))->status == 413);
  CHECK(agent.client().put("/v1/catalog/register", std::string(2'000'000, 'x'))->status == 413);
  auto refused =
      agent.client().send({"GET", "/v1/catalog/nodes", {{"X-Long", std::string(40'000, 'x')}}});
  REQUIRE(refused);
  CHECK(refused->status == 431);
  CHECK(agent.client().get("/v1/catalog/service/" + std::string(20'000, 'x'))->status == 414);
}

TEST_CASE("over a socket: a thousand clients may read and write at once") {
  RunningAgent agent;
  constexpr int threads = 8, each = 125;
  std::atomic<int> done{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < threads; ++i)
    clients.emplace_back([&, i] {
      auto client = agent.client();
      for (int j = 0; j < each; ++j) {
        auto name = "s" + std::to_string(i * each + j);
        auto put =
            client.put("/v1/catalog/register",
                       R"({"Node":"n","Address":"1.1.1.1","Service":{"Service":")" + name + "\"}}");
        auto get = client.get("/v1/catalog/service/" + name);
        if (put && put->body == "true" && get && get->body.find(name) != std::string::npos)
          ++done;
      }
    });
  for (auto& client : clients)
    client.join();
  CHECK(done == threads * each);
}
