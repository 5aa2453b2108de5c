#pragma once

#include "actors/actor_fixture.test.hpp"
#include "actors/storage_actor.hpp"
#include "api/http_api.hpp"
#include "storage/store.hpp"

#include <memory>
#include <optional>
#include <string>

namespace strait::test {

/// An HTTP API over a catalog in memory, under the deterministic scheduler: no socket, no thread.
class HttpApiFixture : public ActorFixture {
public:
  /// A request and, once there is one, its answer.
  struct Pending {
    std::optional<net::HttpResponse> response;
    std::function<void()> disconnect;
  };

  explicit HttpApiFixture(std::string datacenter = "dc1",
                          std::shared_ptr<peering::PeeringHandler> peering = nullptr) {
    actors::CatalogActorOptions options;
    views = options.view;
    storage = system.spawn(actors::storage_actor, [] {
      return Result<std::unique_ptr<storage::Store>>{storage::make_memory_store()};
    });
    catalog = system.spawn(actors::catalog_actor, storage, options);
    queries = system.spawn(actors::query_actor, catalog, actors::QueryActorOptions{});
    commands = system.spawn(actors::command_actor, catalog);
    api::HttpApiContext context{.view = views, .queries = queries, .commands = commands};
    context.self = {.datacenter = std::move(datacenter),
                    .node_name = "agent",
                    .node_id = "11111111-2222-3333-4444-555555555555",
                    .version = "0.1.0"};
    context.limits.wait_jitter_divisor = 0;
    context.peering = std::move(peering);
    root = system.spawn([](caf::event_based_actor*) -> caf::behavior {
      return {[](actors::report_atom, const model::Name& gateway) {
        return std::vector<actors::ProxyReport>{
            {.id = "proxy-of-" + gateway.name, .sent = 7, .served = 6, .errors = {"port taken"}}};
      }};
    });
    context.root = caf::actor_cast<actors::RootActor>(root);
    context.feed_elsewhere = [this] { return fed_at; };
    metrics = context.metrics;
    http = std::make_unique<api::HttpApi>(std::move(context));
    settle();
  }
  ~HttpApiFixture() {
    http.reset();
    caf::anon_send_exit(queries, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(commands, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(catalog, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(storage, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
    settle();
  }

  /// Sends without letting anybody run.
  std::shared_ptr<Pending> send(net::HttpRequest request) {
    auto pending = std::make_shared<Pending>();
    http->serve(
        std::move(request),
        {[pending](net::HttpResponse response) { pending->response = std::move(response); },
         [pending](std::function<void()> callback) { pending->disconnect = std::move(callback); }});
    return pending;
  }
  std::shared_ptr<Pending> start(std::string target) {
    auto pending = send({"GET", std::move(target)});
    settle();
    return pending;
  }
  net::HttpResponse exchange(net::HttpRequest request) {
    auto pending = send(std::move(request));
    settle();
    REQUIRE(pending->response);
    return *pending->response;
  }
  net::HttpResponse get(std::string target) { return exchange({"GET", std::move(target)}); }
  net::HttpResponse put(std::string target, std::string body = "") {
    return exchange({"PUT", std::move(target), {}, std::move(body)});
  }
  net::HttpResponse post(std::string target, std::string body) {
    return exchange({"POST", std::move(target), {}, std::move(body)});
  }
  net::HttpResponse del(std::string target) { return exchange({"DELETE", std::move(target)}); }
  catalog::Revision index_of(const std::string& target) {
    return std::stoull(std::string{get(target).fields.get("X-Consul-Index")});
  }
  /// Registers an instance with one check on a node of its own.
  void register_service(const std::string& service, const std::string& status = "passing") {
    auto done =
        put("/v1/catalog/register",
            R"({"Node":"n-)" + service + R"(","Address":"10.0.0.1","Service":{"Service":")" +
                service + R"(","Port":80},"Check":{"CheckID":"c-)" + service +
                R"(","Name":"c","ServiceID":")" + service + R"(","Status":")" + status + R"("}})");
    REQUIRE(done.body == "true");
  }

  std::shared_ptr<actors::ViewBox> views;
  actors::StorageActor storage;
  actors::CatalogActor catalog;
  actors::QueryActor queries;
  actors::CommandActor commands;
  caf::actor root;    ///< Reports one proxy for every gateway.
  std::string fed_at; ///< Where another replica feeds gateways.
  std::shared_ptr<api::Metrics> metrics;
  std::unique_ptr<api::HttpApi> http;
};

} // namespace strait::test
